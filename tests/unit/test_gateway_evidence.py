"""Pages of evidence: what an applicant may do, what staff see, what a source is shown and how it answers."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import ActionNotAllowed, CaseChanged, InvalidInput, NotFound, NotPermitted
from gateway.languages import CATALOGUES
from gateway.places import KIOSK_PLACE, VISIT_PLACE
from services.cases.evidence import domain
from tests.unit.gateway_fakes import CASE, HISTORY, ITEM, NAME, Door, FakeRpc, make_door
from tests.unit.test_gateway_pages import acting, signed_in
from tests.unit.test_gateway_places import at, session_of, visiting

PERMIT = {"zh-Hans": "居住证", "zh-Hant": "居住證", "en": "Permit card"}
DOCUMENT = {
    "code": "permit",
    "name": PERMIT,
    "required": False,
    "source": "department",
    "keys": {"full_name": "full_name", "since": "since"},
}
OFFERED = {
    "document": "permit",
    "name": PERMIT,
    "paper": "permit-card",
    "source_kind": "department",
    "source": "civil-affairs",
    "source_name": None,
    "keys": ["full_name"],
}
FETCHING = ITEM | {"documents": [DOCUMENT], "fetched": [OFFERED]}
ASKED_FILES = {"code": "permit", "types": ["pdf"], "most": 3, "files": []}
LABELS = {
    "full_name": {"title": {"zh-Hans": "姓名", "zh-Hant": "姓名", "en": "Full name"}, "values": {}},
    "ground": {"title": NAME, "values": {"home": {"zh-Hans": "住所", "zh-Hant": "住所", "en": "A home"}}},
}
EVIDENCE = {
    "id": None,
    "document": "permit",
    "paper": "permit-card",
    "source_kind": "department",
    "source": "civil-affairs",
    "source_name": None,
    "status": "wanted",
    "may": ["consent"],
    "consented_at": None,
    "asked_at": None,
    "due_at": None,
    "answered_at": None,
    "valid_until": None,
    "origin": None,
    "reason": None,
    "fields": {},
    "labels": {},
}
REQUEST = {
    "id": "e-1",
    "number": "OH-1",
    "item": "sole-trader",
    "item_name": NAME,
    "paper": "permit-card",
    "paper_name": PERMIT,
    "status": "asked",
    "asked_at": "2026-11-01T02:03:04+00:00",
    # the midnight in China behind the fourth
    "due_at": "2026-11-04T16:00:00+00:00",
    "keys": {"full_name": "张三", "id_number": "110101189001010011"},
    "labels": LABELS,
    "form": {
        "properties": {
            "full_name": {"type": "string", "x-title": NAME},
            "ground": {"type": "string", "enum": ["home"], "x-labels": LABELS["ground"]["values"], "x-title": NAME},
            "rooms": {"type": "integer", "minimum": 0, "x-title": NAME},
            "rent": {"type": "number", "x-title": NAME},
            "is_let": {"type": "boolean", "x-title": NAME},
            "since": {"type": "string", "format": "date", "x-title": NAME},
            "uses": {"type": "array", "items": {"enum": ["a", "b"]}, "x-title": NAME},
        },
        "required": ["full_name"],
    },
}
say = CATALOGUES["en"]
ENGLISH = {"Accept-Language": "en"}
OFFICER: dict[str, Any] = {"roles": ["officer"], "department": "civil-affairs"}


def case_page(status: str, *, case: dict[str, Any] | None = None, roles: tuple[str, ...] = (), **of: Any) -> str:
    file = {
        "case": CASE | {"applicant": "sub-1"} | (case or {}),
        "history": HISTORY,
        "item": FETCHING,
        "actions": [],
        "documents": {"asked": [ASKED_FILES], "missing": [], "may_follow": []},
        "evidence": [EVIDENCE | {"status": status, "may": []} | of],
    }
    rpc, door = signed_in({"cases.get_case_file": file}, roles=list(roles))
    page = door.get("/cases/OH-1", headers=ENGLISH).text
    assert len(rpc.of("cases.get_case_file")) == len([name for name, _, _ in rpc.calls if name.startswith("cases.")])
    return page


@pytest.mark.parametrize("status", domain.STATUSES)
def test_an_applicant_is_offered_what_the_service_lets_them_do(status: str) -> None:
    may = [act for act in domain.APPLICANTS if status in domain.MAY[act]]
    page = case_page(status, may=may)
    assert [act for act in domain.APPLICANTS if f'name="act" value="{act}"' in page] == may


def test_the_consent_names_the_source_and_the_answers_that_are_given_before_it_is_asked_for() -> None:
    page = case_page("wanted", may=["consent"])
    words = page.index("is asked for “Permit card” and, to find it, is given these answers from my form: Full name.")
    assert words < page.index('value="consent"')
    # nothing was filled in there, so nothing of it is given
    assert "Since." not in page


def test_what_came_is_shown_by_its_labels_with_its_last_day() -> None:
    says = {"ground": "home", "full_name": "张三"}
    page = case_page("provided", fields=says, labels=LABELS, valid_until="2027-03-01", origin="evidence")
    shown = page.partition('id="evidence-permit"')[2]
    assert shown.index("Full name") < shown.index("张三") < shown.index("A home")
    assert f"Good until {say.day('2027-03-01')}" in page
    assert "earlier case" in page


@pytest.mark.parametrize(("is_taken_back", "is_good"), [(False, True), (True, False)])
def test_a_certificate_that_was_taken_back_is_not_called_good(is_taken_back: bool, is_good: bool) -> None:
    page = case_page("used", origin="certificate", is_taken_back=is_taken_back)
    assert (say("evidence.from-certificate") in page, say("evidence.taken-back") in page) == (is_good, is_taken_back)


@pytest.mark.parametrize("status", ["wanted", "declined", "not-found", "needs-citizen", "overdue"])
def test_what_does_not_come_can_be_handed_in(status: str) -> None:
    assert 'action="/cases/OH-1/documents/permit"' in case_page(status)


@pytest.mark.parametrize("status", ["asked", "provided", "used"])
def test_what_is_fetched_is_not_asked_of_the_applicant(status: str) -> None:
    assert 'action="/cases/OH-1/documents/permit"' not in case_page(status)


def test_the_applicant_reads_why_the_source_needs_them() -> None:
    assert "The issuer says: Come with a photograph" in case_page("needs-citizen", reason="Come with a photograph")


@pytest.mark.parametrize("status", ["asked", "used", "not-found"])
def test_staff_see_how_it_stands_and_may_do_nothing(status: str) -> None:
    page = case_page(status, case={"applicant": "sub-2"}, roles=("officer",), fields={"full_name": "张三"})
    assert "evidence-permit" in page
    assert 'name="act"' not in page
    assert "documents/permit" not in page


def test_staff_are_not_shown_what_nobody_has_asked_for() -> None:
    assert "evidence-permit" not in case_page("wanted", case={"applicant": "sub-2"}, roles=("officer",))


def test_a_case_that_ended_shows_what_was_used_and_asks_nothing() -> None:
    closed = {"status": "withdrawn"}
    assert "evidence-permit" not in case_page("ended", case=closed)
    page = case_page("used", case=closed, fields={"full_name": "张三"})
    assert "evidence-permit" in page
    assert 'name="act"' not in page


def test_what_is_fetched_is_not_offered_to_be_asked_for() -> None:
    file = {
        "case": CASE,
        "history": HISTORY,
        "item": FETCHING,
        "actions": ["request_correction"],
        "choices": {"request_correction": ["permit", "other"]},
        "evidence": [EVIDENCE | {"status": "asked"}],
    }
    _, door = signed_in({"cases.get_case_file": file}, **OFFICER)
    page = door.get("/cases/OH-1").text
    assert 'name="missing" value="other"' in page
    assert 'name="missing" value="permit"' not in page


def of_applicant(subject: str = "sub-1") -> dict[str, Any]:
    file = {"case": CASE | {"applicant": subject}, "history": HISTORY, "item": FETCHING, "actions": []}
    return {"cases.get_case_file": file | {"evidence": [EVIDENCE]}, "cases.consent_to_evidence": {}}


@pytest.mark.parametrize("place", ["kiosk", "visit"])
def test_evidence_is_acted_on_wherever_cases_are(place: str) -> None:
    if place == "visit":
        rpc, door = visiting(**of_applicant())
    else:
        rpc, door = at("onehall_kiosk", {"identity.get_web_session": session_of("kiosk"), **of_applicant()})
    address = f"{KIOSK_PLACE.base if place == 'kiosk' else VISIT_PLACE.base}/cases/OH-1"
    page = door.get(address, headers=ENGLISH).text
    assert f'action="{address}/evidence/permit"' in page
    assert ("Read the consent out to the applicant" in page) == (place == "visit")
    assert door.post(f"{address}/evidence/permit", data={"act": "consent"}).headers["location"] == (
        f"{address}#evidence-permit"
    )
    assert door.get(f"{address}/evidence/permit").headers["location"] == f"{address}#evidence-permit"
    assert rpc.of("cases.consent_to_evidence") == [("OH-1", "permit")]


def test_who_acts_for_somebody_consents_for_them_and_nobody_else_by_mistake() -> None:
    rpc, door = acting(of_applicant("principal") | {"cases.list_own_evidence": {"items": [], "next": None}})
    assert 'value="consent"' in door.get("/cases/OH-1").text
    for mandate, times in (("", 0), ("m-1", 1)):
        door.post("/cases/OH-1/evidence/permit", data={"act": "consent", "acting": mandate})
        assert len(rpc.of("cases.consent_to_evidence")) == times
    assert door.get("/account/evidence").status_code == 200
    by = {name: actor.subject for name, _, actor in rpc.calls if actor is not None}
    assert (by["cases.consent_to_evidence"], by["cases.list_own_evidence"]) == ("principal", "sub-1")


def test_each_act_is_one_call_and_leads_back_to_the_document() -> None:
    rpc, door = signed_in({"cases.consent_to_evidence": {}, "cases.decide_on_evidence": {}})
    for act in ("consent", "use", "decline", "withdraw"):
        answer = door.post("/cases/OH-1/evidence/permit", data={"act": act})
        assert (answer.status_code, answer.headers["location"]) == (303, "/cases/OH-1#evidence-permit")
    assert rpc.of("cases.consent_to_evidence") == [("OH-1", "permit")]
    assert rpc.of("cases.decide_on_evidence") == [("OH-1", "permit", act) for act in ("use", "decline", "withdraw")]


@pytest.mark.parametrize(
    ("error", "fault", "said"),
    [
        (ActionNotAllowed("use", "wanted"), "too-late", "Nothing was changed"),
        (ActionNotAllowed("use", "expired"), "expired", "past its last day"),
        (InvalidInput([{"pointer": "/consent", "rule": "evidence.asks", "value": 3}]), "asks", "3 times at most"),
    ],
)
def test_an_act_that_is_refused_is_told_at_its_document(error: Exception, fault: str, said: str) -> None:
    _, door = signed_in({"cases.consent_to_evidence": error})
    address = door.post("/cases/OH-1/evidence/permit", data={"act": "consent"}).headers["location"]
    assert address == f"/cases/OH-1?evidence=permit&fault={fault}#evidence-permit"
    file = {"case": CASE | {"applicant": "sub-1"}, "history": HISTORY, "item": FETCHING, "actions": []}
    _, door = signed_in({"cases.get_case_file": file | {"evidence": [EVIDENCE]}})
    assert said in door.get(address.partition("#")[0], headers=ENGLISH).text


def test_a_forged_act_or_document_is_a_clear_error() -> None:
    fault = {"pointer": "/action", "rule": "enum", "value": ["use"]}
    _, door = signed_in({"cases.decide_on_evidence": InvalidInput([fault])})
    assert door.post("/cases/OH-1/evidence/permit", data={"act": "x" * 100}).status_code == 422
    _, door = signed_in({"cases.consent_to_evidence": NotFound("case", "OH-1")})
    assert door.post("/cases/OH-1/evidence/permit", data={"act": "consent"}).status_code == 404


def test_the_form_of_an_item_says_what_need_not_be_brought() -> None:
    _, door = signed_in({"cases.get_item": FETCHING})
    page = door.get("/items/residence-permit/apply", headers=ENGLISH).text
    assert page.index("You need not bring these") < page.index("Permit card") < page.index('id="full_name"')
    _, door = signed_in({})
    assert "You need not bring these" not in door.get("/items/residence-permit/apply", headers=ENGLISH).text


BOX = 'name="_consent" type="checkbox" value="permit"'
APPLY = "/items/residence-permit/apply"


@pytest.mark.parametrize("place", ["web", "kiosk", "visit", "acting"])
def test_the_form_asks_for_each_consent_in_words_before_its_button_and_ticks_none(place: str) -> None:
    answers = {"cases.get_item": FETCHING, "cases.list_drafts": {"items": [], "next": None}}
    base = {"kiosk": KIOSK_PLACE.base, "visit": VISIT_PLACE.base}.get(place, "")
    if place == "kiosk":
        door = at("onehall_kiosk", {"identity.get_web_session": session_of("kiosk"), **answers})[1]
    else:
        door = {"web": signed_in, "acting": acting}[place](answers)[1] if place != "visit" else visiting(**answers)[1]
    page = door.get(f"{base}{APPLY}", headers=ENGLISH).text
    words = page.index("is asked for “Permit card” and, to find it, is given these answers from my form: Full name.")
    box = page.partition(BOX)[2].partition(">")[0]
    assert "checked" not in box
    assert page.index(BOX) < words < page.index(">Submit</button>")
    assert ("Read each consent out" in page) == (place == "visit")


def test_what_is_ticked_goes_with_the_filing_and_nothing_else() -> None:
    typed = {"idempotency_key": "k-1", "full_name": "张三", "item_version": "3"}
    rpc, door = signed_in({"cases.get_item": FETCHING, "cases.submit_case": CASE})
    assert door.post(APPLY, data=typed | {"_consent": ["permit", "permit"]}).status_code == 303
    assert door.post(APPLY, data=typed).status_code == 303
    with_consent, without = rpc.of("cases.submit_case")
    assert with_consent[2:] == ("k-1", 3, False, ["permit"])
    assert without[2:] == ("k-1", 3)


def test_a_form_that_is_shown_again_keeps_what_was_ticked_on_it() -> None:
    wrong = InvalidInput([{"pointer": "/form/full_name", "rule": "required", "value": True}])
    _, door = signed_in({"cases.get_item": FETCHING, "cases.submit_case": wrong})
    page = door.post(APPLY, data={"_consent": "permit"}).text
    assert "checked" in page.partition(BOX)[2].partition(">")[0]


@pytest.mark.parametrize("page", ["/account/evidence", "/work/evidence", "/work/evidence/e-1"])
def test_who_is_nobody_signs_in_first(page: str) -> None:
    assert make_door(FakeRpc()).get(page).headers["location"].startswith("/login/start?next=")


def test_ones_own_consents_are_listed_by_pages_and_taken_back() -> None:
    row = EVIDENCE | {
        "id": "e-1",
        "status": "asked",
        "number": "OH-1",
        "item": "residence-permit",
        "item_name": NAME,
        "paper_name": PERMIT,
        "consented_at": "2026-11-01T02:03:04Z",
        "consented_until": "2027-04-30T02:03:04Z",
        "may": ["withdraw"],
    }
    rpc, door = signed_in(
        {
            "cases.list_own_evidence": {"items": [row, row | {"status": "used", "may": []}], "next": "c2"},
            "cases.decide_on_evidence": {},
        }
    )
    page = door.get("/account/evidence?cursor=c1", headers=ENGLISH).text
    assert rpc.of("cases.list_own_evidence") == [("c1", 20)]
    assert 'href="/account/evidence?cursor=c2"' in page
    assert page.count('action="/account/evidence/OH-1/permit"') == 1
    answer = door.post("/account/evidence/OH-1/permit")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/evidence?told=withdrawn")
    assert rpc.of("cases.decide_on_evidence") == [("OH-1", "permit", "withdraw")]
    rpc.answers["cases.decide_on_evidence"] = ActionNotAllowed("withdraw", "used")
    assert door.post("/account/evidence/OH-1/permit").headers["location"] == "/account/evidence?told=too-late"


def test_the_account_and_the_worklist_lead_there() -> None:
    _, door = signed_in({"cases.list_work": {"items": [], "next": None}}, **OFFICER)
    assert 'href="/account/evidence"' in door.get("/account/").text
    assert 'href="/work/evidence"' in door.get("/work").text


def source(answers: dict[str, Any]) -> tuple[FakeRpc, Door]:
    return signed_in({"cases.get_evidence_request": REQUEST} | answers, **OFFICER)


def test_a_sources_worklist_names_the_paper_the_case_and_the_last_day() -> None:
    listed = {name: value for name, value in REQUEST.items() if name not in ("keys", "labels")}
    rpc, door = source({"cases.list_evidence_requests": {"items": [listed], "next": "c2"}})
    page = door.get("/work/evidence?told=answered", headers=ENGLISH).text
    assert 'href="/work/evidence/e-1"' in page
    assert f"Answer due by {say.day('2026-11-04')}" in page
    assert 'href="/work/evidence?cursor=c2"' in page
    assert rpc.of("cases.list_evidence_requests") == [(None, 20)]
    assert "The answer was sent" in page


def test_who_is_no_source_is_refused() -> None:
    _, door = signed_in({"cases.list_evidence_requests": NotPermitted("answer_evidence")})
    assert door.get("/work/evidence").status_code == 403


def test_a_request_shows_what_it_is_found_by_and_is_not_kept() -> None:
    rpc, door = source({})
    answer = door.get("/work/evidence/e-1", headers=ENGLISH)
    assert answer.headers["cache-control"] == "no-store"
    assert "110101189001010011" in answer.text
    assert 'name="field-full_name"' in answer.text
    assert 'name="field-ground"' in answer.text
    assert len(rpc.of("cases.get_evidence_request")) == 1


def test_an_answer_has_the_control_and_the_type_of_each_field_of_the_paper() -> None:
    rpc, door = source({"cases.answer_evidence": {}})
    page = door.get("/work/evidence/e-1", headers=ENGLISH).text
    for wanted in (
        'name="field-rooms" type="text" value="" inputmode="numeric"',
        'name="field-is_let" type="radio" value="true"',
        'name="field-since" type="date"',
        'name="field-uses" type="checkbox" value="b"',
        'name="field-ground" type="radio" value="home"',
    ):
        assert wanted in page
    typed = {"rooms": "3", "rent": "12.5", "is_let": "false", "since": "2026-02-03", "uses": ["a", "b"]}
    answer = {f"field-{name}": value for name, value in typed.items()} | {"number": "OH-1", "result": "provided"}
    assert door.post("/work/evidence/e-1", data=answer).status_code == 303
    door.post("/work/evidence/e-1", data=answer | {"field-rooms": "three", "field-rent": "a lot"})
    said = {"rooms": 3, "rent": 12.5, "is_let": False, "since": "2026-02-03", "uses": ["a", "b"]}
    wrong = said | {"rooms": "three", "rent": "a lot"}
    assert [call[1]["fields"] for call in rpc.of("cases.answer_evidence")] == [said, wrong]


def test_an_answer_says_what_was_filled_in() -> None:
    rpc, door = source({"cases.answer_evidence": {}})
    typed = {"number": "OH-1", "result": "provided", "field-full_name": " 张三 ", "field-ground": "", "reason": ""}
    answer = door.post("/work/evidence/e-1", data=typed | {"valid_until": "2027-03-01", "other": "x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/work/evidence?told=answered")
    said = {"number": "OH-1", "result": "provided", "valid_until": "2027-03-01", "fields": {"full_name": "张三"}}
    assert rpc.of("cases.answer_evidence") == [("e-1", said)]


@pytest.mark.parametrize(
    ("pointer", "rule", "field"),
    [
        ("/result", "enum", "result"),
        ("/fields", "minProperties", "field-full_name"),
        ("/fields", "evidence.not-provided", "result"),
        ("/fields/ground", "enum", "field-ground"),
        ("/valid_until", "future", "valid_until"),
        ("/reason", "required", "reason"),
        ("/asked_at", "evidence.asked-anew", "result"),
    ],
)
def test_a_fault_stands_at_its_field_and_nothing_typed_is_lost(pointer: str, rule: str, field: str) -> None:
    rpc, door = source({"cases.answer_evidence": InvalidInput([{"pointer": pointer, "rule": rule, "value": 1}])})
    typed = {"number": "OH-1", "field-full_name": "李四", "reason": "Come by", "valid_until": "2020-01-01"}
    answer = door.post("/work/evidence/e-1", data=typed)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-fault"' in answer.text
    assert 'value="李四"' in answer.text
    assert "Come by" in answer.text
    assert [name for name, _, _ in rpc.calls if name.startswith("cases.")] == [
        "cases.get_evidence_request",
        "cases.answer_evidence",
    ]


@pytest.mark.parametrize("error", [ActionNotAllowed("answer", "wanted"), NotPermitted("answer")])
def test_who_comes_too_late_is_told_so(error: Exception) -> None:
    over = REQUEST | {"status": "wanted", "keys": {}, "due_at": None}
    _, door = source({"cases.answer_evidence": error, "cases.get_evidence_request": over})
    answer = door.post("/work/evidence/e-1", data={"number": "OH-1", "result": "not-found"}, headers=ENGLISH)
    assert answer.status_code == 409
    assert "taken back or has ended" in answer.text
    assert "<form" not in answer.text.partition("<main")[2]


def test_a_paper_without_set_fields_is_provided_over_the_api() -> None:
    _, door = source({"cases.get_evidence_request": REQUEST | {"labels": {}, "form": None}})
    page = door.get("/work/evidence/e-1", headers=ENGLISH).text
    assert "over the API" in page
    assert 'value="not-found"' in page
    assert 'value="provided"' not in page
    assert "Citizen identity number" in page


CHECK = {
    "fields": [
        {"field": "full_name", "title": NAME, "values": {}, "outcome": "differs", "said": "李四", "found": "张三"},
        {"field": "since", "title": NAME, "values": {}, "outcome": "same", "said": "2026", "found": "2026"},
    ],
    "differs": True,
    "reason": None,
}


def test_a_field_that_differs_can_be_put_right_from_the_preview_with_the_version_that_was_read() -> None:
    shown = {"fields": {"full_name": "张三"}, "labels": LABELS, "check": CHECK}
    page = case_page("provided", may=["use", "correct"], **shown)
    assert 'form="evidence-form-permit" name="correct" value="full_name"' in page
    assert 'name="correct" value="since"' not in page
    assert f'name="_version" value="{CASE["sequence"]}"' in page
    assert 'name="correct"' not in case_page("provided", may=["use"], **shown)
    rpc, door = signed_in({"cases.correct_by_evidence": {}})
    answer = door.post("/cases/OH-1/evidence/permit", data={"correct": "full_name", "_version": "7"})
    told = "/cases/OH-1?evidence=permit&told=corrected"
    assert answer.headers["location"] == f"{told}#evidence-permit"
    file = {"case": CASE | {"applicant": "sub-1"}, "history": HISTORY, "item": FETCHING, "actions": []}
    rpc.answers["cases.get_case_file"] = file | {"evidence": [EVIDENCE | {"status": "provided", "may": ["use"]}]}
    assert "Your form was put right by the evidence" in door.get(told, headers=ENGLISH).text
    assert rpc.of("cases.correct_by_evidence") == [("OH-1", "permit", ["full_name"], [7])]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (CaseChanged("OH-1", 8), "changed"),
        (ActionNotAllowed("correct", "closed"), "too-late"),
        (InvalidInput([{"pointer": "/form/full_name", "rule": "maxLength", "value": 60}]), "unfit"),
    ],
)
def test_a_form_that_is_not_put_right_is_told_why(error: Exception, fault: str) -> None:
    _, door = signed_in({"cases.correct_by_evidence": error})
    answer = door.post("/cases/OH-1/evidence/permit", data={"correct": "full_name", "_version": "7"})
    assert answer.headers["location"] == f"/cases/OH-1?evidence=permit&fault={fault}#evidence-permit"
