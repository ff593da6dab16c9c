"""Every process tells how it is, and one request can be followed through all of them."""

import json
import uuid

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


def test_one_correlation_id_from_the_door_to_the_last_handler(platform, people):
    correlation_id = str(uuid.uuid4())
    citizen = people.sign_in("citizen")
    body = {"item": "residence-permit", "form": people.example("residence-permit")}
    filed = citizen.post("/api/v1/cases", json=body, headers={"X-Request-ID": correlation_id})
    assert filed.headers["X-Request-ID"] == correlation_id

    def logged_by():
        found = set()
        for log in platform.state.log.glob("*.log"):
            for line in log.read_text(errors="replace").splitlines():
                if correlation_id in line:
                    found.add(json.loads(line)["process"])
        return found

    wait_until("the gateway has logged it", lambda: "gateway" in logged_by())
    event = wait_until("the event is there", lambda: _event(platform, filed.json()["number"]))
    assert event["correlationid"] == correlation_id
    assert event["traceparent"].startswith("00-")


def _event(platform, number):
    url = platform.environment["ONEHALL_CASES_DATABASE_URL"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT body FROM outbox WHERE subject = %s", (number,))
        row = cursor.fetchone()
    return row and json.loads(row[0])


def test_the_door_describes_the_api_and_the_events(platform):
    base = platform.environment["ONEHALL_BASE_URL"]
    assert "/api/v1/cases" in httpx2.get(f"{base}/api/openapi.json").json()["paths"]
    assert "case.submitted" in httpx2.get(f"{base}/api/asyncapi.json").json()["channels"]


def test_a_personal_detail_is_in_no_log(platform, people):
    people.file().raise_for_status()
    secret = str(people.example("residence-permit")["id_number"])
    logs = "".join(log.read_text(errors="replace") for log in platform.state.log.glob("*.log*"))
    assert secret not in logs
    assert "onehall-demo" not in logs
