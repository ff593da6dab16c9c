"""A department and a hospital subscribe over the API and read what comes with the departments' library."""

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from sqlalchemy import text

from chassis.database import Database
from cli.demo import SECRET
from departments import BrokerUnreachable, ClientCredentials, QueueNotFound, Subscriber
from tests.processes import wait_until

SUBSCRIPTIONS = "/api/v1/subscriptions"


@pytest.fixture(scope="module")
def base(platform):
    return platform.environment["ONEHALL_BASE_URL"]


@pytest.fixture(scope="module")
def client_of(base):
    """A program's HTTP client with an access token of its own."""

    def sign_in(client_id, secret=SECRET, **more):
        answer = httpx2.post(
            f"{base}/oauth/token", auth=(client_id, secret), data={"grant_type": "client_credentials", **more}
        )
        token = answer.raise_for_status().json()["access_token"]
        return httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"})

    return sign_in


@pytest.fixture(scope="module")
def department(client_of):
    with client_of("dept-civil-affairs") as client:
        yield client


@pytest.fixture
def name():
    return f"s-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def onehall(platform):
    """The operators' command line on this platform."""

    def run(*arguments):
        command = [sys.executable, "-m", "cli", *arguments]
        done = subprocess.run(command, env=os.environ | platform.environment, capture_output=True, check=True)
        return done.stdout.decode()

    return run


class Heard:
    """What came: each event's subject, type and the replay that brought it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str | None]] = []

    def of(self, *numbers: str, replay: str | None = None) -> list[tuple[str, str]]:
        return [(number, kind) for number, kind, by in self.events if number in numbers and by == replay]


@contextmanager
def reading(subscriber: Subscriber) -> Iterator[Heard]:
    heard = Heard()
    thread = threading.Thread(
        target=subscriber.run,
        args=[lambda envelope: heard.events.append((envelope.subject, envelope.type, subscriber.replay))],
    )
    thread.start()
    try:
        yield heard
    finally:
        subscriber.stop()
        thread.join()


@pytest.fixture
def subscriber_of(platform, base) -> Callable[..., Subscriber]:
    host = platform.environment["AMQP_URI"].rpartition("@")[2]

    def subscriber(queue, client_id="dept-civil-affairs", secret=SECRET):
        return Subscriber(f"amqp://{host}", queue, credentials=ClientCredentials(base, client_id, secret))

    return subscriber


def create(client, name, **more):
    response = client.post(SUBSCRIPTIONS, json={"name": name, **more})
    assert response.status_code == httpx2.codes.CREATED, response.text
    return response.json()


def is_active(client, name):
    return client.get(f"{SUBSCRIPTIONS}/{name}").raise_for_status().json()["status"] == "active"


def test_from_the_beginning_comes_all_history_and_then_what_is_new(people, department, subscriber_of, name):
    before = people.file().json()["number"]
    people.act("clerk", before, "accept").raise_for_status()
    made = create(department, name, start="beginning", filter={"items": "residence-permit"})
    assert made["queue"] == f"dept.civil-affairs.{name}"
    wait_until("the subscription is active", lambda: is_active(department, name))
    after = people.file().json()["number"]
    with reading(subscriber_of(made["queue"])) as heard:
        expected = [(before, "case.submitted"), (before, "case.accepted"), (after, "case.submitted")]
        wait_until("all of it came", lambda: len(heard.of(before, after)) >= len(expected))
        assert heard.of(before, after) == expected

        asked = department.post(f"{SUBSCRIPTIONS}/{name}/replays", json={"from": "beginning"})
        assert asked.status_code == httpx2.codes.ACCEPTED
        replay = asked.json()["id"]
        wait_until("all of it came again", lambda: len(heard.of(before, after, replay=replay)) >= len(expected))
        assert heard.of(before, after, replay=replay) == expected
        assert heard.of(before, after) == expected

    def finished():
        (last, first) = department.get(f"{SUBSCRIPTIONS}/{name}/replays").json()["items"]
        return (last["id"], last["remaining"], first["kind"]) == (replay, 0, "start") and last["finished_at"]

    wait_until("the replay is finished", finished)


def test_from_now_comes_what_passes_the_filter_and_no_history(people, department, subscriber_of, name):
    before = people.file().json()["number"]
    people.history(before)
    made = create(department, name, filter={"types": ["case.accepted"], "items": ["residence-permit"]})
    wait_until("the subscription is active", lambda: is_active(department, name))
    number, other = people.file().json()["number"], people.file(item="elderly-card").json()["number"]
    people.act("clerk", other, "accept").raise_for_status()
    people.act("clerk", number, "accept").raise_for_status()
    with reading(subscriber_of(made["queue"])) as heard:
        wait_until("it came", lambda: heard.events)
    assert heard.events == [(number, "case.accepted", None)]


def test_an_ended_one_loses_its_queue_and_its_name_is_free(department, subscriber_of, name):
    made = create(department, name)
    wait_until("the subscription is active", lambda: is_active(department, name))
    assert department.delete(f"{SUBSCRIPTIONS}/{name}").status_code == httpx2.codes.NO_CONTENT
    assert department.get(f"{SUBSCRIPTIONS}/{name}").status_code == httpx2.codes.NOT_FOUND
    again = {"name": name, "filter": {"items": ["elderly-card"]}}
    wait_until("the name is free", lambda: department.post(SUBSCRIPTIONS, json=again).is_success)
    department.delete(f"{SUBSCRIPTIONS}/{name}").raise_for_status()

    def is_gone():
        try:
            with reading_once(subscriber_of(made["queue"])):
                return False
        except QueueNotFound:
            return True
        except BrokerUnreachable:
            # RabbitMQ 3.10 ends a connection with 541 that begins to consume just when the queue is deleted
            return False

    wait_until("the queue is gone", is_gone)


@contextmanager
def reading_once(subscriber):
    subscriber.stop()
    subscriber.run(lambda _: None)
    yield


def test_a_hospital_hears_under_its_agreement_until_that_ends(people, onehall, client_of, subscriber_of, name):
    hospital = f"hospital-{name}"
    grant = ("--grant", "client_credentials", "--scope", "cases events", "--organisation", hospital)
    onehall("client", "add", hospital, "--secret", SECRET, *grant)
    cards = {"items": ["elderly-card"], "types": ["case.submitted"]}
    with client_of(hospital) as client:
        refused = client.post(SUBSCRIPTIONS, json={"name": name, "filter": cards})
        problem = problem_of(refused, 403)
        assert problem["type"] == "urn:onehall:problem:agreement-needed"

        terms = ("--item", "elderly-card", "--type", "case.submitted", "--reference", "R")
        end = datetime.now(UTC) + timedelta(hours=1)
        agreement = onehall("agreement", "add", hospital, "--until", f"{end:%Y-%m-%dT%H:%M:%S}", *terms)
        problem_of(client.post(SUBSCRIPTIONS, json={"name": name}), 403)
        made = create(client, name, filter=cards)
        assert made["ends_at"] == json.loads(agreement)["ends_at"]
        wait_until("the subscription is active", lambda: is_active(client, name))
        number = people.file(item="elderly-card").json()["number"]
        people.file()
        with reading(subscriber_of(made["queue"], hospital)) as heard:
            wait_until("it came", lambda: heard.events)
        assert heard.events == [(number, "case.submitted", None)]
        # an agreement is about events: it opens no case
        assert client.get(f"/api/v1/cases/{number}").status_code == httpx2.codes.NOT_FOUND
        assert client.get("/api/v1/cases").status_code == httpx2.codes.FORBIDDEN

        onehall("agreement", "end", hospital, "--reference", "R")
        ended = client.get(f"{SUBSCRIPTIONS}/{name}").json()
        assert (ended["status"], ended["end_reason"]) == ("ended", "agreement")
        problem_of(client.post(f"{SUBSCRIPTIONS}/{name}/replays", json={"from": "beginning"}), 409)


def test_an_agreement_that_runs_out_ends_its_subscriptions(platform, onehall, client_of, name):
    hospital = f"hospital-{name}"
    grant = ("--grant", "client_credentials", "--scope", "events", "--organisation", hospital)
    onehall("client", "add", hospital, "--secret", SECRET, *grant)
    onehall("agreement", "add", hospital, "--reference", "R", "--item", "*", "--until", "2099-01-01")
    with client_of(hospital) as client:
        create(client, name)
        # seventy years later
        with Database(platform.environment["ONEHALL_CASES_DATABASE_URL"], pool_size=1).transaction() as session:
            session.execute(text("UPDATE subscriptions SET ends_at = now() WHERE owner = :owner"), {"owner": hospital})

        def has_ended():
            return client.get(f"{SUBSCRIPTIONS}/{name}").json()["status"] == "ended"

        wait_until("the subscription has ended", has_ended)


def problem_of(response, status):
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.json()


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        ({"name": "A.B"}, 422, ["/name"]),
        ({"filter": {"types": ["case.opened"]}}, 422, ["/filter/types/0"]),
        ({"filter": {"types": ["rating.given", "account.registered"]}}, 422, ["/filter/types/0", "/filter/types/1"]),
        ({"filter": {"items": ["dog-licence"], "regions": ["1"]}}, 422, ["/filter/items/0", "/filter/regions/0"]),
        ({"filter": {"colour": ["red"]}}, 422, ["/filter/colour"]),
        ({"filter": {"items": ["elderly-card"], "kinds": ["confirmation"]}}, 422, ["/filter"]),
        ({"filter": {"departments": ["market-regulation"]}}, 403, None),
        ({"filter": {"departments": ["*"]}}, 403, None),
        ({"delivery": "fax"}, 422, ["/delivery"]),
        ({"delivery": "webhook"}, 422, ["/url"]),
        ({"url": "https://example.org/"}, 422, ["/url"]),
        ({"start": "2099-01-01T00:00:00Z"}, 422, ["/start"]),
        ({"start": "last week"}, 422, ["/start"]),
    ],
    ids=str,
)
def test_a_request_that_cannot_be_says_why_and_makes_nothing(department, name, body, status, pointers):
    problem = problem_of(department.post(SUBSCRIPTIONS, json={"name": name, **body}), status)
    if pointers is not None:
        assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert department.get(f"{SUBSCRIPTIONS}/{body.get('name', name)}").status_code == httpx2.codes.NOT_FOUND


def test_a_name_that_is_taken(department, name):
    made = create(department, name)
    assert create(department, name)["id"] == made["id"]
    problem_of(department.post(SUBSCRIPTIONS, json={"name": name, "start": "beginning"}), 409)


def test_a_token_without_the_scope(client_of, people, name):
    with client_of("dept-civil-affairs", scope="cases") as client:
        response = client.post(SUBSCRIPTIONS, json={"name": name})
    problem_of(response, 403)
    assert 'error="insufficient_scope", scope="events"' in response.headers["WWW-Authenticate"]
    for username in ("citizen", "clerk"):
        problem_of(people.sign_in(username).post(SUBSCRIPTIONS, json={"name": name}), 403)


def test_another_departments_subscription_is_not_there(client_of, department, people, name):
    create(department, name)
    with client_of("dept-market-regulation") as other:
        problem_of(other.get(f"{SUBSCRIPTIONS}/{name}"), 404)
        problem_of(other.delete(f"{SUBSCRIPTIONS}/{name}"), 404)
        problem_of(other.post(f"{SUBSCRIPTIONS}/{name}/replays", json={"from": "beginning"}), 404)
    assert people.sign_in("officer2").get(f"{SUBSCRIPTIONS}/{name}").status_code == httpx2.codes.NOT_FOUND
    assert people.sign_in("officer").get(f"{SUBSCRIPTIONS}/{name}").status_code == httpx2.codes.OK
