"""From a subscription's queue to an endpoint: signed, in order per case, tried again, once in effect."""

import threading
import uuid
from collections import Counter
from itertools import count

import pytest
import trustme
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chassis.webhooks import rules, sender
from tests.endpoints import Answer, listening
from tests.processes import running, wait_until
from tests.webhooks import events, new_case

DISPATCHER = ["chassis.webhooks", "cases"]


@pytest.fixture(scope="module")
def dispatcher(webhook_settings):
    with running(DISPATCHER, webhook_settings) as process:
        yield process


# what arrives


def test_an_event_arrives_as_a_signed_cloud_event(dispatcher, hooks, endpoint):
    hook = hooks.add(endpoint.url + "?tenant=1")
    (event,) = events(new_case(), 1)
    hook.publish([event])
    wait_until("it arrived", lambda: endpoint.received)
    (received,) = endpoint.received

    assert received.path == "/hook?tenant=1"
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert received.id == event.id
    assert Webhook(hook.secret).verify(received.body, received.headers) == event.to_dict()
    with pytest.raises(WebhookVerificationError):
        Webhook(hook.secret).verify(received.body + b" ", received.headers)
    wait_until("it is delivered", lambda: hook.statuses() == ["delivered"])
    assert hook.attempts() == [(200, None)]


def test_a_redelivered_event_is_sent_once_and_one_asked_for_again_is_sent_again(dispatcher, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    (event,) = events(new_case(), 1)
    hook.publish([event, event])
    replay = str(uuid.uuid4())
    hook.publish([event, event], replay=replay)
    wait_until("both are delivered", lambda: hook.statuses() == ["delivered", "delivered"])

    assert endpoint.ids == [event.id, f"{event.id}_{replay}"]
    first, again = endpoint.received
    assert "onehall-replay" not in first.headers
    assert again.headers["onehall-replay"] == replay
    Webhook(hook.secret).verify(again.body, again.headers)


def test_while_a_secret_is_changed_both_sign_and_then_only_the_new_one(dispatcher, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    new_secret = hooks.rotate(hook)
    hook.publish(events(new_case(), 1))
    wait_until("it arrived", lambda: endpoint.received)
    both = endpoint.received[0]
    assert len(both.headers["webhook-signature"].split(" ")) == 2
    for secret in (hook.secret, new_secret):
        Webhook(secret).verify(both.body, both.headers)

    hooks.execute("UPDATE webhooks SET former_until = now() WHERE subscription = %s", hook.subscription)
    hook.publish(events(new_case(), 1))
    wait_until("the next arrived", lambda: len(endpoint.received) == 2)
    Webhook(new_secret).verify(endpoint.received[1].body, endpoint.received[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(hook.secret).verify(endpoint.received[1].body, endpoint.received[1].headers)


def test_what_is_no_event_becomes_a_dead_letter_and_holds_up_nothing(dispatcher, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    (event,) = events(new_case(), 1)
    unstorable = event.to_json().replace(event.id, "\\u0000")
    hook.publish_raw(
        [b"no event", b"\xff", unstorable.encode(), event.to_json().encode("utf-16"), event.to_json().encode()]
    )
    wait_until("the event is delivered", lambda: hook.statuses() == ["delivered"])
    wait_until("the others are dead letters", lambda: hooks.depth(hook.queue.dead) == 4)


# order and retries


def test_a_case_is_sent_in_order_whatever_fails_while_other_cases_pass_it(dispatcher, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    stuck, other = new_case(), new_case()
    endpoint.answer = lambda received: Answer(503 if stuck.encode() in received.body else 200)
    first, second = events(stuck, 2)
    hook.publish([first, second, *events(other, 1)])
    wait_until("the other case is delivered", lambda: hook.statuses() == ["pending", "pending", "delivered"])

    hook.hurry()
    wait_until("the first is tried again", lambda: endpoint.ids.count(first.id) == 2)
    assert second.id not in endpoint.ids, "its predecessor is not delivered yet"
    endpoint.answer = lambda _: Answer()
    wait_until("all are delivered", lambda: [hook.hurry(), hook.statuses()][1] == ["delivered"] * 3)
    assert endpoint.ids.index(second.id) > max(i for i, id_ in enumerate(endpoint.ids) if id_ == first.id)


def test_many_cases_at_once_with_failures_between_arrive_each_in_order(dispatcher, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    asked = count(1)
    endpoint.answer = lambda _: Answer(500 if next(asked) % 7 == 0 else 200)
    cases = {case: events(case, 5) for case in (new_case() for _ in range(20))}
    for place in range(5):
        hook.publish(each[place] for each in cases.values())
    wait_until("all are delivered", lambda: [hook.hurry(), hook.statuses()][1] == ["delivered"] * 100)

    for each in cases.values():
        wanted = [event.id for event in each]
        assert list(dict.fromkeys(id_ for id_ in endpoint.ids if id_ in wanted)) == wanted
    failed = sum(code == 500 for code, _ in hook.attempts())
    assert len(endpoint.ids) == 100 + failed, "none is sent again but what failed"


def test_an_event_is_given_up_after_the_last_attempt_and_its_case_goes_on(dispatcher, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    first, second = events(new_case(), 2)
    endpoint.answer = lambda received: Answer(400 if received.id == first.id else 200)
    hook.publish([first, second])
    wait_until("it was tried", lambda: hook.attempts() == [(400, None)])
    hooks.execute(
        "UPDATE webhook_deliveries SET attempts = %s WHERE subscription = %s AND attempts = 1",
        len(rules.DELAYS),
        hook.subscription,
    )
    hook.hurry()
    wait_until("it is given up", lambda: hook.statuses() == ["failed", "delivered"])
    assert endpoint.ids == [first.id, first.id, second.id]

    endpoint.answer = lambda _: Answer()
    hooks.execute(
        "UPDATE webhook_deliveries SET status = 'requested', finished_at = NULL WHERE subscription = %s"
        " AND status = 'failed'",
        hook.subscription,
    )
    wait_until("it is sent again when asked for", lambda: hook.statuses() == ["delivered", "delivered"])
    assert endpoint.ids[-1] == first.id


@pytest.mark.parametrize(
    ("answer", "attempt"),
    [
        (Answer(500), (500, None)),
        (Answer(400), (400, None)),
        (Answer(302, {"location": "/elsewhere"}), (302, None)),
        (Answer(200, {"content-length": str(10**9)}, b"x" * (sender.MOST_ANSWER_BYTES + 1)), (200, None)),
    ],
)
def test_the_status_alone_decides(answer, attempt, dispatcher, hooks, endpoint):
    endpoint.answer = lambda _: answer
    hook = hooks.add(endpoint.url)
    hook.publish(events(new_case(), 1))
    wait_until("it was tried", lambda: hook.attempts() == [attempt])
    assert hook.statuses() == ["delivered" if attempt == (200, None) else "pending"]
    assert "GET" not in endpoint.ids, "no redirect is followed"


def test_an_endpoint_that_does_not_answer_in_time_is_tried_again(dispatcher, hooks, endpoint):
    release = threading.Event()
    slow = iter([True])

    def answer(_):
        if next(slow, False):
            release.wait(30)
        return Answer()

    endpoint.answer = answer
    hook = hooks.add(endpoint.url)
    hook.publish(events(new_case(), 1))
    wait_until("it was given the time it has", lambda: hook.attempts() == [(None, "timeout")])
    release.set()
    hook.hurry()
    wait_until("it is delivered", lambda: hook.statuses() == ["delivered"])


def test_an_endpoint_that_asks_for_time_gets_it(dispatcher, hooks, endpoint):
    endpoint.answer = lambda _: Answer(429, {"retry-after": "120"})
    hook = hooks.add(endpoint.url)
    hook.publish(events(new_case(), 1))
    wait_until("it rests after one failure", lambda: hook.state() == (1, True, False))
    (seconds,) = hooks.row(
        "SELECT extract(epoch FROM rests_until - now()) FROM webhooks WHERE subscription = %s", hook.subscription
    )
    assert 100 < seconds <= 120


def test_an_endpoint_that_is_gone_gets_nothing_more_and_nothing_is_lost(dispatcher, hooks, endpoint):
    endpoint.answer = lambda _: Answer(410)
    hook = hooks.add(endpoint.url)
    first, second = events(new_case(), 2)
    hook.publish([first, second])
    wait_until("it is disabled", lambda: hook.state()[2])
    hook.hurry()
    other_hook = hooks.add(endpoint.url)
    other_hook.publish(events(new_case(), 1))
    wait_until("another one is asked", lambda: other_hook.attempts())
    assert hook.attempts() == [(410, None)]

    endpoint.answer = lambda _: Answer()
    hooks.execute("UPDATE webhooks SET disabled_at = NULL WHERE subscription = %s", hook.subscription)
    wait_until("its owner wants it again", lambda: hook.statuses() == ["delivered", "delivered"])


# the breaker


def test_an_endpoint_rests_after_failures_and_one_probe_opens_it_again(dispatcher, hooks, endpoint):
    endpoint.answer = lambda _: Answer(503)
    hook = hooks.add(endpoint.url)
    hook.publish(event for case in (new_case() for _ in range(rules.MOST_FAILURES)) for event in events(case, 1))
    # each has been asked for once and answered: nothing is under way, which the hurry below would make count
    wait_until("it rests", lambda: hook.state() == (rules.MOST_FAILURES, True, False))
    hook.publish(event for case in (new_case() for _ in range(25)) for event in events(case, 1))
    wait_until("all have arrived", lambda: hook.statuses() == ["pending"] * 30)
    asked = len(endpoint.ids)
    assert asked == rules.MOST_FAILURES, "the others wait with it"

    hook.hurry()
    wait_until("one probe", lambda: len(endpoint.ids) == asked + 1)
    wait_until("it rests for longer", lambda: hook.state() == (rules.MOST_FAILURES + 1, True, False))
    assert len(endpoint.ids) == asked + 1
    endpoint.answer = lambda _: Answer()
    wait_until("all are delivered", lambda: [hook.hurry(), hook.statuses()][1] == ["delivered"] * 30)
    assert hook.state() == (0, False, False)


def test_a_dead_endpoint_delays_nobody_else(dispatcher, hooks, endpoint):
    dead = hooks.add("https://127.0.0.1:1024/")
    alive = hooks.add(endpoint.url)
    dead.publish(event for case in (new_case() for _ in range(50)) for event in events(case, 1))
    alive.publish(event for case in (new_case() for _ in range(20)) for event in events(case, 1))
    wait_until("all of the living are delivered", lambda: alive.statuses() == ["delivered"] * 20)
    wait_until("the dead one rests", lambda: dead.state()[1])
    assert rules.MOST_FAILURES <= len(dead.attempts()) < rules.MOST_FAILURES + 8, "the others wait with it"
    assert Counter(dead.attempts()).keys() == {(None, "connection-refused")}


# where it goes


def test_a_certificate_of_an_unknown_ca_is_refused(dispatcher, hooks):
    with listening(trustme.CA()) as stranger:
        hook = hooks.add(stranger.url)
        hook.publish(events(new_case(), 1))
        wait_until("it is refused", lambda: hook.attempts() == [(None, "certificate")])
        assert stranger.received == []
