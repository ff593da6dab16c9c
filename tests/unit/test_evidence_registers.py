"""The adapter to registers of evidence, against the local registers over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from deploy.local import evidence_registers
from deploy.local.evidence_registers import BIRTHS, HOSPITAL_SECRET, HOUSEHOLDS_SECRET
from deploy.local.registry import CLIENT_ID, Register, demo_names, make_server
from services.cases.catalogue.files import shipped
from services.cases.registries import adapter
from services.cases.registries.adapter import (
    LARGEST_ANSWER,
    Answer,
    HttpRegistry,
    NoAnswer,
    Question,
    Result,
    open_registry,
)
from services.cases.registries.kinds import all_kinds

MOTHER = BIRTHS["Z510000001"]["mother_id_number"]
BIRTH = all_kinds()["birth-medical-certificate"]


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def url(register: Register) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, register)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def birth(number: str, mother: str = MOTHER) -> Question:
    keys = {"certificate_number": number, "mother_id_number": mother}
    return Question("0b6b0c4e-0000-4000-8000-000000000001", BIRTH, keys, "birth-registration")


def ask(url: str, *questions: Question, secret: str = HOSPITAL_SECRET) -> list[Answer | NoAnswer]:
    async def run() -> list[Answer | NoAnswer]:
        registry = open_registry(url, CLIENT_ID, secret)
        try:
            return [await _asked(registry, question) for question in questions]
        finally:
            await registry.close()

    return asyncio.run(run())


async def _asked(registry: HttpRegistry, question: Question) -> Answer | NoAnswer:
    try:
        return await registry.look_up(question)
    except NoAnswer as none:
        return none


def test_the_hospital_says_what_it_has_of_a_birth(url: str, register: Register) -> None:
    (answer,) = ask(f"{url}/hospital", birth("Z510000001"))
    assert isinstance(answer, Answer)
    assert (answer.result, answer.fields["child_name"]) == (Result.PROVIDED, "王安安")
    assert register.others["/hospital"].asked == ["0b6b0c4e-0000-4000-8000-000000000001"]


def test_a_household_is_found_by_the_number_of_one_who_lives_there(url: str) -> None:
    number, name = next(iter(demo_names().items()))
    question = Question("1", all_kinds()["household-register"], {"id_number": number}, "birth-registration")
    (answer,) = ask(f"{url}/households", question, secret=HOUSEHOLDS_SECRET)
    assert isinstance(answer, Answer)
    assert answer.fields["head_name"] == name


@pytest.mark.parametrize(
    ("number", "mother", "result"),
    [
        ("Z999999999", MOTHER, Result.NOT_FOUND),
        # a number alone opens nobody's record
        ("Z510000001", "110101189001010019", Result.NOT_FOUND),
        ("C000000001", MOTHER, Result.NEEDS_CITIZEN),
    ],
)
def test_what_it_has_not_it_says(url: str, number: str, mother: str, result: Result) -> None:
    (answer,) = ask(f"{url}/hospital", birth(number, mother))
    assert answer == Answer(result)


@pytest.mark.parametrize(
    ("number", "word", "retry_after"),
    [("U000000001", "status-503", 2), ("L000000001", "status-429", 2), ("B000000001", "breaks-its-schema", 0)],
)
def test_no_answer_is_no_answer(url: str, number: str, word: str, retry_after: float) -> None:
    (answer,) = ask(f"{url}/hospital", birth(number))
    assert isinstance(answer, NoAnswer)
    assert (answer.word, answer.retry_after) == (word, retry_after)


def test_a_slow_one_is_waited_for_only_so_long(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(evidence_registers, "SLOW_SECONDS", 0.6)
    (answer,) = ask(f"{url}/hospital", birth("W000000001"))
    assert isinstance(answer, NoAnswer)
    assert answer.word in ("timeout", "ReadTimeout")


@pytest.mark.parametrize(
    ("path", "secret", "word"),
    [
        ("/hospital", "wrong", "token-401"),
        # of another register
        ("/hospital", HOUSEHOLDS_SECRET, "token-401"),
        # a wrong address is not a register that has looked
        ("/nowhere", HOSPITAL_SECRET, "token-404"),
    ],
)
def test_who_is_not_known_there_hears_nothing(url: str, path: str, secret: str, word: str) -> None:
    (answer,) = ask(f"{url}{path}", birth("Z510000001"), secret=secret)
    assert isinstance(answer, NoAnswer)
    assert answer.word == word


def test_nobody_there(url: str) -> None:
    (answer,) = ask("http://127.0.0.1:9", birth("Z510000001"))
    assert isinstance(answer, NoAnswer)
    assert answer.word == "ConnectError"


def test_one_token_does_for_many_questions_and_a_dead_one_is_replaced(url: str, register: Register) -> None:
    tokens = register._tokens_of["/hospital"].tokens

    async def run() -> tuple[int, int]:
        registry = open_registry(f"{url}/hospital", CLIENT_ID, HOSPITAL_SECRET)
        await registry.look_up(birth("Z510000001"))
        await registry.look_up(birth("Z510000002"))
        once = len(tokens)
        tokens.clear()
        await registry.look_up(birth("Z510000001"))
        await registry.close()
        return once, len(tokens)

    assert asyncio.run(run()) == (1, 1)


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (200, b"<html>", "unreadable"),
        (200, b'{"result": "perhaps"}', "unreadable"),
        (200, b"[]", "unreadable"),
        (200, b'{"result": "not-found"}', "status-200"),
        (404, b'{"error": "no such page"}', "unreadable"),
        (404, b'{"result": "provided"}', "status-404"),
        (200, b'{"result": "provided"}', "breaks-its-schema"),
        (200, b'{"result": "provided", "fields": {"more": "than we know"}}', "breaks-its-schema"),
        (200, b'{"result": "provided", "valid_until": "soon"}', "unreadable"),
        (302, b'{"result": "provided"}', "status-302"),
        (200, b" " * (LARGEST_ANSWER + 1), "too-large"),
    ],
)
def test_what_a_register_may_not_say_is_no_answer(
    url: str, register: Register, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, word: str
) -> None:
    (answer,) = _with_answer(url, register, monkeypatch, status, body)
    assert isinstance(answer, NoAnswer)
    assert answer.word == word


def _with_answer(
    url: str, register: Register, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> list[Answer | NoAnswer]:
    monkeypatch.setattr(json, "dumps", _answering(json.dumps, body))
    register.others["/hospital"].find = lambda kind, keys: (status, {"_": "raw"}, {"Location": f"{url}/elsewhere"})
    return ask(f"{url}/hospital", birth("Z510000001"))


def _answering(dumps, body):
    """The register's own JSON, but for what it says of this question."""
    return lambda content, **more: body.decode() if content == {"_": "raw"} else dumps(content, **more)


def test_nothing_that_was_asked_stands_in_an_address_or_a_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(f"{url}/hospital", birth("U000000001"), birth("Z510000001"), birth("B000000001"))
    assert MOTHER not in caplog.text
    assert "Z510000001" not in caplog.text
    assert MOTHER not in repr(birth("Z510000001"))


def test_every_kind_is_a_paper_that_the_catalogue_knows_and_each_field_has_its_names() -> None:
    papers = {
        proof for item in shipped().all() for each in item.description.get("documents", ()) for proof in each["proofs"]
    }
    for kind in all_kinds().values():
        assert kind.code in papers
        assert set(kind.required) <= set(kind.fields)
        assert kind.ways.keys() == kind.fields.keys()
        for field in kind.fields.values():
            assert set(field["x-title"]) == {"zh-Hans", "zh-Hant", "en"}
            assert all(set(label) == {"zh-Hans", "zh-Hant", "en"} for label in field.get("x-labels", {}).values())
