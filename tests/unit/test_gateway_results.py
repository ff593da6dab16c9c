"""Results at the door: the document as a PDF, its verification by anyone, and that no code stands in a log."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import pytest

from contracts.errors import ActionNotAllowed, NotFound, TooManyAttempts
from gateway.certificates import pdf, wording
from gateway.languages import CATALOGUES
from gateway.rpc.calls import InternalError
from tests.unit.gateway_fakes import NAME, FakeRpc, bearer, make_door
from tests.unit.test_gateway_pages import signed_in
from tests.unit.test_gateway_places import session_of

CODE = "2345-6789-wxyz-abcd"
NUMBER = "202611240000000017-1"
PRINTED: dict[str, Any] = {
    "result": "1f0b7c9a-52d1-4f7e-8f3a-7f1d0a2b3c4d",
    "case": "OH-1",
    "number": NUMBER,
    "form": "certificate",
    "decision": "approved",
    "name": NAME,
    "item_name": NAME,
    "department": "civil-affairs",
    "department_name": {"zh-Hans": "民政局", "zh-Hant": "民政局", "en": "Civil Affairs Bureau"},
    "issued_on": "2026-11-24",
    "valid_until": "2027-11-24",
    "status": "valid",
    "ended_at": None,
    "end_reason": None,
    "code": CODE,
    "reason": None,
    "legal_basis": {"zh-Hans": "某条例", "zh-Hant": "某條例", "en": "A regulation"},
    "result_name": NAME,
    "fields": [
        {"title": {"zh-Hans": "姓名", "zh-Hant": "姓名", "en": "Name"}, "value": "张晓兰", "format": None, "labels": {}}
    ],
}
REFUSED = PRINTED | {"form": "decision", "decision": "refused", "reason": "证明已过期", "valid_until": None}
VERIFIED = {
    name: value
    for name, value in PRINTED.items()
    if name not in ("result", "case", "code", "reason", "legal_basis", "result_name", "fields")
} | {"holder": "张**", "documents": [{"language": "en", "sha256": "ab" * 32}]}
RESULT = VERIFIED | {
    "result": PRINTED["result"],
    "case": "OH-1",
    "item": "residence-permit",
    "item_version": 3,
    "paper": "residence-permit-card",
    "named": "张晓兰",
    "code": CODE,
    "delivered_by": None,
    "downloads": [
        {"at": "2026-11-24T02:03:04Z", "channel": "web", "actor": "citizen", "language": "en"},
        {"at": "2026-11-24T03:03:04Z", "channel": "hall", "actor": "clerk", "language": "en", "hall": "civic-centre"},
    ],
    "may_revoke": False,
    "reasons": ["error"],
}


def made(printed: dict[str, Any], language: str = "zh-Hans") -> bytes:
    return pdf.make(wording.said(printed, CATALOGUES[language], "https://hall.example"))


@pytest.mark.parametrize("language", CATALOGUES)
@pytest.mark.parametrize("printed", [PRINTED, REFUSED], ids=["certificate", "refusal"])
def test_the_same_result_is_the_same_document_with_its_fonts_in_it_and_in_the_form_for_archives(printed, language):
    document = made(printed, language)
    assert document == made(printed, language)
    assert document.startswith(b"%PDF-1.7")
    for part in (b"/FontFile", b"pdfaid:part", b"pdfuaid:part", b"/MarkInfo", b"/Lang"):
        assert part in document or part.lower() in document.lower(), part


def test_what_somebody_wrote_is_text_and_no_markup():
    written = '#panic("x") *b* $x$ <a> \\ ] #read("/etc/passwd")'
    field = PRINTED["fields"][0] | {"value": written}
    assert made(PRINTED | {"fields": [field]}).startswith(b"%PDF")
    assert made(REFUSED | {"reason": written + "\n" + written}).startswith(b"%PDF")


def test_a_character_that_no_font_has_is_written_as_its_number():
    said = wording.said(PRINTED, CATALOGUES["zh-Hans"], "https://hall.example")
    rare = said | {"rows": [["姓名", "𠮷𪚥"]]}
    assert pdf.make(rare) == pdf.make(said | {"rows": [["姓名", "[U+20BB7][U+2A6A5]"]]})


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("材料\x07不\x1b[31m全\ufeff，\u202e已退回\ufffe", "材料不[31m全，已退回"),
        ("e\u0301 a\u0489 葛\U000e0100", "é a[U+0489] 葛"),
        ("👨\u200d👩", "[U+1F468][U+1F469]"),
    ],
)
def test_what_was_pasted_with_characters_that_nobody_sees_is_a_document_all_the_same(written, printed):
    assert made(REFUSED | {"reason": written}) == made(REFUSED | {"reason": printed})


def test_a_text_of_characters_that_no_font_has_is_a_document_and_keeps_the_printer_no_longer(monkeypatch):
    tries = []
    compiled = pdf._compile
    monkeypatch.setattr(pdf, "_compile", lambda text: tries.append(text) or compiled(text))
    foreign = "".join(chr(0x20000 + each * 37) for each in range(60))
    assert made(REFUSED | {"reason": f"某某{foreign}"}) == compiled(tries[-1])
    assert "某某[U+20000][U+20025]" in tries[-1]
    assert len(tries) < 12


def test_a_long_document_goes_on_over_pages_within_its_time():
    fields = [PRINTED["fields"][0] | {"value": "很长的内容" * 400} for _ in range(30)]
    assert made(PRINTED | {"fields": fields}).count(b"/Type/Page") + 1 > 5


def door_with(**answers: Any) -> tuple[FakeRpc, Any]:
    rpc = FakeRpc({"cases.note_result_download": None, **{f"cases.{name}": each for name, each in answers.items()}})
    return rpc, make_door(rpc)


def test_a_download_is_a_pdf_and_who_takes_it_is_told_with_its_digest():
    printed = PRINTED | {"number": "202611240000000025-1"}
    rpc, door = door_with(download_result=printed)
    first = door.get("/api/v1/cases/OH-1/result?lang=en", headers=bearer())
    again = door.get("/api/v1/cases/OH-1/result", headers=bearer() | {"Accept-Language": "en"})
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.content == again.content
    assert first.headers["cache-control"] == "no-store"
    assert f'filename="{printed["number"]}-en.pdf"' in first.headers["content-disposition"]
    digest = hashlib.sha256(first.content).hexdigest()
    told = [call[1:] for call in rpc.calls if call[0] == "cases.note_result_download"]
    noted = ("OH-1", "en", digest, PRINTED["result"])
    assert [(arguments, actor.subject) for arguments, actor in told] == [(noted, "sub-1")] * 2
    asked = [call[1] for call in rpc.calls if call[0] == "cases.download_result"]
    assert asked == [("OH-1", "en"), ("OH-1", "en")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("result", "OH-1"), 404),
        (ActionNotAllowed("download_result", "revoked"), 409),
        (TooManyAttempts(60), 429),
    ],
)
def test_what_is_not_given_out_is_a_problem_and_nothing_is_kept(error, status):
    rpc, door = door_with(download_result=error)
    answer = door.get("/api/v1/cases/OH-1/result", headers=bearer())
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert not rpc.of("cases.note_result_download")


def test_who_gets_no_document_has_taken_none(monkeypatch):
    def fail(_):
        raise pdf.DocumentUnmade("no fonts")

    monkeypatch.setattr(pdf, "make", fail)
    rpc, door = door_with(download_result=PRINTED)
    assert door.get("/api/v1/cases/OH-1/result", headers=bearer()).status_code == 500
    assert not rpc.of("cases.note_result_download")


def test_another_sites_link_leads_to_the_result_and_takes_nothing() -> None:
    rpc, door = signed_in({"cases.download_result": PRINTED, "cases.note_result_download": None})
    answer = door.get("/cases/OH-1/result.pdf", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/OH-1/result")
    assert not rpc.of("cases.download_result")
    assert door.get("/cases/OH-1/result.pdf", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_character_of_private_use_is_written_as_its_number():
    rare = PRINTED | {"fields": [PRINTED["fields"][0] | {"value": "\ue000王"}]}
    assert made(rare).startswith(b"%PDF")


def test_anyone_verifies_and_the_code_stands_in_no_log_and_no_answer(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    answers = [(VERIFIED, 200), (NotFound("result"), 404), (TooManyAttempts(10), 429)]
    for answer, status in [*answers, (InternalError("of ours"), 500), (RuntimeError("of the door's"), 500)]:
        _, door = door_with(get_verification=answer)
        for address in (f"/api/v1/verify/{CODE}", f"/verify/{CODE}"):
            response = door.get(address)
            assert response.status_code == status, address
            assert CODE not in response.text.replace(f"verify/{CODE}", "") + str(response.headers)
            assert response.headers["cache-control"] == "no-store"
    ours = " ".join(record.getMessage() for record in caplog.records if record.name != "httpx2")
    assert CODE not in ours
    assert "/verify/{code}" in ours


def test_a_code_is_posted_by_who_types_it_in():
    rpc, door = door_with(get_verification=VERIFIED)
    page = door.post("/verify", data={"code": " 2345 6789 WXYZ abcd "})
    assert page.status_code == 200
    assert rpc.calls[-1] == ("cases.get_verification", ("2345 6789 WXYZ abcd",), None)
    assert "张**" in page.text
    assert "ab" * 32 in page.text


@pytest.mark.parametrize("status", ["valid", "expired", "superseded", "revoked"])
@pytest.mark.parametrize("language", CATALOGUES)
def test_the_page_says_in_words_whether_it_is_good(status, language):
    ended = {"ended_at": "2026-11-25T02:03:04Z", "end_reason": "error"} if status == "revoked" else {}
    _, door = door_with(get_verification=VERIFIED | {"status": status} | ended)
    page = door.get(f"/verify/{CODE}?lang={language}")
    assert CATALOGUES[language](f"verify.is-{status}") in page.text


def test_the_page_of_a_result_offers_it_in_three_languages_and_its_code():
    _, door = signed_in({"cases.get_result": RESULT})
    page = door.get("/cases/OH-1/result?lang=en")
    assert page.status_code == 200
    for language in CATALOGUES:
        assert f"/cases/OH-1/result.pdf?language={language}" in page.text
    assert CODE in page.text


def test_a_kiosk_gives_nothing_out_but_the_way_to_ones_phone():
    rpc = FakeRpc({"identity.get_web_session": session_of("kiosk"), "cases.get_result": RESULT})
    door = make_door(rpc)
    door.cookies.set("onehall_kiosk", "k-1")
    page = door.get("/kiosk/cases/OH-1/result?lang=en")
    assert page.status_code == 200
    assert "result.pdf" not in page.text
    assert CODE not in page.text
    assert "<svg" in page.text
    answer = door.get("/kiosk/cases/OH-1/result.pdf", follow_redirects=False)
    assert answer.headers["location"] == "/kiosk/cases/OH-1/result"
    assert not rpc.of("cases.download_result")


def test_a_revoked_result_is_shown_without_a_download():
    revoked = RESULT | {"status": "revoked", "ended_at": "2026-11-25T02:03:04Z", "end_reason": "error"}
    _, door = signed_in({"cases.get_result": revoked})
    page = door.get("/cases/OH-1/result?lang=en")
    assert "result.pdf" not in page.text
    assert CATALOGUES["en"]("revocation.error") in page.text


def test_my_certificates_need_a_sign_in_and_lead_to_each():
    assert make_door(FakeRpc()).get("/certificates", follow_redirects=False).status_code == 303
    _, door = signed_in({"cases.list_certificates": {"items": [RESULT], "next": None}})
    page = door.get("/certificates?lang=en")
    assert "/cases/OH-1/result" in page.text
    assert "Valid" in page.text
