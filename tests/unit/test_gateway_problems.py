"""What a client hears when something is wrong."""

from __future__ import annotations

import json

import pytest

from contracts import errors
from contracts.errors import ERROR_OF_PATH
from gateway.problems import PROBLEM_OF_ERROR, pointer, problem_of
from gateway.rpc import InternalError
from tests.unit.gateway_fakes import CASE, FakeRpc, bearer, make_door

FAULT = {"pointer": "/form/id_number", "rule": "format", "value": "citizen-id"}
ARGUMENTS = {
    errors.InvalidInput: ([FAULT],),
    errors.ItemNotOnline: ("dog-licence",),
    errors.ActionNotAllowed: ("approve", "closed"),
    errors.CaseChanged: ("202611240000012", 4),
    errors.AgreementNeeded: (["market-regulation"],),
    errors.TooManySubscriptions: (100,),
    errors.TooManyNewSubscriptions: (200,),
    errors.ReplayTooSoon: (60,),
    errors.StepUpRequired: (2,),
    errors.TooManyWaiting: (100_000,),
    errors.TooManyDrafts: (20,),
    errors.UploadMoved: (1024,),
    errors.TooManyUploads: (20,),
    errors.ItemVersionOutdated: ("elderly-card", 2),
    errors.DraftChanged: ("1d7c1c52-7b5e-4f0b-9a39-0f6f3c2a9e71", 4),
    errors.TooManyAttempts: (30,),
}


def test_every_error_that_crosses_rpc_has_a_problem() -> None:
    assert set(ERROR_OF_PATH.values()) <= set(PROBLEM_OF_ERROR)


@pytest.mark.parametrize("error_class", list(ERROR_OF_PATH.values()), ids=lambda error: error.__name__)
def test_an_error_of_a_service_is_told_as_its_problem(error_class: type[Exception]) -> None:
    error = error_class(*ARGUMENTS.get(error_class, ("secret-internal-name",)))
    response = make_door(FakeRpc({"cases.get_case": error})).get("/api/v1/cases/OH-1", headers=bearer())
    body = response.json()
    assert response.status_code == body["status"] == PROBLEM_OF_ERROR[error_class].status
    assert response.headers["content-type"] == "application/problem+json"
    assert set(body) >= {"type", "title", "status", "detail"}
    assert "secret-internal-name" not in response.text


def test_who_tried_too_often_is_told_when_to_come_again() -> None:
    response = make_door(FakeRpc({"cases.get_case": errors.TooManyAttempts(30)})).get(
        "/api/v1/cases/OH-1", headers=bearer()
    )
    assert (response.status_code, response.headers["retry-after"], response.json()["seconds"]) == (429, "30", 30)


def test_a_subclass_is_found_by_its_ancestor() -> None:
    class CaseMissing(errors.NotFound):
        pass

    assert problem_of(CaseMissing()).status == 404


def test_a_fault_of_ours_is_told_without_a_word_of_it(caplog: pytest.LogCaptureFixture) -> None:
    for fault in (InternalError("psycopg2.Error: SELECT secret"), RuntimeError("secret")):
        response = make_door(FakeRpc({"cases.get_case": fault})).get("/api/v1/cases/OH-1", headers=bearer())
        assert response.status_code == 500
        assert "secret" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
    assert "secret" in caplog.text


def test_an_absent_service_says_when_to_come_back() -> None:
    rpc = FakeRpc({"cases.get_case": errors.ServiceUnavailable("database")})
    response = make_door(rpc).get("/api/v1/cases/OH-1", headers=bearer())
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "database" not in response.text


@pytest.mark.parametrize(
    ("accepted", "language", "detail"),
    [
        ("en", "en", "This is no valid citizen identity number. Please check its 18 characters."),
        ("zh-TW,en;q=0.5", "zh-Hant", "公民身份號碼不正確，請核對18位號碼。"),
        ("zh-CN", "zh-Hans", "公民身份号码不正确，请核对18位号码。"),
        ("fr", "zh-Hans", "公民身份号码不正确，请核对18位号码。"),
        ("en;q=0.1, zh-Hant;q=0.9", "zh-Hant", "公民身份號碼不正確，請核對18位號碼。"),
    ],
)
def test_a_wrong_form_is_worded_in_the_readers_language(accepted: str, language: str, detail: str) -> None:
    rpc = FakeRpc({"cases.submit_case": errors.InvalidInput([FAULT])})
    response = make_door(rpc).post(
        "/api/v1/cases",
        json={"item": "x", "form": {"id_number": "1"}},
        headers=bearer() | {"Accept-Language": accepted},
    )
    assert response.status_code == 422
    assert response.headers["content-language"] == language
    assert response.json()["errors"] == [{"pointer": "/form/id_number", "detail": detail}]


def test_every_wrong_place_of_a_body_is_named() -> None:
    response = make_door(FakeRpc()).post(
        "/api/v1/cases", json={"form": "text", "extra": 1}, headers=bearer() | {"Accept-Language": "en"}
    )
    assert response.status_code == 422
    assert {error["pointer"] for error in response.json()["errors"]} == {"/item", "/form", "/extra"}


@pytest.mark.parametrize("score", [0, 6, "5", 4.5, None, True])
def test_a_score_is_a_whole_number_from_1_to_5(score: object) -> None:
    response = make_door(FakeRpc({"cases.get_case": CASE})).post(
        "/api/v1/cases/OH-1/rating", json={"score": score}, headers=bearer()
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/score"


@pytest.mark.parametrize("body", [b"{", b"[1,", b'{"item": }', b"\xff\xfe", b"[" * 100_000])
def test_broken_json_is_400(body: bytes) -> None:
    response = make_door(FakeRpc()).post(
        "/api/v1/cases", content=body, headers=bearer() | {"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("form", ['{"name": "a\\u0000b"}', '{"name": "\\ud800"}', '{"a": [{"b\\u0000": 1}]}'])
def test_text_that_cannot_be_stored_is_refused_at_the_door(form: str) -> None:
    rpc = FakeRpc()
    response = make_door(rpc).post(
        "/api/v1/cases",
        content=f'{{"item": "x", "form": {form}}}',
        headers=bearer() | {"Content-Type": "application/json"},
    )
    assert response.status_code == 422
    assert not rpc.of("cases.submit_case")


def test_addresses_that_are_not_there() -> None:
    door = make_door(FakeRpc())
    for address in ("/api/v1/nothing", "/api/v1/cases/..%2f", "/api/v1/items/%00", "/nothing"):
        response = door.get(address, headers=bearer())
        assert (response.status_code, json.loads(response.text)["status"]) == (404, 404), address
    assert "text/html" in door.get("/nothing", headers={"Accept": "text/html"}).headers["content-type"]


def test_a_wrong_method_names_the_right_ones() -> None:
    response = make_door(FakeRpc()).request("DELETE", "/api/v1/cases/OH-1", headers=bearer())
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["allow"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
def test_a_page_has_a_bounded_size(limit: str) -> None:
    response = make_door(FakeRpc()).get(f"/api/v1/cases?limit={limit}", headers=bearer())
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "limit"


def test_a_pointer_escapes_its_parts() -> None:
    assert pointer(["form", "a/b", "c~d", 0]) == "/form/a~1b/c~0d/0"
