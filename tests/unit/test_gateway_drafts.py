"""Pages and API of drafts: what they send to `cases`, and what they say of its answers."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import DraftChanged, InvalidInput, ItemVersionOutdated, NotFound, TooManyDrafts
from tests.unit.files import PDF
from tests.unit.gateway_fakes import CASE, ITEM, NAME, Door, FakeRpc, bearer, make_door, web_session

KEY = "1d7c1c52-7b5e-4f0b-9a39-0f6f3c2a9e71"
DRAFT = {
    "id": KEY,
    "item": "residence-permit",
    "item_name": NAME,
    "item_version": 1,
    "revision": 3,
    "channel": "app",
    "created_at": "2026-11-01T02:03:04Z",
    "updated_at": "2026-11-01T02:03:04Z",
    "expires_at": "2026-12-01T02:03:04Z",
    "is_outdated": False,
    "form": {"full_name": "张三", "alone": True},
    "left_over": {},
    "newer": None,
}
VERSIONED = ITEM | {"version": 1}
SAVED = DRAFT | {"conflicts": [], "changed": {}}
POSTED = {"item": "residence-permit", "item_version": "1", "base": "3", "full_name": "李四", "ground": ""}
CONFLICT = {"field": "full_name", "stands": "张三", "refused": "李四", "channel": "app"}


def signed_in(answers: dict[str, Any]) -> tuple[FakeRpc, Door]:
    known = {"cases.get_item": VERSIONED, "cases.get_draft": {"draft": DRAFT, "item": VERSIONED}}
    rpc = FakeRpc({"identity.get_web_session": web_session(), **known, **answers})
    door = make_door(rpc)
    door.cookies.set("onehall_web", "w-1")
    return rpc, door


def test_a_draft_is_shown_as_typed() -> None:
    _, door = signed_in({})
    page = door.get(f"/drafts/{KEY}").text
    assert 'value="张三"' in page
    assert 'name="base" value="3"' in page
    assert f'formaction="/drafts/{KEY}"' in page


def test_my_cases_list_my_drafts_with_two_calls() -> None:
    rpc, door = signed_in({"cases.list_drafts": {"items": [DRAFT]}, "cases.list_cases": {"items": [], "next": None}})
    door.get("/cases")
    before = len(rpc.calls)
    assert f'href="/drafts/{KEY}"' in door.get("/cases").text
    assert len(rpc.calls) - before == 2


def test_the_button_saves_the_whole_form() -> None:
    rpc, door = signed_in({"cases.save_draft": SAVED})
    response = door.post(f"/drafts/{KEY}", data=POSTED)
    assert (response.status_code, response.headers["location"]) == (303, f"/drafts/{KEY}?saved=1")
    ((draft, item, changes, base),) = rpc.of("cases.save_draft")
    assert (draft, item, base) == (KEY, "residence-permit", 3)
    assert changes == {"full_name": "李四", "ground": None, "people": None, "alone": None, "since": None}


def test_the_script_saves_what_was_changed() -> None:
    rpc, door = signed_in({"cases.save_draft": SAVED | {"changed": {"full_name": "李四", "alone": True}}})
    posted = POSTED | {"changed": ["full_name", "ground", "odd"]}
    answer = door.post(f"/drafts/{KEY}", data=posted, headers={"Accept": "application/json"})
    assert rpc.of("cases.save_draft")[0][2] == {"full_name": "李四", "ground": None}
    assert answer.json()["revision"] == 3
    assert answer.json()["changed"] == {"alone": "true"}


def test_a_conflict_is_told_and_what_was_typed_stays_on_the_page() -> None:
    _, door = signed_in({"cases.save_draft": SAVED | {"revision": 4, "conflicts": [CONFLICT]}})
    page = door.post(f"/drafts/{KEY}", data=POSTED, headers={"Accept-Language": "en"})
    assert page.status_code == 409
    assert 'value="李四"' in page.text
    assert "“张三” was saved elsewhere (app)" in page.text
    assert 'name="base" value="4"' in page.text
    told = door.post(f"/drafts/{KEY}", data=POSTED | {"changed": "full_name"}, headers={"Accept": "application/json"})
    assert told.json()["conflicts"][0]["value"] == "张三"


def test_a_form_of_an_older_version_goes_on_as_its_draft() -> None:
    rpc, door = signed_in({"cases.submit_case": ItemVersionOutdated("residence-permit", 2), "cases.save_draft": SAVED})
    response = door.post("/items/residence-permit/apply", data=POSTED | {"idempotency_key": KEY})
    assert response.headers["location"] == f"/drafts/{KEY}?outdated=1"
    assert rpc.of("cases.submit_case") == [("residence-permit", {"full_name": "李四"}, KEY, 1)]
    assert rpc.of("cases.save_draft") == [(KEY, None, {"full_name": "李四"}, 3)]


def test_without_a_draft_the_newer_form_has_the_answers() -> None:
    _, door = signed_in({"cases.submit_case": ItemVersionOutdated("residence-permit", 2)})
    page = door.post("/items/residence-permit/apply", data=POSTED | {"base": "0", "idempotency_key": KEY})
    assert page.status_code == 409
    assert 'value="李四"' in page.text
    assert 'role="alert"' in page.text


def test_the_page_says_what_a_newer_version_keeps_no_place_for() -> None:
    newer = {"version": 2, "fits": [], "left_over": ["full_name"]}
    rpc, door = signed_in({"cases.get_draft": {"draft": DRAFT | {"newer": newer}, "item": VERSIONED}})
    page = door.get(f"/drafts/{KEY}", headers={"Accept-Language": "en"}).text
    assert f'action="/drafts/{KEY}/renew"' in page
    assert "<li>Full name</li>" in page
    rpc.answers["cases.renew_draft"] = DRAFT
    assert door.post(f"/drafts/{KEY}/renew", data={}).headers["location"] == f"/drafts/{KEY}?renewed=1"


IDENTITY = {"code": "identity", "name": NAME, "required": True, "source": "applicant"}
FILE = {
    "id": "7cbd99da-2301-4e79-a897-a6d64ac0bb1f",
    "document": "identity",
    "name": "<身份证>.pdf",
    "length": 3_000_000,
    "status": "clean",
    "fault": None,
}
WITH_DOCUMENTS = VERSIONED | {"documents": [IDENTITY, IDENTITY | {"code": "register", "source": "department"}]}


def documents(*files: dict[str, Any]) -> dict[str, Any]:
    asked = [
        {"code": "identity", "types": ["pdf", "jpeg"], "most": 10, "files": list(files)},
        {"code": "register", "types": ["pdf"], "most": 10, "files": []},
    ]
    return {"asked": asked, "missing": [] if files else ["identity"], "may_follow": []}


def test_a_drafts_page_shows_its_documents_and_takes_files() -> None:
    found = {"draft": DRAFT, "item": WITH_DOCUMENTS, "documents": documents(FILE)}
    _, door = signed_in({"cases.get_draft": found})
    page = door.get(f"/drafts/{KEY}", headers={"Accept-Language": "en"}).text
    assert f'action="/drafts/{KEY}/documents/identity"' in page
    assert "documents/register" not in page
    assert 'accept=".pdf,.jpg,.jpeg"' in page
    assert "&lt;身份证&gt;.pdf" in page
    assert "2.9 MB" in page


def test_a_draft_that_lacks_a_document_says_which_by_its_name() -> None:
    lacking = InvalidInput([{"pointer": "/documents/identity", "rule": "document", "value": "identity"}])
    found = {"draft": DRAFT, "item": WITH_DOCUMENTS, "documents": documents()}
    rpc, door = signed_in({"cases.get_item": WITH_DOCUMENTS, "cases.get_draft": found, "cases.submit_case": lacking})
    posted = POSTED | {"idempotency_key": KEY, "documents": "asked"}
    page = door.post("/items/residence-permit/apply", data=posted, headers={"Accept-Language": "en"})
    assert page.status_code == 422
    assert "Residence permit: This document is missing" in page.text
    assert 'value="李四"' in page.text
    assert rpc.of("cases.submit_case") == [("residence-permit", {"full_name": "李四"}, KEY, 1, True)]


def test_the_form_alone_leads_to_the_documents_and_says_so_before() -> None:
    lacking = InvalidInput([{"pointer": "/documents/identity", "rule": "document", "value": "identity"}])
    rpc, door = signed_in(
        {
            "cases.get_item": WITH_DOCUMENTS,
            "cases.list_drafts": {"items": []},
            "cases.submit_case": lacking,
            "cases.save_draft": SAVED,
        }
    )
    page = door.get("/items/residence-permit/apply", headers={"Accept-Language": "en"}).text
    assert "Continue to the documents" in page
    posted = POSTED | {"base": "0", "idempotency_key": KEY, "documents": "asked", "fresh": "1"}
    answer = door.post("/items/residence-permit/apply", data=posted)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/drafts/{KEY}?documents=next#documents")
    assert rpc.of("cases.save_draft") == [(KEY, "residence-permit", {"full_name": "李四"}, 0)]


@pytest.mark.parametrize("later", [["identity"], []], ids=["may be brought later", "may not"])
def test_what_may_be_brought_later_has_a_button_of_its_own(later: list[str]) -> None:
    lacking = documents() | {"until_acceptance": later}
    rpc, door = signed_in(
        {
            "cases.get_item": WITH_DOCUMENTS,
            "cases.get_draft": {"draft": DRAFT, "item": WITH_DOCUMENTS, "documents": lacking},
            "cases.submit_case": CASE,
        }
    )
    page = door.get(f"/drafts/{KEY}?documents=next", headers={"Accept-Language": "en"}).text
    assert ('name="later"' in page) == bool(later)
    assert "The documents are still missing" in page
    posted = POSTED | {"idempotency_key": KEY, "documents": "asked", "later": "1"}
    assert door.post("/items/residence-permit/apply", data=posted).status_code == 303
    assert rpc.of("cases.submit_case") == [("residence-permit", {"full_name": "李四"}, KEY, 1)]


def test_a_page_hands_a_file_in_with_two_calls_and_says_what_is_wrong_with_it() -> None:
    begun = FILE | {"parts": [], "extension": "pdf", "types": ["pdf"], "status": "uploading"}
    rpc, door = signed_in(
        {"cases.begin_attachment": begun, "cases.delete_attachment": None, "cases.receive_part": begun}
    )
    door.get(f"/drafts/{KEY}")
    before, address = len(rpc.calls), f"/drafts/{KEY}/documents/identity"

    def hand_in(content: bytes, name: str = "a.pdf", acting: str = "") -> str:
        answer = door.post(address, data={"acting": acting}, files={"file": (name, content)})
        assert answer.status_code == 303
        return str(answer.headers["location"])

    assert hand_in(b"MZ") == f"/drafts/{KEY}?document=identity&fault=type#document-identity"
    assert len(rpc.calls) - before == 2
    # no scanner here: taken, and not readable yet
    assert hand_in(PDF) == f"/drafts/{KEY}?attached=1#document-identity"
    assert hand_in(PDF, acting="m-1").startswith("/account/mandates?told=changed")


def test_a_form_without_a_chosen_file_says_so() -> None:
    _, door = signed_in({})
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = door.post(f"/drafts/{KEY}/documents/identity", content=form, headers=headers)
    assert answer.headers["location"] == f"/drafts/{KEY}?document=identity&fault=nothing#document-identity"


def test_only_words_of_ours_are_said_of_a_file() -> None:
    found = {"draft": DRAFT, "item": WITH_DOCUMENTS, "documents": documents()}
    _, door = signed_in({"cases.get_draft": found})
    for fault, said in (("virus", "A virus was found"), ("count&of=3", "3 files at most")):
        page = door.get(f"/drafts/{KEY}?document=identity&fault={fault}", headers={"Accept-Language": "en"}).text
        assert said in page
    page = door.get(f"/drafts/{KEY}?document=identity&fault=evil&of=evil", headers={"Accept-Language": "en"}).text
    assert "file-identity-fault" not in page


def test_too_many_drafts_are_said_on_the_page() -> None:
    _, door = signed_in({"cases.save_draft": TooManyDrafts(20)})
    page = door.post(f"/drafts/{KEY}", data=POSTED)
    assert page.status_code == 409
    assert 'value="李四"' in page.text


def test_a_qr_code_leads_to_signing_in_and_is_used_by_the_button_only() -> None:
    offered = {"token": "t-1", "expires_at": "2026-11-01T02:13:04Z"}
    rpc, door = signed_in(
        {
            "cases.hand_over_draft": offered,
            "cases.get_handover": {"item": "residence-permit"},
            "cases.take_over_draft": {"draft": KEY},
        }
    )
    assert "<svg" in door.post(f"/drafts/{KEY}/qr", data={}).text
    link = "/drafts/go-on?token=t-1"
    assert make_door(FakeRpc()).get(link).headers["location"] == ("/login/start?next=%2Fdrafts%2Fgo-on%3Ftoken%3Dt-1")
    assert door.get(link).status_code == 200
    assert not rpc.of("cases.take_over_draft")
    assert door.post("/drafts/go-on", data={"token": "t-1"}).headers["location"] == f"/drafts/{KEY}"
    rpc.answers["cases.get_handover"] = NotFound("handover")
    assert door.get(link).status_code == 404


def test_the_api_asks_what_a_change_was_made_on() -> None:
    rpc = FakeRpc({"cases.save_draft": SAVED})
    door = make_door(rpc)
    address, change = f"/api/v1/drafts/{KEY}", {"changes": {"full_name": "李四"}}
    assert door.request("PATCH", address, json=change, headers=bearer()).status_code == 428
    merged = door.request("PATCH", address, json=change | {"base": 2}, headers=bearer())
    assert (merged.status_code, merged.headers["etag"]) == (200, '"3"')
    door.request("PATCH", address, json=change, headers=bearer() | {"If-Match": '"3"'})
    assert rpc.of("cases.save_draft") == [
        (KEY, None, {"full_name": "李四"}, 2, False),
        (KEY, None, {"full_name": "李四"}, 3, True),
    ]
    rpc.answers["cases.save_draft"] = DraftChanged(KEY, 4)
    refused = door.request("PATCH", address, json=change, headers=bearer() | {"If-Match": '"3"'})
    assert (refused.status_code, refused.json()["revision"]) == (412, 4)


@pytest.mark.parametrize("etag", ["3", '"03"', 'W/"3"', "*", '"3", "4"'])
def test_an_etag_that_is_none_of_ours_matches_nothing(etag: str) -> None:
    rpc = FakeRpc({"cases.save_draft": SAVED})
    headers = bearer() | {"If-Match": etag}
    answer = make_door(rpc).request("PATCH", f"/api/v1/drafts/{KEY}", json={"changes": {}}, headers=headers)
    assert answer.status_code == 412
    assert not rpc.of("cases.save_draft")


def test_the_api_begins_and_files_drafts() -> None:
    rpc = FakeRpc({"cases.save_draft": SAVED, "cases.submit_draft": CASE})
    door = make_door(rpc)
    begun = door.post("/api/v1/drafts", json={"item": "residence-permit"}, headers=bearer())
    assert (begun.status_code, begun.headers["location"]) == (201, f"/api/v1/drafts/{KEY}")
    filed = door.post(f"/api/v1/drafts/{KEY}/submission", headers=bearer())
    assert (filed.status_code, filed.headers["location"]) == (201, "/api/v1/cases/OH-1")


def test_an_older_form_over_the_api_is_a_conflict_that_names_the_version() -> None:
    rpc = FakeRpc({"cases.submit_case": ItemVersionOutdated("residence-permit", 2)})
    filing = {"item": "residence-permit", "form": {}, "item_version": 1}
    answer = make_door(rpc).post("/api/v1/cases", json=filing, headers=bearer())
    assert (answer.status_code, answer.json()["item_version"]) == (409, 2)
