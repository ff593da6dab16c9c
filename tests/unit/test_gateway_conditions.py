"""Questions that are asked on a condition: shown when the answers call for them, with scripts and without."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InvalidInput
from gateway.languages import CATALOGUES
from gateway.pages.form_conditions import asked, required
from gateway.pages.forms import ASKED, FilledForm
from services.cases import forms
from services.cases.catalogue.files import shipped
from tests.unit.gateway_fakes import CASE, FakeRpc, make_door, web_session

EN = CATALOGUES["en"]
ITEM = shipped().get("elderly-card").description
EXAMPLE = ITEM["example"]
FORM = ITEM["form"]


def door_to(answers: dict[str, Any]) -> tuple[FakeRpc, Any]:
    rpc = FakeRpc(
        {
            "identity.get_web_session": web_session(),
            "cases.get_item": ITEM,
            "cases.list_drafts": {"items": [], "next": None},
            "cases.submit_case": CASE,
            **answers,
        }
    )
    door = make_door(rpc)
    door.cookies.set("onehall_web", "w-1")
    return rpc, door


def typed(**changes: Any) -> dict[str, Any]:
    answers = {name: value for name, value in EXAMPLE.items() if name not in ("postal_code", "lives_alone")}
    return {**answers, **changes}


def fields_of(form: FilledForm) -> dict[str, Any]:
    return {field.name: field for section in form.sections for field in section.fields}


def test_a_question_is_hidden_until_it_is_asked() -> None:
    _, door = door_to({})
    page = door.get("/items/elderly-card/apply?lang=en").text
    assert 'data-show-if="{&#34;delivery&#34;: [&#34;post&#34;]}" hidden disabled' in page
    assert "/static/conditions.js" in page
    assert fields_of(FilledForm.filled(ITEM, EXAMPLE, EN))["postal_code"].is_asked


def test_without_scripts_the_page_comes_back_with_what_it_did_not_ask() -> None:
    rpc, door = door_to({})
    page = door.post("/items/elderly-card/apply?lang=en", data=typed(delivery="post", idempotency_key="k-1"))
    assert page.status_code == 200
    assert "A few more questions" in page.text
    assert '<a class="govuk-link" href="#postal_code">Postal code</a>' in page.text
    assert "hidden disabled" not in page.text
    assert 'value="k-1"' in page.text
    assert rpc.of("cases.submit_case") == []


@pytest.mark.parametrize("shown", [{"postal_code": "638000"}, {"postal_code": "", ASKED: "postal_code"}])
def test_what_was_asked_is_sent_whether_answered_or_not(shown: dict[str, str]) -> None:
    rpc, door = door_to({})
    assert door.post("/items/elderly-card/apply", data=typed(delivery="post", **shown)).status_code == 303
    ((_, form, *_),) = rpc.of("cases.submit_case")
    assert form.get("postal_code", "") == shown["postal_code"]


def test_an_answer_that_is_no_longer_asked_for_is_not_sent() -> None:
    rpc, door = door_to({})
    posted = typed(delivery="hall", postal_code="638000")
    assert door.post("/items/elderly-card/apply", data=posted).status_code == 303
    ((_, form, *_),) = rpc.of("cases.submit_case")
    assert "postal_code" not in form


def test_a_correction_asks_for_more_too() -> None:
    case = CASE | {"form": typed(delivery="hall"), "item": "elderly-card"}
    file = {"case": case, "history": [], "item": ITEM, "actions": ["correct"]}
    rpc, door = door_to({"cases.get_case_file": file, "cases.act_on_case": CASE})
    page = door.post("/cases/OH-1/correct", data=typed(delivery="post"))
    assert page.status_code == 200
    assert rpc.of("cases.act_on_case") == []
    assert door.post("/cases/OH-1/correct", data=typed(delivery="post", postal_code="638000")).status_code == 303


def test_a_draft_keeps_what_its_script_sends() -> None:
    """It sends only what was changed, so nothing says whether the question is asked."""
    saved = {"revision": 1, "updated_at": "2026-11-01T02:03:04+00:00", "conflicts": [], "changed": {}}
    rpc, door = door_to({"cases.save_draft": saved})
    posted = {"item": "elderly-card", "item_version": str(ITEM["version"]), "changed": "postal_code", "base": "0"}
    door.post("/drafts/k-1", data=posted | {"postal_code": "638000"}, headers={"Accept": "application/json"})
    assert rpc.of("cases.save_draft") == [("k-1", "elderly-card", {"postal_code": "638000"}, 0)]


def test_what_is_needed_follows_from_the_answers() -> None:
    assert "postal_code" in required(FORM, {"delivery": "post"})
    birth = shipped().get("birth-registration").description["form"]
    assert "father_name" in required(birth, {"register_with": "father"})
    assert "father_name" not in required(birth, {"register_with": "mother"})
    form = {"required": ["a"], "properties": {}, "if": {"required": ["b"]}, "else": {"required": ["c"]}}
    assert required(form, {}) == {"a", "c"}


def test_a_question_may_hang_on_another() -> None:
    form = {
        "properties": {
            "a": {"type": "boolean"},
            "b": {"type": "string", "x-show-if": {"a": [True]}},
            "c": {"type": "string", "x-show-if": {"b": ["yes"]}},
        }
    }
    assert asked(form, {}) == {"a"}
    assert asked(form, {"a": True, "b": "yes"}) == {"a", "b", "c"}
    assert asked(form, {"a": False, "b": "yes"}) == {"a"}


def test_a_reader_sees_no_answer_that_was_not_asked() -> None:
    form = FilledForm.filled(ITEM, typed(delivery="hall", postal_code="1"), EN)
    labels = [label for _, answers in form.shown(masked=False) for label, _ in answers]
    assert "Postal code" not in labels
    assert "How to receive the card" in labels


@pytest.mark.parametrize("item", shipped().all(), ids=lambda item: item.code)
def test_cases_refuses_what_is_not_asked_for(item: Any) -> None:
    form = item.description["form"]
    for name, field in form["properties"].items():
        for other, values in field.get("x-show-if", {}).items():
            choice = next(each for each in form["properties"][other].get("enum", [True, False]) if each not in values)
            example = {**item.description["example"], other: choice}
            example[name] = "2026-01-01" if field.get("format") == "date" else "638000"
            with pytest.raises(InvalidInput) as refused:
                forms.require_valid(example, item.validator)
            assert {"pointer": f"/form/{name}", "rule": forms.NOT_ASKED, "value": False} in refused.value.faults
            while (kept := _asked_of(form, example)) != example:
                example = kept
            forms.require_valid(example, item.validator)


def _asked_of(form: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    properties = form["properties"]
    return {name: value for name, value in example.items() if forms.is_asked(properties[name], example)}


def test_one_is_not_true() -> None:
    assert not forms.is_asked({"x-show-if": {"a": [True]}}, {"a": 1})
    assert forms.is_asked({"x-show-if": {"a": [True]}}, {"a": True})
    assert not forms.is_asked({"x-show-if": {"a": [True]}}, {})
