"""Dispatchers that are killed, race, or lose broker and database: nothing is lost, and what is sent twice says so."""

from contextlib import ExitStack

import httpx2
import pytest
from standardwebhooks import Webhook

from chassis import broker
from tests.endpoints import Answer
from tests.processes import Failpoint, kill, running, wait_until
from tests.webhooks import events, new_case

DISPATCHER = ["chassis.webhooks", "cases"]


def test_killed_between_sending_and_marking_it_sends_again_with_the_same_id(
    webhook_settings, hooks, endpoint, tmp_path
):
    hook = hooks.add(endpoint.url)
    first, second = events(new_case(), 2)
    hook.publish([first, second])
    failpoint = Failpoint("webhooks.sent", tmp_path)
    with running(DISPATCHER, webhook_settings, **failpoint.environment) as dispatcher:
        failpoint.wait()
        kill(dispatcher)
    assert endpoint.ids == [first.id]
    with running(DISPATCHER, webhook_settings):
        wait_until("both are delivered", lambda: hook.statuses() == ["delivered", "delivered"])
    assert endpoint.ids == [first.id, first.id, second.id]


def test_killed_between_saving_and_acknowledging_it_sends_once(webhook_settings, hooks, endpoint, tmp_path):
    hook = hooks.add(endpoint.url)
    each = events(new_case(), 3)
    hook.publish(each)
    failpoint = Failpoint("webhooks.saved", tmp_path)
    with running(DISPATCHER, webhook_settings, **failpoint.environment) as dispatcher:
        failpoint.wait()
        kill(dispatcher)
    assert hook.statuses(), "what it saved"
    with running(DISPATCHER, webhook_settings):
        wait_until("all are delivered", lambda: hook.statuses() == ["delivered"] * 3)
        wait_until("the queue is empty", lambda: hooks.depth(hook.queue.name) == 0)
    assert endpoint.ids == [event.id for event in each]


def test_of_two_dispatchers_one_sends_and_the_other_takes_over(webhook_settings, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    case = new_case()
    with ExitStack() as stack:
        first = stack.enter_context(running(DISPATCHER, webhook_settings))
        hook.publish(events(case, 3))
        wait_until("the first sends", lambda: hook.statuses() == ["delivered"] * 3)
        stack.enter_context(running(DISPATCHER, webhook_settings))
        hook.publish(events(case, 3, first=4))
        wait_until("sent once", lambda: hook.statuses() == ["delivered"] * 6)
        assert len(endpoint.ids) == 6
        kill(first)
        hook.publish(events(case, 3, first=7))
        wait_until("the second goes on", lambda: hook.statuses() == ["delivered"] * 9)
    assert len(endpoint.ids) == 9
    assert len(set(endpoint.ids)) == 9


def test_asked_to_stop_it_waits_for_the_answer_and_marks_it(webhook_settings, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    with running(DISPATCHER, webhook_settings) as dispatcher:
        endpoint.answer = lambda _: dispatcher.terminate() or Answer()
        hook.publish(events(new_case(), 1))
        assert dispatcher.wait(30) == 0
    assert hook.statuses() == ["delivered"]


def test_a_lost_database_connection_ends_the_term_only(webhook_settings, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    with running(DISPATCHER, webhook_settings):
        hook.publish(events(new_case(), 1))
        wait_until("it sends", lambda: hook.statuses() == ["delivered"])
        hooks.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'onehall-webhooks%%'"
        )
        hook.publish(events(new_case(), 1))
        wait_until("it sends again", lambda: hook.statuses() == ["delivered", "delivered"])


def test_a_lost_queue_is_read_again_when_it_is_there_again(webhook_settings, hooks, endpoint):
    hook, other = hooks.add(endpoint.url), hooks.add(endpoint.url)
    with running(DISPATCHER, webhook_settings):
        hook.publish(events(new_case(), 1))
        wait_until("it is read", lambda: hook.statuses() == ["delivered"])
        hooks.broker.channel().queue_delete(hook.queue.name)
        other.publish(events(new_case(), 1))
        wait_until("others go on", lambda: other.statuses() == ["delivered"])
        broker.declare_unbound(hooks.broker.channel(), hook.queue)
        hook.publish(events(new_case(), 1))
        wait_until("it is read again", lambda: hook.statuses() == ["delivered", "delivered"])


def test_an_ended_subscription_gets_nothing_more(webhook_settings, hooks, endpoint):
    hook, other = hooks.add(endpoint.url), hooks.add(endpoint.url)
    endpoint.answer = lambda _: Answer(503)
    hook.publish(events(new_case(), 1))
    with running(DISPATCHER, webhook_settings):
        wait_until("it was tried", lambda: len(endpoint.ids) == 1)
        hooks.execute(
            "UPDATE subscriptions SET ended_at = now(), end_reason = 'agreement' WHERE id = %s", hook.subscription
        )
        hook.hurry()
        (event,) = events(new_case(), 1)
        other.publish([event])
        wait_until("another one is asked", lambda: event.id in endpoint.ids)
    assert len(endpoint.ids) == 2


def test_an_address_that_may_not_be_spoken_to_is_refused_at_each_connection(webhook_settings, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    hook.publish(events(new_case(), 1))
    with running(DISPATCHER, webhook_settings, ONEHALL_WEBHOOK_PRIVATE_ADDRESSES="10.0.0.0/8"):
        wait_until("it is refused", lambda: hook.attempts() == [(None, "address-refused")])
    assert endpoint.received == []


def test_a_secret_sealed_with_another_key_is_said_and_nothing_is_sent_unsigned(webhook_settings, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    hook.publish(events(new_case(), 1))
    with running(DISPATCHER, webhook_settings, ONEHALL_WEBHOOK_KEY="A" * 43):
        wait_until("it is refused", lambda: hook.attempts() == [(None, "unreadable-secret")])
    assert endpoint.received == []


def test_a_new_secret_mends_that_at_once(webhook_settings, hooks, endpoint):
    hook = hooks.add(endpoint.url)
    hooks.execute("UPDATE webhooks SET secret = %s WHERE subscription = %s", b"of another key" * 4, hook.subscription)
    secret = hooks.rotate(hook)
    hook.publish(events(new_case(), 1))
    with running(DISPATCHER, webhook_settings):
        wait_until("it is delivered", lambda: hook.statuses() == ["delivered"])
    Webhook(secret).verify(endpoint.received[0].body, endpoint.received[0].headers)


def test_what_waits_and_what_rests_is_measured(webhook_settings, hooks, servers):
    hook = hooks.add("https://127.0.0.1:1024/")
    hook.publish(event for case in (new_case() for _ in range(8)) for event in events(case, 1))
    wanted = {
        'onehall_webhook_leader{source="cases"} 1.0',
        f'onehall_webhook_pending{{queue="{hook.queue.name}"}} 8.0',
        f'onehall_webhook_resting{{queue="{hook.queue.name}"}} 1.0',
        f'onehall_webhook_failed{{queue="{hook.queue.name}"}} 0.0',
    }
    # the platform's own process is not up here
    port = servers.ports["webhooks-cases"]
    with running(DISPATCHER, webhook_settings, ONEHALL_HTTP_PORT=str(port)):
        wait_until("all of it is told", lambda: wanted <= set(scrape(port)))


def scrape(port: int) -> list[str]:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    except httpx2.TransportError:
        return []


@pytest.mark.parametrize("arguments", [[], ["notify"], ["cases", "cases"]])
def test_a_wrong_command_says_how_it_is_called(arguments, webhook_settings):
    with running(["chassis.webhooks", *arguments], webhook_settings) as process:
        assert process.wait(30) == 1


def test_what_was_finished_long_ago_is_deleted(hooks, webhook_settings):
    hook = hooks.add("https://hook.example/")
    for days in (31, 29):
        hooks.execute(
            "INSERT INTO webhook_deliveries (subscription, event_id, replay, type, subject, sequence, body, status,"
            " created_at, finished_at) VALUES (%s, %s, '', 'case.submitted', %s, 1, '{}', 'delivered', now(),"
            " now() - make_interval(days => %s))",
            hook.subscription,
            str(days),
            str(days),
            days,
        )
    with running(DISPATCHER, webhook_settings):
        wait_until("the older one is deleted", lambda: len(hook.statuses()) == 1)
