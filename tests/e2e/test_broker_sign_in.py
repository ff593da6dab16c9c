"""A hospital's program at the broker of a whole platform: signed in with a token, and out when an operator says so."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pika
import pytest
from pika.exceptions import ConnectionClosedByBroker, ProbableAuthenticationError

from deploy.local.platform import Platform
from tests.processes import wait_until

SECRET = "a-secret-of-the-hospital"
AskToken = Callable[..., httpx2.Response]


@pytest.fixture(scope="module")
def base(platform: Platform) -> str:
    return platform.environment["ONEHALL_BASE_URL"]


@pytest.fixture(scope="module")
def onehall(platform: Platform) -> Callable[..., None]:
    def run(*arguments: str) -> None:
        command = [sys.executable, "-m", "cli", *arguments]
        subprocess.run(command, env=os.environ | platform.environment, capture_output=True, check=True)

    return run


@pytest.fixture
def hospital(onehall: Callable[..., None]) -> Iterator[str]:
    """The client id of its program, which is disabled in the end."""
    owner = f"hospital-{uuid.uuid4().hex[:8]}"
    onehall(
        *("client", "add", f"{owner}-program", "--secret", SECRET, "--organisation", owner),
        *("--grant", "client_credentials", "--scope", "cases events"),
    )
    yield f"{owner}-program"
    onehall("client", "disable", f"{owner}-program")


@pytest.fixture
def ask_token(base: str, hospital: str) -> AskToken:
    def ask_token(**form: str) -> httpx2.Response:
        form |= {"grant_type": "client_credentials"}
        return httpx2.post(f"{base}/oauth/token", auth=(hospital, SECRET), data=form)

    return ask_token


@pytest.fixture
def connect(platform: Platform) -> Iterator[Callable[[httpx2.Response], Any]]:
    opened = []

    def connect(answer: httpx2.Response) -> Any:
        account = pika.PlainCredentials("", answer.raise_for_status().json()["access_token"])
        connection = pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", platform.ports["broker"], "/", account)
        )
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        if connection.is_open:
            connection.close()


def test_a_disabled_program_is_out_within_seconds_and_comes_back_when_enabled(
    hospital: str, ask_token: AskToken, connect: Callable[[httpx2.Response], Any], onehall: Callable[..., None]
) -> None:
    connection = connect(ask_token(resource="urn:onehall:rabbitmq"))
    onehall("client", "disable", hospital)

    def reason() -> str | None:
        try:
            connection.process_data_events(0)
        except ConnectionClosedByBroker as error:
            return str(error.reply_text)
        return None

    assert "the client is disabled" in wait_until("the connection is closed", reason, seconds=15)
    assert ask_token(resource="urn:onehall:rabbitmq").json()["error"] == "invalid_client"

    onehall("client", "enable", hospital)
    assert connect(ask_token(resource="urn:onehall:rabbitmq")).is_open


def test_a_token_is_good_where_it_is_for(
    base: str, ask_token: AskToken, connect: Callable[[httpx2.Response], Any]
) -> None:
    with pytest.raises(ProbableAuthenticationError):
        connect(ask_token())
    for_the_broker = ask_token(resource="urn:onehall:rabbitmq").json()["access_token"]
    answer = httpx2.get(f"{base}/api/v1/subscriptions", headers={"Authorization": f"Bearer {for_the_broker}"})
    assert answer.status_code == httpx2.codes.UNAUTHORIZED
