"""The history sent again: to new subscriptions, to lost queues, and where it is asked for."""

from contextlib import closing

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from chassis import broker
from chassis.relay.management import Management
from contracts import topology
from contracts.filters import EventFilter
from tests.integration.subscriptions import Subscription, Writer, messages
from tests.processes import Failpoint, kill, running, wait_until

RELAY = ["chassis.relay", "cases"]


@pytest.fixture
def subscription(cases_database, amqp_uri):
    subscription = Subscription(cases_database, amqp_uri)
    yield subscription
    subscription.close()


def firsts(ids):
    """Without those that were heard before."""
    return list(dict.fromkeys(ids))


def require_in_order(subscription):
    """First sendings only; what comes again is a double that its id gives away."""
    sequences = {}
    seen = set()
    for envelope in subscription.received:
        if envelope.id not in seen:
            assert envelope.sequence == sequences.get(envelope.subject, 0) + 1, envelope.subject
            sequences[envelope.subject] = envelope.sequence
            seen.add(envelope.id)


def test_a_new_subscription_hears_the_history_and_then_what_is_new_each_once_and_in_order(servers, subscription):
    history = subscription.file_history(1500)
    writer = Writer(subscription)
    with running(RELAY, servers.environment), writer.writing():
        wait_until("the history is published", lambda: len(writer.filed) > 30)
        subscription.begin(0)
        wait_until("it is live", subscription.is_live)
        live = len(writer.filed)
        wait_until("more is filed", lambda: len(writer.filed) > live + 30)
        writer.stop()
        filed = set(history + writer.filed)
        wait_until("all is heard", lambda: set(subscription.take()) >= filed)
    assert sorted(subscription.take()) == sorted(filed), "each once"
    require_in_order(subscription)


def test_whom_a_case_was_passed_to_hears_it_while_it_has_it_at_once_and_from_the_history(
    servers, amqp_uri, subscription
):
    other, both = (Subscription(subscription._database, amqp_uri) for _ in range(2))
    departments = (subscription.department, other.department)
    both.queue = topology.subscription_queue(both.department, "cases", EventFilter(departments=departments).patterns)
    with closing(other), closing(both), running(RELAY, servers.environment):
        for each in (subscription, other, both):
            each.go_live()
        events = subscription.pass_case(other)
        wait_until("all is heard", lambda: subscription.take() == events and both.take() == events)
        assert other.take() == events[1:3], "while it has the case"
        positions = subscription.positions()
        for each in (other, both):
            each.repeat(positions[0] - 1, positions[-1])
        wait_until("it is heard again", lambda: len(other.take()) == 4 and len(both.take()) == 8)
        assert (other.take(), both.take()) == (events[1:3] * 2, events * 2)
        assert all("BCC" not in headers for headers in other.headers)


def test_one_that_starts_now_hears_nothing_older(servers, subscription):
    old = subscription.file(5)
    with running(RELAY, servers.environment):
        wait_until("the old ones are published", lambda: len(subscription.positions()) == 5)
        subscription.go_live()
        new = subscription.file(5)
        wait_until("the new ones are heard", lambda: subscription.take() == new)
    assert not set(old) & set(subscription.take())


@pytest.mark.parametrize("point", ["replay.published", "replay.bound"])
def test_a_relay_killed_in_a_replay_leaves_no_gap_and_doubles_only_the_same_id(servers, subscription, tmp_path, point):
    history = subscription.file_history(700)
    subscription.begin(0)
    writer = Writer(subscription)
    failpoint = Failpoint(point, tmp_path)
    with running(RELAY, servers.environment, **failpoint.environment) as relay, writer.writing():
        failpoint.wait()
        kill(relay)
    with running(RELAY, servers.environment):
        filed = set(history + writer.filed)
        wait_until("all is heard", lambda: set(subscription.take()) >= filed)
        wait_until("it is live", subscription.is_live)
    assert set(subscription.take()) == filed
    require_in_order(subscription)


def test_a_range_is_heard_again_and_says_so(servers, subscription):
    with running(RELAY, servers.environment):
        subscription.go_live()
        filed = subscription.file(20)
        wait_until("all is heard", lambda: subscription.take() == filed)
        positions = subscription.positions()
        replay = subscription.repeat(positions[4], positions[9])
        wait_until("the range is heard", lambda: subscription.take() == filed + filed[5:10])
    assert [headers.get("onehall-replay") for headers in subscription.headers] == [None] * 20 + [replay] * 5


def test_a_queue_of_450_patterns_hears_exactly_its_events(servers, subscription, amqp_uri):
    others = [f"x{number}" for number in range(449)]
    patterns = EventFilter(("case.submitted",), departments=(*others, subscription.department)).patterns
    subscription.queue = topology.subscription_queue(subscription.department, "cases", patterns)
    assert len(patterns) == 450
    with running(RELAY, servers.environment):
        filed = subscription.file(20)
        wait_until("all is published", lambda: len(subscription.positions()) == 20)
        subscription.begin(0)
        wait_until("it is live", subscription.is_live, 20)
        with closing(Management(servers.environment["ONEHALL_BROKER_MANAGEMENT_URL"], amqp_uri)) as management:
            assert broker.bindings(subscription.queue) <= management.look().bindings
        filed += subscription.file(20)
        wait_until("all is heard", lambda: subscription.take() == filed)


def test_a_binding_that_fails_is_told_however_many_follow_it(subscription):
    channel = subscription.connection.channel()
    broker.declare_exchange(channel, "cases")
    nowhere = topology.subscription_queue(subscription.department, "nowhere", ("a.b", "a.c", "a.d"))
    with pytest.raises(ChannelClosedByBroker):
        broker.bind(channel, nowhere)


def test_a_lost_queue_is_made_again_with_everything_that_was_not_handled(servers, subscription):
    with running(RELAY, servers.environment):
        subscription.go_live()
        filed = subscription.file_case(20)
        wait_until("all waits", lambda: len(subscription.positions()) == 20)
        subscription.connection.channel().queue_delete(subscription.queue.name)
        wait_until("it is there again", subscription.is_there, 10)
        filed += subscription.file(5)
        wait_until("nothing is lost", lambda: set(subscription.take()) >= set(filed))
    assert firsts(subscription.take()) == filed
    require_in_order(subscription)


def test_a_name_that_is_free_again_before_its_queue_went_live_begins_anew(servers, subscription, capfd):
    filed = subscription.file_history(4000)
    with running(RELAY, servers.environment):
        wait_until("the history is published", lambda: len(subscription.positions()) == 4000)
        for _ in range(2):
            subscription.begin(0)
            wait_until("it is made", subscription.is_there)
            subscription.end()
            wait_until("it is removed", subscription.is_removed)
        subscription.begin(0)
        wait_until("all is heard", lambda: subscription.take() == filed)
    assert capfd.readouterr().err.count('"leading"') == 1, "nothing ended the leader's term"


def test_dead_letters_of_an_earlier_version_stay_where_they_are(servers, subscription):
    channel = subscription.connection.channel()
    channel.queue_declare(subscription.queue.dead, durable=True, arguments={"x-queue-type": "quorum"})
    channel.basic_publish("", subscription.queue.dead, b"a dead letter")
    with running(RELAY, servers.environment):
        subscription.go_live()
        filed = subscription.file(5)
        wait_until("all is heard", lambda: subscription.take() == filed)
    assert channel.basic_get(subscription.queue.dead)[2] == b"a dead letter"


def test_a_lost_binding_is_made_again_with_what_was_missed(servers, subscription):
    with running(RELAY, servers.environment):
        subscription.go_live()
        filed = subscription.file(5)
        wait_until("all is heard", lambda: subscription.take() == filed)
        channel = subscription.connection.channel()
        channel.queue_unbind(subscription.queue.name, topology.exchange("cases"), subscription.queue.patterns[0])
        filed += subscription.file_case(20)
        wait_until("what was missed is heard", lambda: set(subscription.take()) >= set(filed), 15)
        wait_until("it is live", subscription.is_live)
        filed += subscription.file(5)
        wait_until("it hears what is new", lambda: firsts(subscription.take()) == filed)
    require_in_order(subscription)


def test_what_a_queue_missed_before_the_relay_came_is_sent_when_it_comes(servers, subscription):
    with running(RELAY, servers.environment):
        subscription.go_live()
        filed = subscription.file(3)
        wait_until("all is heard", lambda: subscription.take() == filed)
    channel = subscription.connection.channel()
    channel.queue_unbind(subscription.queue.name, topology.exchange("cases"), subscription.queue.patterns[0])
    filed += subscription.file_case(10)
    with running(RELAY, servers.environment):
        wait_until("what was missed is heard", lambda: set(subscription.take()) >= set(filed))
    assert firsts(subscription.take()) == filed
    require_in_order(subscription)


def test_a_queue_of_an_earlier_version_is_made_anew_with_everything_that_was_not_handled(servers, subscription):
    with running(RELAY, servers.environment):
        subscription.go_live()
        filed = subscription.file(5)
        wait_until("all waits", lambda: len(subscription.positions()) == 5)
    channel = subscription.connection.channel()
    channel.queue_delete(subscription.queue.name)
    earlier = subscription.queue.arguments | {"x-delivery-limit": 3}
    channel.queue_declare(subscription.queue.name, durable=True, arguments=earlier)
    with running(RELAY, servers.environment):
        wait_until("nothing is lost", lambda: set(subscription.take()) >= set(filed))
        filed += subscription.file(5)
        wait_until("it hears what is new", lambda: firsts(subscription.take()) == filed)


def test_an_ended_subscription_leaves_no_queue(servers, subscription):
    with running(RELAY, servers.environment):
        subscription.begin_now()
        wait_until("it is there", subscription.is_there)
        subscription.end()
        wait_until("it is gone", lambda: not subscription.is_there())
        wait_until(
            "so are its dead letters", lambda: not broker.exists(subscription.connection, subscription.queue.dead)
        )


def test_a_small_replay_does_not_wait_for_a_large_one(servers, cases_database, amqp_uri, subscription):
    other = Subscription(cases_database, amqp_uri)
    subscription.file_history(4_000)
    few = other.file(3)
    with running(RELAY, servers.environment):
        wait_until("all is published", lambda: len(subscription.positions() + other.positions()) == 4_003)
        subscription.begin(0)
        other.begin(0)
        wait_until("both are done", lambda: other.is_live() and subscription.is_live())
        assert other.live_at() < subscription.live_at()
        assert other.take() == few
    other.close()


def test_dead_letters_of_a_lost_queue_are_heard_again(servers, subscription):
    with running(RELAY, servers.environment):
        subscription.go_live()
        (dead,) = subscription.file(1)
        wait_until("it is refused", subscription.refuse)
        subscription.connection.channel().queue_delete(subscription.queue.dead)
        wait_until("it is heard again", lambda: dead in subscription.take(), 15)
        wait_until("its place is there again", lambda: broker.exists(subscription.connection, subscription.queue.dead))


def test_a_lost_queue_of_a_service_is_made_again_whole(servers, amqp_uri, subscription):
    lost = topology.service_queue("rating", "cases")
    with (
        running(RELAY, servers.environment),
        closing(pika.BlockingConnection(pika.URLParameters(amqp_uri))) as connection,
    ):
        wait_until("it is there", lambda: broker.exists(connection, lost.name))
        filed = subscription.file(3)
        wait_until("they are published", lambda: len(subscription.positions()) == 3)
        channel = connection.channel()
        for name in lost.parts:
            channel.queue_delete(name)
        wait_until("all of it is there again", lambda: all(broker.exists(connection, name) for name in lost.parts), 15)
        heard = set()
        wait_until("nothing is lost", lambda: heard.update(ids_in(connection, lost)) or heard >= set(filed))


def ids_in(connection, queue):
    return [properties.message_id for properties, _ in messages(connection, queue.name)]
