"""A department subscribes by webhook over the API: what it receives, what it sees, what it can do about failures."""

import uuid

import httpx2
import pytest
from standardwebhooks import Webhook

from cli.demo import ITEM
from tests.endpoints import Answer, listening
from tests.people import department
from tests.processes import wait_until

SUBSCRIPTIONS = "/api/v1/subscriptions"


@pytest.fixture(scope="module")
def program(platform):
    with department(platform, "civil-affairs") as client:
        yield client


@pytest.fixture(scope="module")
def stranger(platform):
    with department(platform, "market-regulation") as client:
        yield client


@pytest.fixture
def endpoint(webhook_ca):
    with listening(webhook_ca) as endpoint:
        yield endpoint


@pytest.fixture
def subscribe(program):
    """Make a webhook subscription; its name and secret."""
    names = []

    def make(url, **more):
        name = f"hook-{uuid.uuid4().hex[:12]}"
        names.append(name)
        wanted = {"name": name, "delivery": "webhook", "url": url, "filter": {"items": [ITEM]}, **more}
        made = program.post(SUBSCRIPTIONS, json=wanted)
        assert made.status_code == httpx2.codes.CREATED, made.text
        again = program.post(SUBSCRIPTIONS, json=wanted).raise_for_status().json()
        assert (again["id"], again.get("secret")) == (made.json()["id"], None), "the secret is shown once"
        wait_until("it is active", lambda: get(program, name)["status"] == "active")
        return name, made.json()["secret"]

    yield make
    for name in names:
        program.delete(f"{SUBSCRIPTIONS}/{name}")


def get(client, name, part=""):
    return client.get(f"{SUBSCRIPTIONS}/{name}{part}").raise_for_status().json()


def test_a_case_arrives_signed_and_in_order_and_is_seen_in_the_attempts(people, program, endpoint, subscribe):
    name, secret = subscribe(endpoint.url)
    number = people.file().json()["number"]
    people.close(number)
    wait_until("all arrived", lambda: len(of(endpoint, number)) == 4)

    received = [Webhook(secret).verify(each.body, each.headers) for each in of(endpoint, number)]
    types = ["case.submitted", "case.accepted", "case.approved", "case.closed"]
    assert [(event["type"], event["sequence"]) for event in received] == [(t, n) for n, t in enumerate(types, 1)]
    attempts = wait_until("all are marked", lambda: attempts_of(program, name, number, 4))
    assert [attempt["type"] for attempt in attempts] == types[::-1], "the newest first"
    assert {(each["status_code"], each["delivery_status"], each["error"]) for each in attempts} == {
        (200, "delivered", None)
    }
    assert [each["event_id"] for each in attempts] == [each.id for each in of(endpoint, number)][::-1]


def of(endpoint, number):
    return [each for each in list(endpoint.received) if number.encode() in each.body]


def attempts_of(client, name, number, count):
    found = [each for each in get(client, name, "/attempts?limit=100")["items"] if each["subject"] == number]
    return found if len(found) >= count else None


def test_the_history_comes_first_and_a_range_asked_for_again_comes_again(people, program, endpoint, subscribe):
    number = people.file().json()["number"]
    name, _ = subscribe(endpoint.url, start="beginning")
    wait_until("the history arrived", lambda: of(endpoint, number))
    replay = program.post(f"{SUBSCRIPTIONS}/{name}/replays", json={"from": "beginning"}).raise_for_status().json()
    wait_until("it arrived again", lambda: len(of(endpoint, number)) == 2)
    first, again = of(endpoint, number)
    assert again.body == first.body
    assert again.headers["onehall-replay"] == replay["id"]
    assert again.id != first.id


def test_a_new_secret_and_the_one_before_sign_side_by_side(program, endpoint, subscribe):
    name, secret = subscribe(endpoint.url)
    rotated = program.post(f"{SUBSCRIPTIONS}/{name}/secret")
    assert rotated.status_code == httpx2.codes.CREATED
    program.post(f"{SUBSCRIPTIONS}/{name}/test").raise_for_status()
    wait_until("the test event arrived", lambda: endpoint.received)
    (received,) = endpoint.received
    for each in (secret, rotated.json()["secret"]):
        assert Webhook(each).verify(received.body, received.headers)["type"] == "onehall.test"
    assert get(program, name, "/webhook")["former_secret_until"] == rotated.json()["former_until"]


def test_what_rests_or_is_gone_is_shown_and_can_be_resumed(people, program, endpoint, subscribe):
    endpoint.answer = lambda _: Answer(410)
    name, _ = subscribe(endpoint.url)
    program.post(f"{SUBSCRIPTIONS}/{name}/test").raise_for_status()
    webhook = wait_until("it is disabled", lambda: is_status(program, name, "disabled"))
    assert (webhook["url"], webhook["pending"], webhook["failed"]) == (endpoint.url, 1, 0)
    refused = program.post(f"{SUBSCRIPTIONS}/{name}/test")
    assert refused.status_code == httpx2.codes.CONFLICT
    assert refused.json()["type"] == "urn:onehall:problem:test-under-way"

    endpoint.answer = lambda _: Answer()
    assert program.post(f"{SUBSCRIPTIONS}/{name}/resume").status_code == httpx2.codes.NO_CONTENT
    again = program.post(f"{SUBSCRIPTIONS}/{name}/resume")
    assert (again.status_code, again.json()["type"]) == (httpx2.codes.CONFLICT, "urn:onehall:problem:just-resumed")
    wait_until("it is delivered", lambda: get(program, name, "/deliveries?status=delivered")["items"])
    assert get(program, name, "/webhook")["status"] == "active"


def is_status(client, name, status):
    webhook = get(client, name, "/webhook")
    return webhook if webhook["status"] == status else None


def test_only_what_was_given_up_can_be_sent_again(program, endpoint, subscribe):
    name, _ = subscribe(endpoint.url)
    test = program.post(f"{SUBSCRIPTIONS}/{name}/test").raise_for_status().json()
    wait_until("it is delivered", lambda: get(program, name, "/deliveries?status=delivered")["items"])
    refused = program.post(f"{SUBSCRIPTIONS}/{name}/deliveries/{test['id']}/retry")
    assert refused.status_code == httpx2.codes.CONFLICT
    assert refused.json()["type"] == "urn:onehall:problem:delivery-not-failed"
    for unknown in (0, 10**17, 10**30):
        missing = program.post(f"{SUBSCRIPTIONS}/{name}/deliveries/{unknown}/retry")
        assert missing.status_code == httpx2.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://a.example/", "https://"),
        ("https://me:secret@a.example/", "user name"),
        ("https://a.example/#part", "#"),
        ("https://10.0.0.1/", "private"),
        ("https://169.254.169.254/latest/", "private"),
        ("https://[::ffff:10.0.0.1]/", "private"),
        ("https://nowhere.invalid/", "found"),
        ("https://127.0.0.1:25/", "port"),
    ],
)
def test_an_address_that_is_refused_leaves_nothing_half_made(program, url, detail):
    wanted = {"name": "refused", "delivery": "webhook", "url": url}
    refused = program.post(SUBSCRIPTIONS, json=wanted, headers={"Accept-Language": "en"})
    assert refused.status_code == httpx2.codes.UNPROCESSABLE_CONTENT
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == "/url"
    assert detail in fault["detail"].lower()
    assert program.get(f"{SUBSCRIPTIONS}/refused").status_code == httpx2.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("GET", "webhook"),
        ("GET", "attempts"),
        ("GET", "deliveries"),
        ("POST", "deliveries/1/retry"),
        ("POST", "secret"),
        ("POST", "resume"),
        ("POST", "test"),
    ],
)
def test_others_do_not_see_it(method, part, stranger, endpoint, subscribe):
    name, _ = subscribe(endpoint.url)
    assert stranger.request(method, f"{SUBSCRIPTIONS}/{name}/{part}").status_code == httpx2.codes.NOT_FOUND


def test_another_address_under_the_same_name_is_refused(program, endpoint, subscribe):
    name, _ = subscribe(endpoint.url)
    wanted = {"name": name, "delivery": "webhook", "url": endpoint.url + "2", "filter": {"items": [ITEM]}}
    assert program.post(SUBSCRIPTIONS, json=wanted).status_code == httpx2.codes.CONFLICT
