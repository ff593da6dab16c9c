"""Every metric that the chassis gives. One scheme: `onehall_<what>`, labels by the topology's names."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LAG_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120, 600, 3600)

entrypoints = Counter("onehall_entrypoint", "Calls of an entrypoint", ["service", "entrypoint", "outcome"])
entrypoint_seconds = Histogram(
    "onehall_entrypoint_seconds", "Duration of an entrypoint", ["service", "entrypoint"], buckets=_SECONDS
)

outbox_unsent = Gauge("onehall_outbox_unsent", "Committed events that the broker has not confirmed", ["source"])
outbox_oldest_seconds = Gauge("onehall_outbox_oldest_seconds", "Age of the oldest unsent event", ["source"])
relay_leader = Gauge("onehall_relay_leader", "1 where this relay is the one that publishes", ["source"])
relay_published = Counter("onehall_relay_published", "Events that the broker confirmed", ["source"])
relay_unroutable = Counter("onehall_relay_unroutable", "Events that no queue asked for", ["source"])
relay_looked = Gauge("onehall_relay_looked_timestamp", "When the relay last compared queues and bindings", ["source"])
replays_open = Gauge("onehall_replays_open", "Replays that have not sent everything", ["source"])
replays_remaining = Gauge("onehall_replays_remaining", "Positions of the history still to be sent", ["source"])
queue_messages = Gauge("onehall_queue_messages", "Events ready or waiting for a retry", ["queue"])
queue_in_hand = Gauge("onehall_queue_in_hand", "Events that a subscriber took and did not acknowledge", ["queue"])
queue_oldest_seconds = Gauge("onehall_queue_oldest_seconds", "Age of the oldest event not acknowledged", ["queue"])
dead_letters = Gauge("onehall_dead_letters", "Events that wait for an operator", ["queue"])
_OF_QUEUES = (queue_messages, queue_in_hand, queue_oldest_seconds, dead_letters)
queue_restored = Counter("onehall_queue_restored", "Queues of which a part was lost and restored", ["queue"])

consumer_lag_seconds = Histogram(
    "onehall_consumer_lag_seconds", "From the fact to its handler's end", ["service", "source"], buckets=_LAG_SECONDS
)
consumer_events = Counter("onehall_consumer_events", "Events taken from a queue", ["service", "source", "outcome"])
inbox_parked = Gauge("onehall_inbox_parked", "Events that wait for a predecessor", ["service"])

webhook_leader = Gauge("onehall_webhook_leader", "1 where this dispatcher is the one that sends", ["source"])
webhook_attempts = Counter("onehall_webhook_attempts", "Requests to webhooks that have ended", ["outcome"])
webhook_pending = Gauge("onehall_webhook_pending", "Events that a webhook has not taken yet", ["queue"])
webhook_oldest_seconds = Gauge("onehall_webhook_oldest_seconds", "Age of the oldest of them", ["queue"])
webhook_failed = Gauge("onehall_webhook_failed", "Events that were given up after the last attempt", ["queue"])
webhook_resting = Gauge("onehall_webhook_resting", "1 while a webhook is left alone after failures", ["queue"])
webhook_disabled = Gauge("onehall_webhook_disabled", "1 where a webhook has answered 410 Gone", ["queue"])


def forget_term() -> None:
    """This relay leads no more: what it told last is not so any more, and another tells it."""
    for gauge in (outbox_unsent, outbox_oldest_seconds, relay_looked, replays_open, replays_remaining, *_OF_QUEUES):
        gauge.clear()


def forget_queue(queue: str) -> None:
    """It is gone on purpose: tell nothing of it any more."""
    for gauge in _OF_QUEUES:
        gauge.remove(queue)


scheduled = Counter("onehall_scheduled", "Scheduled events that were run", ["service", "name", "outcome"])
scheduled_lateness_seconds = Histogram(
    "onehall_scheduled_lateness_seconds",
    "From the time asked for to the run",
    ["service", "name"],
    buckets=_LAG_SECONDS,
)
schedule_failing = Gauge(
    "onehall_schedule_failing", "Scheduled events that failed and are tried again", ["service", "name"]
)
schedule_oldest_seconds = Gauge(
    "onehall_schedule_oldest_seconds", "How long the oldest scheduled event is overdue", ["service", "name"]
)
