"""A subscriber that is far behind: a long history, and a subscription to all of it that nobody reads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import httpx2
import psycopg2
from psycopg2.extras import execute_values

from chassis.history import LAST_POSITION
from contracts import topology
from contracts.envelope import Envelope
from contracts.events import CaseSubmitted
from deploy.local.platform import Platform
from tests.people import department
from tests.processes import wait_until

EVENTS = 100_000
DEPARTMENT = "market-regulation"
NAME = "behind"
QUEUE = topology.subscription_queue(DEPARTMENT, NAME).name
REPLAY_SECONDS = 300


def add_history(platform: Platform) -> None:
    """Events of the department that were published before anybody subscribed, one for each of as many cases."""
    platform.stop("relay-cases")  # it counts positions by itself
    url = platform.environment["ONEHALL_CASES_DATABASE_URL"]
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LAST_POSITION)
        (last,) = cursor.fetchone()
        statement = "INSERT INTO outbox (event_id, subject, sequence, routing_key, body, position) VALUES %s"
        execute_values(cursor, statement, _rows(last), page_size=1000)
    platform.start("relay-cases")


def _rows(last: int) -> Iterator[tuple[str, str, int, str, str, int]]:
    for position in range(last + 1, last + 1 + EVENTS):
        event = CaseSubmitted(uuid.uuid4().hex, "sole-trader", DEPARTMENT, "511602", "licence", "somebody")
        envelope = Envelope(str(uuid.uuid4()), 1, datetime.now(UTC), "web", "citizen", event)
        yield envelope.id, envelope.subject, 1, event.routing_key, envelope.to_json(), position


@contextmanager
def far_behind(platform: Platform) -> Iterator[None]:
    """A subscription from the beginning, filled by the relay and read by nobody, as long as the block."""
    with department(platform, DEPARTMENT) as client:
        wanted = {"name": NAME, "start": "beginning"}
        client.post("/api/v1/subscriptions", json=wanted).raise_for_status()
        wait_until("it hears what is new", lambda: _subscription(client)["status"] == "active", REPLAY_SECONDS)
    yield
    with department(platform, DEPARTMENT) as client:
        client.delete(f"/api/v1/subscriptions/{NAME}").raise_for_status()


def _subscription(client: httpx2.Client) -> dict[str, object]:
    found: dict[str, object] = client.get(f"/api/v1/subscriptions/{NAME}").raise_for_status().json()
    return found
