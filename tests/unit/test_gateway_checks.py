"""The mutual check on the page of a case: what differs is shown, and what the applicant says of it goes on."""

from __future__ import annotations

from typing import Any

from tests.unit.gateway_fakes import CASE, HISTORY, NAME
from tests.unit.test_gateway_evidence import ASKED_FILES, FETCHING, case_page
from tests.unit.test_gateway_pages import signed_in


def field(outcome: str, said: str | None, found: str | None, name: str = "since") -> dict[str, Any]:
    values = {"male": {"zh-Hans": "男", "zh-Hant": "男", "en": "Male"}}
    return {"field": name, "title": NAME, "values": values, "outcome": outcome, "said": said, "found": found}


def check(*fields: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"fields": list(fields), "differs": any(each["outcome"] == "differs" for each in fields), "reason": reason}


def test_what_differs_is_shown_with_both_values_before_the_applicant_decides() -> None:
    compared = check(field("differs", "male", "2026-10-20"), field("same", "secret", "secret"))
    page = case_page("provided", may=["use"], fields={"full_name": "张三"}, check=compared)
    shown = page.partition('id="evidence-permit"')[2]
    assert shown.index("In the form: Male") < shown.index("In the evidence: 2026-10-20") < shown.index('value="use"')
    assert "A difference alone refuses nothing" in shown
    assert 'name="reason"' in shown
    # what is the same stands in the preview already
    assert "secret" not in shown


def test_nothing_is_asked_where_nothing_differs() -> None:
    page = case_page("provided", fields={"full_name": "张三"}, check=check(field("missing", None, "b")))
    assert "not compared" in page
    assert 'name="reason"' not in page


def test_an_officer_reads_what_the_applicant_says_of_it() -> None:
    compared = check(field("differs", "a", "b"), reason="born after midnight")
    page = case_page("used", case={"applicant": "sub-2"}, roles=("officer",), check=compared)
    assert "What the applicant says of it: born after midnight" in page
    assert "A difference alone is no reason to refuse" in page


def test_an_id_number_is_masked_for_whose_it_is() -> None:
    compared = check(field("differs", "110101189001010011", "110101189001010022", "id_number"))
    page = case_page("provided", fields={"full_name": "张三"}, check=compared)
    assert "1101**********0011" in page
    assert "110101189001010011" not in page


def test_the_reason_goes_on_with_the_use_only() -> None:
    rpc, door = signed_in({"cases.decide_on_evidence": {}})
    for act in ("use", "decline"):
        door.post("/cases/OH-1/evidence/permit", data={"act": act, "reason": " born after midnight "})
    asked = [("OH-1", "permit", "use", "born after midnight"), ("OH-1", "permit", "decline")]
    assert rpc.of("cases.decide_on_evidence") == asked


def test_what_nobody_may_be_asked_for_can_be_handed_in() -> None:
    file = {
        "case": CASE | {"applicant": "sub-1"},
        "history": HISTORY,
        "item": FETCHING,
        "actions": [],
        "documents": {"asked": [ASKED_FILES], "missing": [], "may_follow": []},
        "evidence": [],
    }
    _, door = signed_in({"cases.get_case_file": file})
    page = door.get("/cases/OH-1").text
    assert 'action="/cases/OH-1/documents/permit"' in page
    assert 'value="consent"' not in page
