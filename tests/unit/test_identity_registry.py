"""The adapter to the register of persons, against the local register over HTTP."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator

import httpx2
import pytest

from deploy.local.registry import CLIENT_ID, TOKEN_SECONDS, Register, demo_names, make_server
from services.identity.persons.identifiers import with_check_digit
from services.identity.persons.registry import Outcome, Registry, open_registry

NUMBER, NAME = next(iter(demo_names().items()))


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def register(clock: Clock) -> Register:
    return Register("its secret?&%", now=clock)


@pytest.fixture
def url(register: Register) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, register)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def registry(url: str, clock: Clock) -> Registry:
    return Registry(httpx2.Client(base_url=url, timeout=5), CLIENT_ID, "its secret?&%", clock)


def born(year: int) -> str:
    return with_check_digit(f"110101{year}0101001")


@pytest.mark.parametrize(
    ("name", "number", "outcome"),
    [
        (NAME, NUMBER, Outcome.MATCH),
        ("别人", NUMBER, Outcome.NO_MATCH),
        (NAME, born(1990), Outcome.NO_MATCH),
        ("whoever", born(1891), Outcome.MATCH),
        (NAME, born(1892), Outcome.UNAVAILABLE),
        (NAME, born(1893), Outcome.LIMITED),
    ],
)
def test_the_register_answers(registry: Registry, name: str, number: str, outcome: Outcome) -> None:
    assert registry.check(name, number) is outcome


def test_one_token_does_for_many_questions_and_a_dead_one_is_replaced(
    registry: Registry, register: Register, clock: Clock
) -> None:
    for _ in range(3):
        assert registry.check(NAME, NUMBER) is Outcome.MATCH
    assert len(register.tokens) == 1
    register.tokens.clear()
    assert registry.check(NAME, NUMBER) is Outcome.MATCH
    clock.now += TOKEN_SECONDS
    assert registry.check(NAME, NUMBER) is Outcome.MATCH
    assert len(register.tokens) == 2


def test_it_is_left_alone_for_as_long_as_it_says(registry: Registry, clock: Clock) -> None:
    assert registry.check(NAME, born(1893)) is Outcome.LIMITED
    assert registry.check(NAME, NUMBER) is Outcome.LIMITED
    clock.now += 3
    assert registry.check(NAME, NUMBER) is Outcome.MATCH


def test_who_is_not_its_client_gets_no_answer(url: str) -> None:
    assert open_registry(url, CLIENT_ID, "wrong").check(NAME, NUMBER) is Outcome.UNAVAILABLE
    answer = httpx2.post(f"{url}/v1/identity-checks", json={"name": NAME, "id_number": NUMBER})
    assert answer.status_code == 401
    assert httpx2.post(f"{url}/v1/identity-checks", content=b"x" * 10_000).status_code == 413


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>"),
        httpx2.Response(200, json={"result": "perhaps"}),
        httpx2.Response(200, json={"result": None}),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={"result": "match", "more": "x" * 20_000}),
        httpx2.Response(302, headers={"Location": "https://elsewhere.example/"}),
        httpx2.Response(500),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("late"),
    ],
)
def test_an_answer_that_is_none_is_no_match_either(
    answer: httpx2.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return httpx2.Response(200, json={"access_token": "t", "expires_in": 60})
        if isinstance(answer, Exception):
            raise answer
        return answer

    http = httpx2.Client(base_url="https://register.example", transport=httpx2.MockTransport(handle))
    with caplog.at_level(logging.DEBUG, "services.identity"):
        assert Registry(http, "us", "secret").check(NAME, NUMBER) is Outcome.UNAVAILABLE
    assert NUMBER not in json.dumps(caplog.text)
    assert NAME not in caplog.text
