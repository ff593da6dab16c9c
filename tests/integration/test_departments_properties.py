"""A filtered subscription, as a property: the queue's order, each event once, whatever is doubled, fails or is cut."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts.envelope import Envelope
from departments import MemoryDedupe, Subscriber
from tests.integration.subscribing import Proxy, Queue, event, running
from tests.processes import wait_until

EVENTS = 8
an_event = st.integers(0, EVENTS - 1)
messages = st.lists(st.tuples(an_event, st.sampled_from([None, None, "r-1", "r-2"])), min_size=1, max_size=40)


@given(
    messages=messages,
    failures=st.dictionaries(an_event, st.integers(1, 2), max_size=3),
    cut_at=st.sets(an_event, max_size=2),
    prefetch=st.integers(1, 20),
)
@settings(
    max_examples=12,
    deadline=None,
    # each example takes parts of a second: a failing one is shown as it is
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_first_of_each_event_is_handled_in_the_order_of_the_queue(
    amqp_uri: str,
    proxy: Proxy,
    messages: list[tuple[int, str | None]],
    failures: dict[int, int],
    cut_at: set[int],
    prefetch: int,
) -> None:
    events = [event(number) for number in range(EVENTS)]
    numbers = {envelope.id: number for number, envelope in enumerate(events)}
    left, cuts = dict(failures), set(cut_at)
    handled: list[tuple[int, str | None]] = []
    queue = Queue(amqp_uri)
    for number, replay in messages:
        queue.put(events[number], replay=replay)
    dedupe = MemoryDedupe()
    subscriber = Subscriber(proxy.uri, queue.name, dedupe, prefetch=prefetch, retry_seconds=(0.01,))

    def handle(envelope: Envelope) -> None:
        number = numbers[envelope.id]
        if left.get(number, 0):
            left[number] -= 1
            raise RuntimeError("not now")
        handled.append((number, subscriber.replay))
        if number in cuts:
            cuts.remove(number)
            proxy.cut()

    expected = list(dict.fromkeys(messages))
    with running(subscriber, handle):
        wait_until("all are handled", lambda: len(handled) >= len(expected))
    # whose acknowledgement was cut off comes again, and is known
    with running(Subscriber(amqp_uri, queue.name, dedupe), handle):
        wait_until("nothing is left", lambda: queue.count() == 0)
    queue.close()
    assert handled == expected
