"""The pages: what they show, in which language, and what their forms send."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actors import Mandate
from contracts.errors import (
    ActionNotAllowed,
    CaseAlreadyRated,
    InvalidInput,
    NotFound,
    NotPermitted,
    ServiceUnavailable,
    SessionEnded,
    SignInRefused,
)
from gateway.limits import MAX_COMMENT, MAX_NOTE
from services.cases import forms
from services.rating import domain
from tests.unit.gateway_fakes import CASE, HISTORY, ITEM, NAME, Door, FakeRpc, make_door, make_token, web_session

CLOSED = CASE | {"status": "closed", "decision": "approved"}
FILE = {"case": CASE, "history": HISTORY, "item": ITEM, "actions": ["withdraw"]}
EMPTY: dict[str, Any] = {"items": [], "next": None}
BROWSER = {"Accept": "text/html"}


def signed_in(answers: dict[str, Any], **claims: Any) -> tuple[FakeRpc, Door]:
    rpc = FakeRpc({"identity.get_web_session": web_session(**claims), "cases.get_item": ITEM, **answers})
    door = make_door(rpc)
    door.cookies.set("onehall_web", "w-1")
    return rpc, door


@pytest.mark.parametrize(
    "page",
    [
        "/cases",
        "/cases/OH-1",
        "/inbox",
        "/items/residence-permit/apply",
        "/department/",
        "/account/",
        "/account/access-log",
        "/account/mandates",
        "/account/mandates/new",
    ],
)
def test_a_page_of_ones_own_asks_to_sign_in_and_comes_back(page: str) -> None:
    response = make_door(FakeRpc({"cases.get_item": ITEM})).get(page)
    assert response.status_code == 303
    assert response.headers["location"] == f"/login/start?next={page.replace('/', '%2F')}"


def test_a_session_that_is_over_asks_to_sign_in() -> None:
    _, door = signed_in({"identity.get_web_session": SessionEnded()})
    assert door.get("/cases").headers["location"].startswith("/login/start")


def test_a_token_that_ran_out_is_asked_for_again() -> None:
    sessions = [web_session(exp=1), web_session()]
    rpc, door = signed_in({"identity.get_web_session": lambda _: sessions.pop(0), "cases.list_cases": EMPTY})
    assert door.get("/cases").status_code == 200
    assert len(rpc.of("identity.get_web_session")) == 2


def test_the_session_is_asked_for_once_in_half_a_minute() -> None:
    rpc, door = signed_in({"cases.list_cases": EMPTY})
    for _ in range(3):
        assert door.get("/cases").status_code == 200
    assert len(rpc.of("identity.get_web_session")) == 1


@pytest.mark.parametrize(("language", "word"), [("zh-Hans", "首页"), ("zh-Hant", "首頁"), ("en", "Home")])
def test_the_language_is_chosen_once(language: str, word: str) -> None:
    door = make_door(FakeRpc({"cases.list_items": {"items": [ITEM], "next": None}}))
    for address in (f"/?lang={language}", "/"):
        page = door.get(address, headers={"Accept-Language": "fr"})
        assert f'<html lang="{language}"' in page.text
        assert word in page.text
    assert ITEM["name"][language] in page.text


def test_the_accounts_language_comes_before_the_browsers() -> None:
    session = web_session() | {"locale": "zh-Hant"}
    _, door = signed_in({"identity.get_web_session": session, "cases.list_cases": EMPTY})
    assert '<html lang="zh-Hant"' in door.get("/cases", headers={"Accept-Language": "en"}).text


def test_home_shows_the_latest_cases_with_two_calls() -> None:
    rpc, door = signed_in({"cases.list_items": EMPTY, "cases.list_cases": {"items": [CASE], "next": None}})
    door.get("/")
    before = len(rpc.calls)
    assert "OH-1" in door.get("/").text
    assert len(rpc.calls) - before <= 2


def test_a_form_is_sent_as_its_schema_wants_it() -> None:
    rpc, door = signed_in({"cases.submit_case": CASE})
    posted = {
        "full_name": " 张三 ",
        "ground": "home",
        "people": "3",
        "alone": "false",
        "since": "",
        "odd": "1",
        "idempotency_key": "k-1",
    }
    response = door.post("/items/residence-permit/apply", data=posted)
    assert (response.status_code, response.headers["location"]) == (303, "/cases/OH-1?submitted=1")
    form = {"full_name": "张三", "ground": "home", "people": 3, "alone": False}
    assert rpc.of("cases.submit_case") == [("residence-permit", form, "k-1")]


@pytest.mark.parametrize("key", ["", "  ", "\xa0", "\u2003"])
def test_a_form_without_a_key_gets_one(key: str) -> None:
    rpc, door = signed_in({"cases.submit_case": CASE})
    door.post("/items/residence-permit/apply", data={"idempotency_key": key})
    ((_, _, sent),) = rpc.of("cases.submit_case")
    assert len(sent) == 36


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("multipart/form-data; boundary=b", 401),
        ("multipart/form-data; boundary=b; charset=UTF-8", 401),
        ("multipart/form-data; boundary=b; charset=utf-7", 415),
        ("multipart/form-data; boundary=b; charset=unicode_escape", 415),
        ("multipart/form-data; boundary=b; charset=none-such", 415),
        ("application/x-www-form-urlencoded; charset=utf-16", 415),
    ],
)
def test_forms_are_utf8(kind: str, status: int) -> None:
    rpc = FakeRpc({"identity.sign_in": SignInRefused()})
    body = b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\n\\ud800\r\n--b--\r\n'
    response = make_door(rpc).post("/login", content=body, headers={"Content-Type": kind})
    assert response.status_code == status
    assert len(rpc.calls) == (status == 401)


def test_a_wrong_form_comes_back_with_its_values_and_every_fault() -> None:
    faults = [
        {"pointer": "/form/full_name", "rule": "required", "value": True},
        {"pointer": "/form/people", "rule": "type", "value": "integer"},
        {"pointer": "/form", "rule": "odd", "value": None},
    ]
    _, door = signed_in({"cases.submit_case": InvalidInput(faults)})
    page = door.post(
        "/items/residence-permit/apply",
        data={"people": '"><script>', "ground": "home", "idempotency_key": "k-1"},
        headers={"Accept-Language": "en"},
    )
    assert page.status_code == 422
    assert '<a href="#full_name">Full name: This is needed.</a>' in page.text
    assert "Enter a whole number." in page.text
    assert "This is not right." in page.text
    assert 'value="&#34;&gt;&lt;script&gt;"' in page.text
    assert 'value="home" checked' in page.text
    assert 'value="k-1"' in page.text


def test_a_case_shows_its_history_and_what_may_be_done() -> None:
    _, door = signed_in({"cases.get_case_file": FILE})
    page = door.get("/cases/OH-1", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "Submitted" in page.text
    assert 'name="action" value="withdraw"' in page.text
    assert "/cases/OH-1/rating" not in page.text


def test_an_officer_sees_the_actions_with_a_note() -> None:
    file = FILE | {"actions": ["approve", "refuse"]}
    rpc, door = signed_in({"cases.get_case_file": file, "cases.act_on_case": CASE}, roles=["officer"])
    assert 'id="note"' in door.get("/cases/OH-1").text
    assert door.post("/cases/OH-1/actions", data={"action": "refuse", "note": "no"}).status_code == 303
    assert rpc.of("cases.act_on_case") == [("OH-1", "refuse", "no", None)]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"pointer": "/note", "rule": "required", "value": True}, "Enter a note."),
        ({"pointer": "/note", "rule": "maxLength", "value": 2_000}, "Enter at most 2000 characters."),
        ({"pointer": "/action", "rule": "enum", "value": ["accept"]}, "Choose one of the given answers."),
    ],
)
def test_a_refused_note_comes_back_with_what_is_wrong(fault: Any, words: str) -> None:
    file = FILE | {"actions": ["refuse"]}
    _, door = signed_in({"cases.get_case_file": file, "cases.act_on_case": InvalidInput([fault])}, roles=["officer"])
    note = "写" * 2_001
    page = door.post("/cases/OH-1/actions", data={"action": "refuse", "note": note}, headers={"Accept-Language": "en"})
    assert page.status_code == 422
    assert f'<a href="#note">{words}</a>' in page.text
    assert 'aria-describedby="note-hint note-fault"' in page.text
    assert f">{note}</textarea>" in page.text


def test_a_lines_end_counts_as_the_browser_counts_it() -> None:
    rpc, door = signed_in({"cases.act_on_case": CASE, "cases.get_case": CLOSED, "rating.rate_case": {}})
    door.post("/cases/OH-1/actions", data={"action": "refuse", "note": "a\r\nb"})
    assert rpc.of("cases.act_on_case") == [("OH-1", "refuse", "a\nb", None)]
    lines = "\r\n".join("a" * 500)
    assert door.post("/cases/OH-1/rating", data={"score": "4", "comment": lines}).status_code == 303
    page = door.post("/cases/OH-1/rating", data={"score": "4", "comment": "a" * 1_001})
    assert page.status_code == 422
    assert '<a href="#comment">' in page.text
    assert "1000" in page.text


def test_pages_and_services_have_the_same_limits() -> None:
    assert (MAX_NOTE, MAX_COMMENT) == (forms.MAX_NOTE, domain.MAX_COMMENT)
    file = FILE | {"actions": ["refuse"]}
    _, door = signed_in({"cases.get_case_file": file, "cases.get_case": CLOSED}, roles=["officer"])
    assert f'maxlength="{MAX_NOTE}"' in door.get("/cases/OH-1").text
    assert f'maxlength="{MAX_COMMENT}"' in door.get("/cases/OH-1/rating").text


def test_an_officers_own_case_is_an_applicants() -> None:
    _, door = signed_in({"cases.get_case_file": FILE}, roles=["officer"])
    assert 'id="note"' not in door.get("/cases/OH-1").text


@pytest.mark.parametrize(("status", "is_open"), [("submitted", True), ("closed", False), ("withdrawn", False)])
def test_nothing_is_missing_of_a_case_that_has_ended(status: str, is_open: bool) -> None:
    card = {"code": "card", "name": NAME, "required": True, "source": "applicant"}
    documents = {
        "asked": [{"code": "card", "types": ["pdf"], "most": 1, "files": []}],
        "missing": ["card"],
        "may_follow": [],
    }
    file = FILE | {"case": CASE | {"status": status}, "item": ITEM | {"documents": [card]}, "documents": documents}
    answers = {"cases.get_case_file": file, "rating.get_rating": NotFound("rating", "OH-1")}
    _, door = signed_in(answers)
    assert ('id="document-card"' in door.get("/cases/OH-1").text) == is_open


def test_an_action_that_came_too_late_says_so() -> None:
    _, door = signed_in({"cases.get_case_file": FILE, "cases.act_on_case": ActionNotAllowed("withdraw", "closed")})
    page = door.post("/cases/OH-1/actions", data={"action": "withdraw"})
    assert page.status_code == 409
    assert "govuk-error-summary" in page.text
    assert door.get("/cases/OH-1/actions").headers["location"] == "/cases/OH-1"


def test_a_correction_starts_from_what_was_filed() -> None:
    file = FILE | {
        "actions": ["correct"],
        "history": [HISTORY[0] | {"event": "case.correction-requested", "note": "照片"}],
    }
    rpc, door = signed_in({"cases.get_case_file": file, "cases.act_on_case": CASE})
    page = door.get("/cases/OH-1/correct")
    assert 'value="张三"' in page.text
    assert "照片" in page.text
    assert door.post("/cases/OH-1/correct", data={"full_name": "李四", "ground": "home"}).status_code == 303
    assert rpc.of("cases.act_on_case") == [("OH-1", "correct", None, {"full_name": "李四", "ground": "home"})]


def test_rating_a_closed_case() -> None:
    answers = {"cases.get_case": CLOSED, "rating.rate_case": {}, "cases.get_case_file": FILE | {"case": CLOSED}}
    rpc, door = signed_in(answers | {"rating.get_rating": NotFound("rating", "OH-1")})
    assert "/cases/OH-1/rating" in door.get("/cases/OH-1").text
    assert door.get("/cases/OH-1/rating").text.count('name="score"') == 5
    assert door.post("/cases/OH-1/rating", data={"comment": "?"}).status_code == 422
    assert door.post("/cases/OH-1/rating", data={"score": "4", "comment": "好"}).status_code == 303
    assert rpc.of("rating.rate_case") == [(CLOSED, 4, "好")]
    rpc.answers["rating.rate_case"] = CaseAlreadyRated("OH-1")
    assert door.post("/cases/OH-1/rating", data={"score": "1"}).status_code == 303
    rpc.answers["rating.get_rating"] = {"number": "OH-1", "score": 4, "comment": "好", "at": ""}
    assert "/cases/OH-1/rating" not in door.get("/cases/OH-1").text


def test_the_inbox_and_its_preferences() -> None:
    entry = {"id": "7", "at": "2026-11-01T02:03:04+00:00", "event": "case.closed", "number": "OH-1", "item": "x"}
    entry |= {"subject": ITEM["name"], "body": ITEM["name"], "read": False}
    rpc, door = signed_in(
        {
            "notify.list_inbox": {"items": [entry], "next": "c"},
            "notify.mark_read": None,
            "notify.get_preferences": {"locale": "en", "channels": ["mail"]},
            "notify.set_preferences": None,
        }
    )
    assert "/inbox?cursor=c" in door.get("/inbox").text
    assert door.post("/inbox/7/read").status_code == 303
    assert rpc.of("notify.mark_read") == [("7",)]
    assert 'value="mail" checked' in door.get("/inbox/preferences").text
    assert door.post("/inbox/preferences", data={"locale": "zh-Hant", "channels": ["inbox"]}).status_code == 303
    assert rpc.of("notify.set_preferences") == [({"locale": "zh-Hant", "channels": ["inbox"]},)]
    assert '<html lang="zh-Hant"' in door.get("/inbox").text


def test_an_error_is_a_page_for_a_browser() -> None:
    _, door = signed_in({"cases.get_case_file": NotFound("case", "OH-9")})
    page = door.get("/cases/OH-9", headers=BROWSER)
    assert page.status_code == 404
    assert "<h1" in page.text
    _, door = signed_in({"identity.get_web_session": ServiceUnavailable("identity")})
    page = door.get("/cases", headers=BROWSER)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "<h1" in page.text


SUBSCRIPTION = {
    "name": "permits",
    "owner": "civil-affairs",
    "filter": {
        "types": ["case.closed", "case.submitted"],
        "departments": ["civil-affairs"],
        "regions": ["*"],
        "kinds": ["*"],
        "items": ["residence-permit", "newer-item"],
    },
    "delivery": "amqp",
    "queue": "dept.civil-affairs.permits",
    "url": None,
    "status": "active",
    "created_at": "2026-11-01T02:03:04Z",
    "ends_at": None,
    "ended_at": None,
    "end_reason": None,
    "waiting": 7,
}
REPLAY = {"kind": "start", "requested_at": "2026-11-01T02:03:04Z", "finished_at": None, "remaining": 120}
NO_WEBHOOK = dict.fromkeys(("webhook", "failed", "attempts"))
OFFICER = {"roles": ["officer"], "department": "civil-affairs"}


def department(subscription: dict[str, Any], **claims: Any) -> tuple[FakeRpc, Door]:
    return signed_in(
        {
            "cases.list_subscriptions": {"items": [subscription], "next": "n"},
            "cases.get_subscription_overview": {"subscription": subscription, "replays": [REPLAY], **NO_WEBHOOK},
            "cases.list_items": {"items": [ITEM], "next": None},
        },
        **claims,
    )


def test_an_officer_sees_the_departments_subscriptions_in_words() -> None:
    rpc, door = department(SUBSCRIPTION, **OFFICER)
    text = door.get("/department/?lang=en").text
    assert "Closed, Submitted · Civil Affairs · Residence permit, newer-item" in text
    assert "7 waiting" in text
    assert 'href="/department/subscriptions/permits"' in text
    assert 'href="/department/?cursor=n"' in text
    assert rpc.of("cases.list_subscriptions") == [(None, 20)]


def test_a_filter_of_nothing_is_everything() -> None:
    everything = SUBSCRIPTION | {"filter": {part: ["*"] for part in SUBSCRIPTION["filter"]}}
    _, door = department(everything, **OFFICER)
    assert "<p>Every event</p>" in door.get("/department/?lang=en").text
    assert door.get("/department/subscriptions/permits?lang=en").text.count("Any</dd>") == 5


def test_a_subscription_shows_how_it_is_doing() -> None:
    _, door = department(SUBSCRIPTION, **OFFICER)
    text = door.get("/department/subscriptions/permits?lang=en").text
    for shown in ("dept.civil-affairs.permits", "Active", "120 to go"):
        assert shown in text


def test_one_that_has_ended_says_why() -> None:
    ended = {"status": "ended", "ended_at": "2026-11-02T02:03:04Z", "end_reason": "agreement"}
    _, door = department(SUBSCRIPTION | ended, **OFFICER)
    assert "agreement that allowed it has ended" in door.get("/department/subscriptions/permits?lang=en").text


def test_only_officers_are_led_to_the_department() -> None:
    link = 'href="/department/"'
    for claims, is_led in ((OFFICER, True), ({}, False), ({"roles": ["clerk"]}, False)):
        _, door = signed_in({"cases.list_cases": EMPTY}, **claims)
        assert (link in door.get("/cases").text) is is_led
    _, door = signed_in({"cases.list_subscriptions": NotPermitted("subscribe")})
    assert door.get("/department/", headers=BROWSER).status_code == 403
    assert door.get("/department").headers["location"] == "/department/"


LOOK = {
    "id": "1", "at": "2026-11-01T02:03:04Z", "role": "officer", "name": None, "department": "civil-affairs",
    "channel": "web", "client": "政务服务网", "what": "case", "number": "OH-1", "purpose": "handling",
}  # fmt: skip


def test_the_access_log_says_in_words_who_looked_at_what_and_why() -> None:
    sender = LOOK | {"role": "program", "department": None, "client": "消息服务", "what": "contact", "number": None}
    rpc, door = signed_in({"identity.list_access_log": {"items": [LOOK, sender], "next": "more"}})
    page = door.get("/account/access-log?lang=en").text
    for words in ("An officer of", "Opened case", "OH-1", "to handle your case", "The platform's program", "消息服务"):
        assert words in page.replace("&#39;", "'")
    assert "cursor=more" in page
    door.get("/account/access-log?number=OH-1&cursor=more")
    assert rpc.of("identity.list_access_log") == [(None, None, None, 20), (None, "OH-1", "more", 20)]


def test_a_name_with_braces_is_shown_as_it_is() -> None:
    odd = LOOK | {"role": "client", "department": None, "client": "{0.__class__}<b>"}
    _, door = signed_in({"identity.list_access_log": {"items": [odd], "next": None}})
    assert "{0.__class__}&lt;b&gt;" in door.get("/account/access-log").text


MANDATE = {
    "id": "m-1", "kind": "authorisation", "name": "陈晓明", "item": "residence-permit", "number": None,
    "status": "live", "created_at": "2026-11-01T02:03:04Z", "ends_at": "2026-12-01T02:03:04Z", "ended_by": None,
}  # fmt: skip


def acting_for(item: str | None = "residence-permit", number: str | None = None) -> dict[str, Any]:
    limit = {"item": item} if item else {"case": number}
    details = [{"type": "urn:onehall:mandate"} | limit]
    token = make_token(sub="principal", client_id="web", act={"sub": "sub-1"}, authorization_details=details)
    return {"access_token": token, "name": "陈晓明", "item": item, "number": number}


def acting(answers: dict[str, Any]) -> tuple[FakeRpc, Door]:
    rpc, door = signed_in({"identity.get_acting": acting_for(), "cases.list_cases": EMPTY, **answers})
    door.cookies.set("onehall_acting", "m-1")
    return rpc, door


def test_who_begins_to_act_for_somebody_sees_it_on_every_page_until_they_stop() -> None:
    _, door = signed_in({"identity.get_acting": acting_for(), "cases.list_cases": EMPTY, "cases.list_items": EMPTY})
    assert door.post("/account/mandates/m-1/act").headers["location"] == "/items/residence-permit"
    for page in ("/", "/cases", "/items/residence-permit", "/items/residence-permit/apply"):
        shown = door.get(f"{page}?lang=en").text
        assert "You are acting for 陈晓明: Residence permit" in shown
    door.post("/account/mandates/stop")
    assert "You are acting for" not in door.get("/cases?lang=en").text


def test_cases_are_the_others_and_letters_are_ones_own() -> None:
    rpc, door = acting({"notify.list_inbox": EMPTY, "identity.list_access_log": EMPTY})
    for page in ("/cases", "/inbox", "/account/access-log"):
        assert door.get(page).status_code == 200
    actors = {name: actor for name, _, actor in rpc.calls if actor is not None}
    cases, inbox = actors["cases.list_cases"], actors["notify.list_inbox"]
    assert (cases.subject, cases.act, cases.mandate) == ("principal", "sub-1", Mandate(item="residence-permit"))
    assert (inbox.subject, inbox.act) == ("sub-1", None)
    assert actors["identity.list_access_log"] == inbox


def test_who_may_no_longer_act_for_somebody_does_not_act_for_themselves_unawares() -> None:
    rpc, door = acting({"identity.get_acting": NotFound("mandate"), "cases.submit_case": CASE})
    for answer in (door.get("/cases"), door.post("/items/residence-permit/apply", data={"acting": "m-1"})):
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/mandates?told=over")
        assert 'onehall_acting=""' in answer.headers["set-cookie"]
        door.cookies.set("onehall_acting", "m-1")
    assert rpc.of("cases.submit_case") == []


@pytest.mark.parametrize(("cookie", "form"), [("m-1", ""), (None, "m-1"), ("m-1", "m-2")])
def test_a_form_that_was_opened_for_one_person_is_not_filed_for_another(cookie: str | None, form: str) -> None:
    rpc, door = signed_in({"identity.get_acting": acting_for(), "cases.submit_case": CASE})
    if cookie:
        door.cookies.set("onehall_acting", cookie)
    answer = door.post("/items/residence-permit/apply", data={"full_name": "张三", "ground": "home", "acting": form})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/mandates?told=changed")
    assert rpc.of("cases.submit_case") == []


def test_mandates_show_both_sides_and_what_can_be_done() -> None:
    offered = MANDATE | {"id": "m-2", "status": "offered", "item": None, "number": "202611240000000012"}
    given = MANDATE | {"id": "m-3", "kind": "guardianship", "item": None, "name": "李华"}
    answer = {"received": [MANDATE, offered], "given": [given]}
    items = {"items": [ITEM], "next": None}
    _, door = signed_in({"identity.list_mandates": answer, "cases.list_items": items})
    page = door.get("/account/mandates?lang=en").text
    for action in ("m-1/act", "m-1/end", "m-2/accept", "m-2/end"):
        assert f'action="/account/mandates/{action}"' in page
    assert "m-3/end" not in page
    assert "Residence permit" in page


def test_who_decides_sees_an_id_number_and_a_phone_whole_and_everybody_else_masked() -> None:
    properties = {name: {"type": "string", "x-title": {"en": name}} for name in ("telephone", "note", "email")}
    properties["id_number"] = {"type": "string", "format": "citizen-id"}
    properties["email"]["format"] = "email"
    item = {**ITEM, "form": {"properties": properties}, "layout": [{"title": {}, "fields": list(properties)}]}
    said = {
        "id_number": "11010519491231002X",
        "telephone": "13812345678",
        "email": "chen@example.org",
        "note": "a note",
    }
    for roles, whole in (([], False), (["officer"], True)):
        file = {"case": CASE | {"form": said}, "item": item, "history": [], "actions": []}
        door = make_door(FakeRpc({"identity.get_web_session": web_session(roles=roles), "cases.get_case_file": file}))
        door.cookies.set("onehall_web", "secret")
        page = door.get(f"/cases/{CASE['number']}", headers={"accept": "text/html"}).text
        for kind, masked in (
            ("id_number", "1101**********002X"),
            ("telephone", "138****5678"),
            ("email", "c***@example.org"),
        ):
            assert (said[kind] in page) is whole, kind
            assert (masked in page) is not whole, kind
        assert "a note" in page


def test_an_authorisation_is_sent_and_its_faults_are_shown() -> None:
    fault = InvalidInput([{"pointer": "/agent", "rule": "not", "value": "yourself"}])
    items = {"items": [ITEM], "next": None}
    rpc, door = signed_in({"identity.grant_mandate": fault, "cases.list_items": items, "cases.list_cases": EMPTY})
    posted = {"agent": " citizen2 ", "about": "item:residence-permit", "until": "2026-12-01"}
    answer = door.post("/account/mandates/new?lang=en", data=posted)
    assert (answer.status_code, "You cannot authorise yourself." in answer.text) == (422, True)
    rpc.answers["identity.grant_mandate"] = MANDATE
    assert door.post("/account/mandates/new", data=posted).headers["location"] == "/account/mandates?told=granted"
    assert rpc.of("identity.grant_mandate")[-1] == ("citizen2", "residence-permit", None, "2026-12-01")


@pytest.mark.parametrize(
    ("language", "name"), [("en", "message service"), ("zh-Hant", "訊息服務"), ("zh-Hans", "消息服务")]
)
def test_the_access_log_names_the_platforms_own_clients_in_the_readers_language(language: str, name: str) -> None:
    own = LOOK | {"role": "program", "department": None, "client": "registered", "client_id": "notify"}
    _, door = signed_in({"identity.list_access_log": {"items": [own], "next": None}})
    assert name in door.get(f"/account/access-log?lang={language}").text


def test_the_access_log_says_what_changed_of_a_member_of_staff_and_at_which_hall_somebody_looked() -> None:
    change = LOOK | {
        "what": "staff",
        "detail": "granted clerk,officer civil-affairs civic-centre",
        "client_id": "onehall",
    }
    _, door = signed_in(
        {"identity.list_access_log": {"items": [change, LOOK | {"hall": "civic-centre"}], "next": None}}
    )
    page = door.get("/account/access-log?lang=en").text
    assert "Works now as: clerk, officer, Civil Affairs, Civic Centre hall" in page
    assert page.count("Civic Centre hall") == 2


def test_a_supervisor_reads_what_has_come_to_them_and_an_officer_has_no_such_list() -> None:
    page = {"items": [], "next": None}
    _, door = signed_in({"cases.list_work": page | {"escalated": 3}}, roles=["officer", "supervisor"])
    assert 'href="/work?shown=escalated"' in door.get("/work").text
    _, door = signed_in({"cases.list_work": page}, roles=["officer"])
    answer = door.get("/work")
    assert answer.status_code == 200
    assert "escalated" not in answer.text
