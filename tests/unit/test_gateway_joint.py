"""The page of a joint case: each part with where it is, and what its applicant may do."""

from __future__ import annotations

from typing import Any

from contracts.errors import ActionNotAllowed, InvalidInput, NotFiledHere
from gateway.pages.case_lists import groups_of
from tests.unit.gateway_fakes import CASE, ITEM, NAME, web_session
from tests.unit.test_gateway_pages import signed_in

PART = {
    "item": "residence-permit",
    "item_name": NAME,
    "department": "civil-affairs",
    "department_name": None,
    "number": "OH-2",
    "state": "correction_requested",
    "status": "correction_requested",
    "decision": None,
    "because": [],
    "needs": [],
    "result": NAME,
    "can_withdraw": True,
    "can_correct": False,
    "due": None,
    "answer_by": "2026-12-01",
    "delivered_by": None,
    "updated_at": "2026-11-01T02:03:04+00:00",
}
HELD = PART | {
    "item": "card",
    "item_name": {"zh-Hans": "卡", "zh-Hant": "卡", "en": "Card"},
    "number": None,
    "state": "not_begun",
    "because": ["residence-permit"],
    "can_correct": True,
    "answer_by": None,
    "before": [
        {
            "event": "part.corrected",
            "at": "2026-11-01T03:03:04+00:00",
            "actor": "clerk",
            "channel": "hall",
            "note": None,
        }
    ],
}
JOINT: dict[str, Any] = {
    "number": "OH-1",
    "item": "birth",
    "item_name": {"zh-Hans": "出生", "zh-Hant": "出生", "en": "Birth"},
    "applicant": web_session().get("subject", ""),
    "channel": "web",
    "submitted_at": "2026-11-01T02:03:04+00:00",
    "is_open": True,
    "parts": [PART, HELD],
    "history": [],
    "differing": [{"field": "name", "title": {"en": "Name", "zh-Hans": "名", "zh-Hant": "名"}, "parts": ["card"]}],
    "actions": ["withdraw"],
}
EN = {"Accept-Language": "en"}


def test_each_part_says_where_it_is_and_why_it_has_not_begun() -> None:
    _, door = signed_in({"cases.get_joint_case": JOINT})
    page = door.get("/joint/OH-1", headers=EN).text
    assert "Correction needed" in page
    assert "Not begun, because what it needs was not approved: Residence permit." in page
    assert 'href="/cases/OH-2"' in page
    assert "Part corrected before it began" in page, "also by whom and where"
    assert "The parts do not say the same" in page


def test_what_several_parts_ask_for_is_handed_in_on_its_page() -> None:
    asked = {"code": "cards", "types": ["pdf"], "most": 4, "files": []}
    parts = [{"item": "residence-permit", "item_name": NAME}, {"item": "card", "item_name": HELD["item_name"]}]
    described = {"code": "cards", "name": NAME, "required": True, "source": "applicant", "items": parts}
    missing = {"missing": ["cards"], "may_follow": [], "until_acceptance": ["cards"]}
    documents = {"documents": {"asked": [asked], **missing}, "asked_documents": [described]}
    whole = JOINT | documents | {"parts": [PART | {"answer_by": None}, HELD]}
    _, door = signed_in({"cases.get_joint_case": whole})
    page = door.get("/joint/OH-1", headers=EN).text
    assert "For: Residence permit, Card" in page
    assert "Documents are still to be handed in." in page
    assert "There is nothing for you to do now." not in page
    assert 'action="/joint/OH-1/documents/cards"' in page


def test_a_refused_part_says_why_and_what_another_department_has_is_not_opened() -> None:
    seen = {"state": "refused", "answer_by": None, "reason": "insured already", "can_open": True, "has_result": True}
    other = PART | {"item": "other", "number": "OH-3", "state": "approved", "answer_by": None, "can_open": False}
    _, door = signed_in({"cases.get_joint_case": JOINT | {"parts": [PART | seen, other, HELD]}})
    page = door.get("/joint/OH-1", headers=EN).text
    assert "insured already" in page
    assert 'href="/cases/OH-2/result"' in page
    assert "/cases/OH-3" not in page


def test_one_part_is_withdrawn_or_all() -> None:
    rpc, door = signed_in({"cases.get_joint_case": JOINT, "cases.act_on_joint_case": JOINT})
    door.post("/joint/OH-1/withdraw", data={"part": "card"})
    door.post("/joint/OH-1/withdraw", data={"part": ""})
    assert rpc.of("cases.act_on_joint_case") == [("OH-1", "withdraw", "card"), ("OH-1", "withdraw", None)]


def test_what_has_begun_meanwhile_is_said() -> None:
    answers = {
        "cases.get_joint_case": JOINT,
        "cases.get_joint_part": {"item": ITEM, "form": {"full_name": "张三"}},
        "cases.act_on_joint_case": ActionNotAllowed("correct", "submitted"),
    }
    _, door = signed_in(answers)
    assert 'value="张三"' in door.get("/joint/OH-1/parts/residence-permit/correct").text
    page = door.post("/joint/OH-1/parts/residence-permit/correct", data={"full_name": "李四"}, headers=EN)
    assert page.status_code == 409
    assert "This part has begun meanwhile" in page.text


def test_a_wrong_form_of_a_part_comes_back_with_its_faults() -> None:
    fault = {"pointer": "/form/full_name", "rule": "required", "value": True}
    answers = {
        "cases.get_joint_part": {"item": ITEM, "form": {}},
        "cases.act_on_joint_case": InvalidInput([fault]),
    }
    _, door = signed_in(answers)
    page = door.post("/joint/OH-1/parts/residence-permit/correct", data={"ground": "home"}, headers=EN)
    assert page.status_code == 422
    assert "Full name: This is needed." in page.text


def test_a_joint_form_is_filed_as_one() -> None:
    joint = ITEM | {"code": "birth", "parts": [{"item": "residence-permit", "fields": {"full_name": "full_name"}}]}
    rpc, door = signed_in({"cases.get_item": joint, "cases.submit_joint_case": JOINT})
    form = {"full_name": "张三", "ground": "home", "idempotency_key": "k-1"}
    answer = door.post("/items/birth/apply", data=form)
    assert answer.headers["location"] == "/joint/OH-1?submitted=1"
    filled = {"full_name": "张三", "ground": "home"}
    assert rpc.of("cases.submit_joint_case") == [("birth", filled, "k-1")]
    door.post("/items/birth/apply", data=form | {"_consent": "permit", "item_version": "2"})
    assert rpc.of("cases.submit_joint_case")[1:] == [("birth", filled, "k-1", 2, False, None, ["permit"])]


def test_what_is_not_filed_at_this_counter_says_where_to_go() -> None:
    name = {"zh-Hans": "广安区", "zh-Hant": "廣安區", "en": "Guang'an"}
    refusal = NotFiledHere(
        "residence-permit", "civil-affairs", "511602", name, [{"en": "Civic Centre", "zh-Hans": "市民"}]
    )
    _, door = signed_in({"cases.submit_case": refusal})
    page = door.post("/items/residence-permit/apply", data={"full_name": "张三", "ground": "home"}, headers=EN)
    assert page.status_code == 409
    assert "Civic Centre" in page.text


def test_parts_stand_together_in_the_list() -> None:
    joint = {"number": "OH-1", "item_name": NAME}
    first, other, second = CASE | {"joint_case": joint}, CASE | {"joint_case": None}, CASE | {"joint_case": joint}
    groups = groups_of([first, other, second])
    assert [(group["joint"], len(group["cases"])) for group in groups] == [(joint, 2), (None, 1)]
