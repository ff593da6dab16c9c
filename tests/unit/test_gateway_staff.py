"""The pages of operators and auditors, and a citizen's report of a look: what they show, pass on, and refuse."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InvalidInput, NotFound, NotPermitted, SignInTooOld, TooManyAttempts, UsernameTaken
from tests.unit.gateway_fakes import BASE, Door, FakeRpc, make_door, web_session

ID = "0b8a4c1e-6f0e-4c58-9c1c-0b5d5f3f8f10"
AT = "2026-11-01T02:03:04Z"
PAGE = {"Accept": "text/html", "Accept-Language": "en"}
POSTED = PAGE | {"Origin": BASE}
MEMBER: dict[str, Any] = {
    "subject": ID,
    "username": "wang",
    "name": "<b>王五</b>",
    "assurance": 2,
    "roles": ["clerk", "officer"],
    "department": "civil-affairs",
    "hall": "civic-centre",
    "registered_at": AT,
    "disabled_at": None,
    "sessions": 1,
    "last_sign_in": AT,
    "is_own": False,
}
STATE = {"state": "open", "reported_at": AT, "due_at": AT, "answered_at": None}
REPORT: dict[str, Any] = STATE | {
    "id": ID,
    "at": AT,
    "what": "case",
    "role": "officer",
    "department": "civil-affairs",
    "is_late": True,
}
WHOLE = REPORT | {
    "account": "sub-2",
    "viewer": "sub-3",
    "viewer_name": "dan",
    "client_id": "web",
    "channel": "web",
    "number": "OH-1",
    "purpose": "handling",
    "hall": None,
    "detail": None,
    "may_answer": True,
    "reason": "<script>I know nobody there</script>",
    "answer": None,
}
CHANGE = {
    "at": AT,
    "account": "wang",
    "by": "root",
    "channel": "web",
    "detail": "granted clerk,officer civil-affairs -",
}
CHAIN = {
    "end": "12:" + "ab" * 32,
    "kept": 10,
    "unsealed": 0,
    "fault": None,
    "cut": {"before": AT, "count": 2},
    "checked": {"at": AT, "position": 12, "fault": None},
}
OVERVIEW = {
    "chain": CHAIN,
    "changes": {"items": [CHANGE], "next": None},
    "reports": {"items": [REPORT], "next": None},
}
ENTRY = {
    "id": ID,
    "at": AT,
    "role": "officer",
    "name": None,
    "department": "civil-affairs",
    "channel": "web",
    "client": "web",
    "client_id": "web",
    "what": "case",
    "number": "OH-1",
    "purpose": "handling",
    "hall": None,
    "detail": None,
}
ANSWERED = STATE | {
    "state": "answered",
    "answered_at": AT,
    "reason": "I know nobody there",
    "answer": "It was an error",
}
OPERATOR = {
    "identity.list_staff": {"items": [MEMBER], "next": "wang"},
    "identity.get_staff_member": MEMBER,
    "identity.get_operator": None,
    "identity.add_staff_member": "the-code",
    "identity.find_staff_member": ID,
    "identity.grant_role": None,
    "identity.revoke_role": None,
    "identity.disable_account": None,
    "identity.enable_account": None,
    "identity.reset_factors": None,
}
AUDITOR = {
    "identity.get_audit_overview": OVERVIEW,
    "identity.list_staff_changes": OVERVIEW["changes"],
    "identity.list_look_reports": OVERVIEW["reports"],
    "identity.get_look_report": WHOLE,
    "identity.answer_look_report": None,
}
CITIZEN = {
    "identity.list_access_log": {"items": [ENTRY, ENTRY | {"report": ANSWERED}], "next": None},
    "identity.report_look": None,
}


def at(role: str | None, **answers: Any) -> tuple[FakeRpc, Door]:
    named = {f"identity.{name}": answer for name, answer in answers.items()}
    session = web_session(roles=[role] if role else [])
    everything = {"identity.get_web_session": session, "cases.list_items": {"items": [], "next": None}}
    rpc = FakeRpc(everything | OPERATOR | AUDITOR | CITIZEN | named)
    door = make_door(rpc)
    door.cookies.set("onehall_web", "web-1")
    door.cookies.set("onehall_session", "s-1")
    return rpc, door


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
@pytest.mark.parametrize(
    ("role", "address"),
    [
        ("operator", "/operator/staff"),
        ("operator", "/operator/staff/new"),
        ("operator", f"/operator/staff/{ID}"),
        ("auditor", "/auditor/"),
        ("auditor", "/auditor/staff"),
        ("auditor", "/auditor/reports"),
        ("auditor", "/auditor/reports?state=answered"),
        ("auditor", f"/auditor/reports/{ID}"),
        (None, "/account/access-log"),
        (None, f"/account/access-log/{ID}/report"),
    ],
)
def test_every_page_is_shown_in_every_language_and_nothing_of_it_is_markup(role, address, language):
    _, door = at(role)
    response = door.get(address, headers={"Accept": "text/html", "Accept-Language": language})
    assert response.status_code == 200
    assert "<b>王五" not in response.text
    assert "<script>I know" not in response.text


@pytest.mark.parametrize(
    ("address", "form", "call", "arguments"),
    [
        ("grant", {"roles": ["clerk"], "hall": " civic-centre "}, "grant_role", (["clerk"], None, "civic-centre")),
        ("revoke", {"roles": ["officer"]}, "revoke_role", (["officer"],)),
        ("disable", {}, "disable_account", ()),
        ("enable", {}, "enable_account", ()),
        ("reset-factors", {}, "reset_factors", ()),
    ],
)
def test_a_change_is_made_by_this_browsers_session(address, form, call, arguments):
    rpc, door = at("operator")
    response = door.post(f"/operator/staff/{ID}/{address}", data=form, headers=POSTED)
    assert (response.status_code, response.headers["location"]) == (303, f"/operator/staff/{ID}?done=1")
    assert rpc.of(f"identity.{call}") == [("s-1", ID, *arguments)]


def test_what_is_no_change_is_not_found():
    rpc, door = at("operator")
    assert door.post(f"/operator/staff/{ID}/delete", headers=POSTED).status_code == 404
    assert not [name for name, _, _ in rpc.calls if name.startswith("identity.") and "staff" in name]


def test_an_old_sign_in_is_asked_for_anew_before_anything_is_typed():
    _, door = at("operator", get_staff_member=SignInTooOld(), get_operator=SignInTooOld())
    for address in (f"/operator/staff/{ID}", "/operator/staff/new"):
        response = door.get(address, headers=PAGE)
        assert response.status_code == 303
        assert "fresh=true" in response.headers["location"]


def test_a_fault_stands_at_the_field_of_its_form():
    fault = InvalidInput([{"pointer": "/roles", "rule": "alone", "value": "auditor"}])
    _, door = at("operator", grant_role=fault)
    response = door.post(f"/operator/staff/{ID}/grant", data={"roles": ["auditor"]}, headers=POSTED)
    assert response.status_code == 422
    assert 'href="#grant-roles"' in response.text
    assert 'id="grant-roles-fault"' in response.text


def test_a_fault_names_roles_as_people_do():
    fault = InvalidInput([{"pointer": "/roles", "rule": "needsRole", "value": ["officer"]}])
    _, door = at("operator", grant_role=fault)
    posted = POSTED | {"Accept-Language": "zh-Hans"}
    page = door.post(f"/operator/staff/{ID}/grant", data={"roles": ["supervisor"]}, headers=posted).text
    assert "审批人员。" in page
    assert "主管人员" in page


def test_the_link_of_a_new_member_is_on_the_page_and_in_no_address():
    rpc, door = at("operator")
    form = {"username": "wang", "name": "王五", "email": "w@example.org", "roles": ["clerk"], "hall": "h"}
    response = door.post("/operator/staff/new", data=form, headers=POSTED)
    assert response.status_code == 200
    assert f"{BASE}/recover/link/the-code" in response.text
    assert rpc.of("identity.add_staff_member") == [("s-1", form | {"department": ""})]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsernameTaken("wang"), 409),
        (TooManyAttempts(60), 429),
        (InvalidInput([{"pointer": "/email", "rule": "format", "value": "email"}]), 422),
    ],
)
def test_what_is_refused_keeps_what_was_typed(error, status):
    _, door = at("operator", add_staff_member=error)
    response = door.post("/operator/staff/new", data={"username": "wang", "name": "王五"}, headers=POSTED)
    assert response.status_code == status
    assert 'value="王五"' in response.text


def test_an_account_is_found_by_a_name_that_is_in_no_address():
    _, door = at("operator")
    response = door.post("/operator/staff/find", data={"username": "wang"}, headers=POSTED)
    assert response.headers["location"] == f"/operator/staff/{ID}"
    _, door = at("operator", find_staff_member=NotFound("account"))
    assert door.post("/operator/staff/find", data={"username": "nobody"}, headers=POSTED).status_code == 404


@pytest.mark.parametrize("address", ["/operator/staff", f"/operator/staff/{ID}", "/auditor/", "/auditor/reports"])
def test_the_service_says_who_may(address):
    refused = dict.fromkeys(("list_staff", "get_staff_member", "get_audit_overview", "list_look_reports"))
    _, door = at(None, **{name: NotPermitted("x") for name in refused})
    assert door.get(address, headers=PAGE).status_code == 403


@pytest.mark.parametrize("address", ["/operator/staff", "/auditor/", f"/account/access-log/{ID}/report"])
def test_who_is_not_signed_in_signs_in_first(address):
    door = make_door(FakeRpc({}))
    assert "/login/start" in door.get(address, headers=PAGE).headers["location"]


def test_a_chain_that_is_broken_is_said_to_be():
    broken = OVERVIEW | {"chain": CHAIN | {"checked": {"at": AT, "position": 3, "fault": "entry 3 is missing"}}}
    _, door = at("auditor", get_audit_overview=broken)
    text = door.get("/auditor/", headers=PAGE).text
    assert "entry 3 is missing" in text
    assert "Broken" in text


def test_a_report_is_sent_and_answered():
    rpc, door = at(None)
    response = door.post(f"/account/access-log/{ID}/report", data={"reason": " I know nobody "}, headers=POSTED)
    assert response.status_code == 303
    assert rpc.of("identity.report_look") == [(ID, "I know nobody")]
    rpc, door = at("auditor")
    response = door.post(f"/auditor/reports/{ID}", data={"answer": "It was an error."}, headers=POSTED)
    assert response.status_code == 303
    assert rpc.of("identity.answer_look_report") == [(ID, "It was an error.")]


@pytest.mark.parametrize(
    ("error", "status"),
    [(InvalidInput([{"pointer": "/reason", "rule": "minLength", "value": 10}]), 422), (TooManyAttempts(7200), 429)],
)
def test_a_report_that_is_refused_keeps_what_was_typed(error, status):
    _, door = at(None, report_look=error)
    response = door.post(f"/account/access-log/{ID}/report", data={"reason": "short"}, headers=POSTED)
    assert response.status_code == status
    assert ">short</textarea>" in response.text
