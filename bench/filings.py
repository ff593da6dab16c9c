"""Filings a second through the gateway, mails and inbox entries included, over an echo RPC through the gateway."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import uuid

import psycopg2

from bench.http_load import Request, send
from bench.logged import logged
from cli.demo import ITEM, PASSWORD
from cli.oidc import Client, sign_in
from contracts.topology import port
from deploy.local.platform import Platform
from tests.processes import wait_until

CONNECTIONS = 16
FILINGS = 2_000
ECHOES = 5_000
ROUNDS = 3


def measure(platform: Platform) -> tuple[float, float]:
    """Filings a second until the last mail is out, and echoes a second: medians of alternating rounds."""
    token, form = prepare(platform)
    filings, echoes = [], []
    for _ in range(ROUNDS):
        echoes.append(measure_echo(platform, token))
        filings.append(_measure_filings(platform, token, form))
    return statistics.median(filings), statistics.median(echoes)


def prepare(platform: Platform) -> tuple[str, dict[str, object]]:
    """A citizen's access token, and a form that passes."""
    base = platform.environment["ONEHALL_BASE_URL"]
    citizen = sign_in(base, Client("app", "http://127.0.0.1:9777/callback"), "citizen", PASSWORD)
    form = citizen.get(f"/api/v1/items/{ITEM}").raise_for_status().json()["example"]
    return citizen.token["access_token"], form


def filing(token: str, form: dict[str, object]) -> Request:
    return Request(
        "/api/v1/cases",
        "POST",
        (f"Authorization: Bearer {token}", f"Idempotency-Key: {uuid.uuid4()}"),
        json.dumps({"item": ITEM, "form": form}).encode(),
    )


def _measure_filings(platform: Platform, token: str, form: dict[str, object]) -> float:
    gateway = int(platform.environment["ONEHALL_PORT"])
    with psycopg2.connect(platform.environment["ONEHALL_NOTIFY_DATABASE_URL"]) as connection:
        connection.autocommit = True
        told = _count(connection, "sent")
        started = time.perf_counter()
        asyncio.run(send(gateway, lambda _: filing(token, form), count=FILINGS, connections=CONNECTIONS, expect=201))
        wait_until("every mail is out", lambda: _count(connection, "sent") >= told + FILINGS, 300)
        return FILINGS / (time.perf_counter() - started)


def _count(connection: psycopg2.extensions.connection, status: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM deliveries WHERE status = %s", (status,))
        return int(cursor.fetchone()[0])


def measure_echo(platform: Platform, token: str) -> float:
    """The real gateway with one more route, and a service that does nothing, in place of the others."""
    gateway = int(platform.environment["ONEHALL_PORT"])
    echo_port, service_port = port(gateway, 50), port(gateway, 51)
    request = Request("/bench/echo", headers=(f"Authorization: Bearer {token}",))
    platform.stop("rating")
    with (
        logged(platform, ["bench.echo"], ONEHALL_HTTP_PORT=str(service_port)),
        logged(platform, ["bench.echo_gateway"], ONEHALL_BENCH_PORT=str(echo_port)),
    ):
        wait_until("the echo answers", lambda: _answers(echo_port, request))
        seconds = asyncio.run(send(echo_port, lambda _: request, count=ECHOES, connections=CONNECTIONS, expect=200))
    platform.start("rating")
    return ECHOES / seconds


def _answers(echo_port: int, request: Request) -> bool:
    try:
        asyncio.run(send(echo_port, lambda _: request, count=1, connections=1, expect=200))
    except Exception:
        return False
    return True
