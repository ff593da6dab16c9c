"""Every process tells how it is, and one request can be followed through all of them."""

import json
import uuid
from contextlib import closing, contextmanager

import httpx2
import psycopg2
import pytest

from contracts import topology
from tests.processes import wait_until

PROCESSES = [process.name for process in topology.processes()]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_healthy_and_shows_its_metrics(platform, name):
    address = f"http://127.0.0.1:{platform.ports[name]}"
    assert httpx2.get(f"{address}/healthz").status_code == httpx2.codes.OK
    assert "onehall_" in httpx2.get(f"{address}/metrics").text


def test_one_trace_from_the_door_through_every_process_to_what_time_brings(platform, people):
    """HTTP, RPC, outbox, event, handler, scheduled event, its event, its handler."""
    trace_id, correlation_id = uuid.uuid4().hex, str(uuid.uuid4())
    headers = {"X-Request-ID": correlation_id, "traceparent": f"00-{trace_id}-{uuid.uuid4().hex[:16]}-01"}
    body = {"item": "residence-permit", "form": people.example("residence-permit")}
    filed = people.sign_in("citizen").post("/api/v1/cases", json=body, headers=headers)
    assert filed.headers["X-Request-ID"] == correlation_id
    number = filed.json()["number"]
    for username, action in (("clerk", "accept"), ("officer", "approve")):
        acted = {"action": action}
        person = people.sign_in(username)
        person.post(f"/api/v1/cases/{number}/actions", json=acted, headers=headers).raise_for_status()

    wait_until("the reminder is planned", lambda: _make_due(platform, number))
    wait_until("the citizen is reminded", lambda: "rating.reminded" in _told(people, number))

    events = [*_events(platform, "cases", number), *_events(platform, "rating", number)]
    assert {event["type"] for event in events} >= {"case.submitted", "case.closed", "rating.invited", "rating.reminded"}
    assert {event["correlationid"] for event in events} == {correlation_id}
    assert {event["traceparent"].split("-")[1] for event in events} == {trace_id}
    assert len({event["traceparent"] for event in events}) > 3, "each hop is a span of its own"
    # the gateway tells of each request, rating of what it did when the time had come
    wait_until("both have logged it", lambda: _processes_that_logged(platform, trace_id) >= {"gateway", "rating"})


def _processes_that_logged(platform, trace_id):
    found = set()
    for log in platform.state.log.glob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if f"00-{trace_id}-" in line:
                found.add(json.loads(line)["process"])
    return found


def _make_due(platform, number):
    """The day has come."""
    with _connected(platform, "rating") as cursor:
        cursor.execute("UPDATE schedule SET next_at = now(), due_at = now() WHERE key = %s", (number,))
        return cursor.rowcount


def _told(people, number):
    messages = people.sign_in("citizen").get("/api/v1/inbox").json()["items"]
    return {message["event"] for message in messages if message["number"] == number}


def _events(platform, service, number):
    with _connected(platform, service) as cursor:
        cursor.execute("SELECT body FROM outbox WHERE subject = %s ORDER BY id", (number,))
        return [json.loads(body) for (body,) in cursor.fetchall()]


@contextmanager
def _connected(platform, service):
    url = platform.environment[f"ONEHALL_{service.upper()}_DATABASE_URL"]
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        yield cursor


def test_the_door_describes_the_api_and_the_events(platform):
    base = platform.environment["ONEHALL_BASE_URL"]
    assert "/api/v1/cases" in httpx2.get(f"{base}/api/openapi.json").json()["paths"]
    events = httpx2.get(f"{base}/api/asyncapi.json").json()
    assert "case.submitted" in events["channels"]
    token = events["components"]["securitySchemes"]["token"]
    provider = httpx2.get(f"{base}/.well-known/openid-configuration").json()
    assert token["flows"]["clientCredentials"]["tokenUrl"] == provider["token_endpoint"]


def test_a_personal_detail_is_in_no_log(platform, people):
    people.file().raise_for_status()
    secret = str(people.example("residence-permit")["id_number"])
    logs = "".join(log.read_text(errors="replace") for log in platform.state.log.glob("*.log*"))
    assert secret not in logs
    assert "onehall-demo" not in logs
