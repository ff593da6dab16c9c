"""What people wait for among 10,000 cases and among 1,000,000: my cases, one case, a department's worklist; and filing
among none and among 1,000,000."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import closing
from dataclasses import dataclass

import psycopg2

from bench import many_cases
from bench.filings import filing
from bench.http_load import Connection, Request, send
from cli.demo import ITEM, PASSWORD
from cli.oidc import Client, sign_in
from deploy.local import database
from deploy.local.platform import Platform
from services.cases.case_number import is_case_number
from tests.processes import wait_until

FEW, MANY = 10_000, 1_000_000
AIMED = ("my cases", "one case", "a department's worklist")
READS = 400
ROUNDS = 3
FILINGS = 400
CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """95th percentiles in milliseconds by the name of what was read, and filings a second."""

    reads_of_few: dict[str, float]
    reads_of_many: dict[str, float]
    filings_to_none: float
    filings_to_many: float


@dataclass(frozen=True, slots=True)
class _People:
    """Who asks at which port, with their tokens."""

    port: int
    citizen: str
    officer: str
    form: dict[str, object]


def measure(platform: Platform) -> Measured:
    """`platform` has few cases, and a million when this is over."""
    account = _account_of(platform)
    filings_to_none = _filings(platform, _sign_in(platform))
    _fill(platform, account, 1, FEW)
    few = _reads(platform, _sign_in(platform))
    _fill(platform, account, FEW + 1, MANY)
    # again: filling takes as long as a token is good for
    people = _sign_in(platform)
    return Measured(few, _reads(platform, people), filings_to_none, _filings(platform, people))


def _sign_in(platform: Platform) -> _People:
    base = platform.environment["ONEHALL_BASE_URL"]
    citizen, officer = (
        sign_in(base, Client("app", "http://127.0.0.1:9777/callback"), name, PASSWORD)
        for name in ("citizen", "officer")
    )
    with closing(citizen), closing(officer):
        form = citizen.get(f"/api/v1/items/{ITEM}").raise_for_status().json()["example"]
        port = int(platform.environment["ONEHALL_PORT"])
        return _People(port, citizen.token["access_token"], officer.token["access_token"], form)


def _fill(platform: Platform, account: str, first: int, end: int) -> None:
    many_cases.fill(platform.environment["ONEHALL_CASES_DATABASE_URL"], account, first, end)
    _write_out(platform)


def _reads(platform: Platform, people: _People) -> dict[str, float]:
    number = _one_of(platform.environment["ONEHALL_CASES_DATABASE_URL"])
    department = "/api/v1/cases?handler=civil-affairs&sort=limit"
    mine, staff = _as(people.citizen), _as(people.officer)
    requests = {
        "my cases": Request("/api/v1/cases", headers=mine),
        "one case": Request(f"/api/v1/cases/{number}", headers=staff),
        "a department's worklist": Request(department, headers=staff),
        "a department's cases, filtered": Request("/api/v1/cases?status=refused&channel=kiosk", headers=staff),
        "a department's figures": Request("/api/v1/statistics/cases", headers=staff),
    }
    return {name: _late(people.port, request) for name, request in requests.items()}


def _write_out(platform: Platform) -> None:
    """What was filled goes to the disk now, not while people file: that is no part of what they wait for."""
    with closing(database.connect(platform.ports["database"], platform.secret["database"])) as connection:
        connection.autocommit = True
        connection.cursor().execute("CHECKPOINT")


def _late(port: int, request: Request) -> float:
    """The 95th percentile of the best of some rounds: what the machine does beside is none of it."""
    return min(asyncio.run(_ask(port, request)) for _ in range(ROUNDS))


async def _ask(port: int, request: Request) -> float:
    connection = await Connection.open(port)
    spent = []
    for _ in range(READS):
        begun = time.perf_counter()
        await connection.ask(request, 200)
        spent.append((time.perf_counter() - begun) * 1000)
    connection.close()
    return statistics.quantiles(spent, n=20)[18]


def _filings(platform: Platform, people: _People) -> float:
    """A second, the best round; between rounds the mails go out."""
    best = 0.0
    for _ in range(ROUNDS):
        _wait_for_mails(platform)
        seconds = asyncio.run(
            send(
                people.port,
                lambda _: filing(people.citizen, people.form),
                count=FILINGS,
                connections=CONNECTIONS,
                expect=201,
            )
        )
        best = max(best, FILINGS / seconds)
    return best


def _wait_for_mails(platform: Platform) -> None:
    with psycopg2.connect(platform.environment["ONEHALL_NOTIFY_DATABASE_URL"]) as connection:
        connection.autocommit = True

        def is_quiet() -> bool:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM deliveries WHERE status NOT IN ('sent', 'failed')")
                return int(cursor.fetchone()[0]) == 0

        wait_until("every mail is out", is_quiet, 120)


def _account_of(platform: Platform) -> str:
    url = platform.environment["ONEHALL_IDENTITY_DATABASE_URL"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT subject FROM accounts WHERE username = 'citizen'")
        return str(cursor.fetchone()[0])


def _one_of(url: str) -> str:
    """A closed case in the middle of the department's."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT number FROM cases WHERE department = 'civil-affairs' AND status = 'closed'"
            " AND number < to_char(current_date - 700, 'YYYYMMDD') ORDER BY number DESC LIMIT 1"
        )
        number = str(cursor.fetchone()[0])
    if not is_case_number(number):
        raise ValueError(number)
    return number


def _as(token: str) -> tuple[str, ...]:
    return (f"Authorization: Bearer {token}",)
