"""Bad input about cases, over the API as anybody sends it: a clear answer, and nothing half saved.

The rows of docs/bad-input.md.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from tests.e2e.test_bad_input import problem_of
from tests.unit import files

ITEM = "residence-permit"
CASES = "/api/v1/cases"


def seen(people, number: str | None = None) -> Any:
    """All that the citizen can see of what a request may have left behind."""
    citizen = people.sign_in("citizen")
    mine = citizen.get(CASES, params={"limit": 50}).json()["items"]
    drafts = citizen.get("/api/v1/drafts").json()["items"]
    return mine, drafts, people.history(number) if number else []


@contextmanager
def nothing_saved(people, number: str | None = None):
    before = seen(people, number)
    yield
    assert seen(people, number) == before


def filing(people, **more: Any) -> dict[str, Any]:
    return {"item": ITEM, "form": people.example(ITEM)} | more


def pointers(problem: dict[str, Any]) -> list[str]:
    return [each["pointer"] for each in problem["errors"]]


def test_an_unknown_item(people):
    with nothing_saved(people):
        problem_of(people.sign_in("citizen").post(CASES, json=filing(people, item="no-such-item")), 404)


def test_the_form_of_an_older_version(people):
    with nothing_saved(people):
        problem = problem_of(people.sign_in("citizen").post(CASES, json=filing(people, item_version=1)), 409)
    assert problem["item_version"] > 1


def test_a_form_that_breaks_its_schema(people):
    form = people.example(ITEM) | {"id_number": "11010519491231002", "unknown": 1}
    with nothing_saved(people):
        problem = problem_of(people.sign_in("citizen").post(CASES, json=filing(people, form=form)), 422)
    assert set(pointers(problem)) == {"/form/id_number", "/form/unknown"}


def test_documents_that_lack_or_are_nobodys(people):
    citizen = people.sign_in("citizen")
    with nothing_saved(people):
        problem = problem_of(citizen.post(CASES, json=filing(people, documents=[])), 422)
        assert pointers(problem) == ["/documents/identity-card"]
        problem = problem_of(citizen.post(CASES, json=filing(people, documents=[str(uuid.uuid4())])), 422)
        assert pointers(problem) == ["/documents/0"]


BOMB = files.docx(word__a=bytes(20 * files.MEGABYTE))


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"MZ\x90\x00 a program", "scan.pdf", "this type"),
        (BOMB, "plan.docx", "unpack"),
        (files.docx(word__embeddings__a=BOMB), "plan.docx", "archive"),
        (files.polyglot(files.PDF, BOMB), "scan.pdf", "not whole"),
        (files.polyglot(files.PDF, files.container(a=b"x"), b"%%EOF\n"), "scan.pdf", "archive"),
        (files.picture(), "photo.pdf", "ends otherwise"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "IMG_1.jpg", "HEIC"),
    ],
    ids=["program", "bomb", "bomb in an archive", "bomb behind a document", "two in one", "misnamed", "heic"],
)
def test_a_file_that_is_not_taken(people, content, name, said):
    citizen = people.sign_in("citizen")
    draft = citizen.post("/api/v1/drafts", json={"item": "sole-trader", "form": {}}).raise_for_status().json()["id"]
    place = f"/api/v1/drafts/{draft}/documents"
    try:
        upload = {"document": (None, "premises"), "file": (name, content, "application/pdf")}
        problem = problem_of(citizen.post(place, files=upload, headers={"Accept-Language": "en"}), 422)
        assert pointers(problem) == ["/file"]
        assert said in problem["errors"][0]["detail"]
        assert not any(each["files"] for each in citizen.get(place).json()["asked"])
    finally:
        citizen.delete(f"/api/v1/drafts/{draft}")


@pytest.fixture
def case(people) -> str:
    number: str = people.file("citizen").json()["number"]
    return number


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(people, case):
    people.act("clerk", case, "accept").raise_for_status()
    officer = people.sign_in("officer")
    version = officer.get(f"{CASES}/{case}").headers["ETag"]
    start = threading.Barrier(2)

    def decide(action: str) -> httpx2.Response:
        body = {"action": action, "note": "decided"}
        start.wait()
        return officer.post(f"{CASES}/{case}/actions", json=body, headers={"If-Match": version})

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(decide, ["approve", "refuse"]), key=lambda each: each.status_code)
    assert answers[0].status_code == 200
    problem_of(answers[1], 412)
    decided = [each["event"] for each in people.history(case)][2:]
    assert decided == [f"case.{answers[0].json()['decision']}", "case.closed"]
    assert answers[1].headers["ETag"] == answers[0].headers["ETag"]


def test_an_action_by_the_wrong_department(people, case):
    with nothing_saved(people, case):
        for action in ("accept", "claim", "refuse", "request_correction"):
            problem_of(people.act("officer2", case, action, note="x"), 403)


def test_one_key_for_another_request(people):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    citizen = people.sign_in("citizen")
    number = citizen.post(CASES, json=filing(people), headers=key).raise_for_status().json()["number"]
    other = people.example(ITEM) | {"telephone": "13800000001"}
    with nothing_saved(people, number):
        problem_of(citizen.post(CASES, json=filing(people, form=other), headers=key), 422)
        problem_of(citizen.post(CASES, json=filing(people, item="elderly-card"), headers=key), 422)
        problem_of(citizen.post(CASES, json=filing(people, documents=[]), headers=key), 422)
    assert citizen.post(CASES, json=filing(people), headers=key).json()["number"] == number
    # the answer was lost, and meanwhile another version was published
    assert citizen.post(CASES, json=filing(people, item_version=1), headers=key).json()["number"] == number


@pytest.mark.parametrize("day", ["2027-02-30", "2027-02-29", "2027-13-01", "30.02.2027", "2020-01-02", "2099-01-02"])
def test_a_day_that_does_not_exist_or_is_none_to_answer_by(people, case, day):
    with nothing_saved(people, case):
        problem = problem_of(people.act("clerk", case, "request_correction", note="x", until=day), 422)
    assert pointers(problem) == ["/until"]
