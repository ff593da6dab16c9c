"""Webhooks as rows with queues, and events put into them: what gateway, cases and relay would have done."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pika
import psycopg2

from chassis import broker
from chassis.webhooks import secrets
from contracts import topology
from contracts.envelope import CONTENT_TYPE, REPLAY_HEADER, Envelope
from contracts.events import CaseAccepted, CaseSubmitted

OWNER = "civil-affairs"


class Hooks:
    """Makes webhooks in the cases database and their queues at the broker; all end with it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._database = psycopg2.connect(environment["ONEHALL_CASES_DATABASE_URL"])
        self._database.autocommit = True
        self.broker = pika.BlockingConnection(pika.URLParameters(environment["AMQP_URI"]))
        self._seal = secrets.seal_of(environment["ONEHALL_WEBHOOK_KEY"])
        self._hooks: list[Hook] = []

    def add(self, url: str, owner: str = OWNER) -> Hook:
        name = f"test-{uuid.uuid4().hex[:12]}"
        queue = topology.subscription_queue(owner, name)
        (subscription,) = self.row(
            "INSERT INTO subscriptions (owner, name, filter, patterns, delivery, start, created_at, created_by)"
            " VALUES (%s, %s, '{}', '{}', 'webhook', 'now', now(), 'test') RETURNING id::text",
            owner,
            name,
        )
        broker.declare_unbound(self.broker.channel(), queue)
        secret = secrets.new_secret()
        self.execute(
            "INSERT INTO webhooks (subscription, url, secret) VALUES (%s, %s, %s)",
            subscription,
            url,
            self._seal.close(secret),
        )
        hook = Hook(self, subscription, queue, secrets.shown(secret))
        self._hooks.append(hook)
        return hook

    def rotate(self, hook: Hook) -> str:
        """As the API does; the new secret."""
        secret = secrets.new_secret()
        self.execute(
            "UPDATE webhooks SET former_secret = secret, former_until = now() + interval '1 day', secret = %s"
            " WHERE subscription = %s",
            self._seal.close(secret),
            hook.subscription,
        )
        return secrets.shown(secret)

    def execute(self, statement: str, *values: Any) -> None:
        with self._database.cursor() as cursor:
            cursor.execute(statement, values)

    def row(self, statement: str, *values: Any) -> tuple[Any, ...]:
        return self.rows(statement, *values)[0]

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._database.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def depth(self, queue: str) -> int:
        """Messages ready in it."""
        with closing(self.broker.channel()) as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def close(self) -> None:
        for hook in self._hooks:
            self.execute(
                "UPDATE subscriptions SET ended_at = now(), end_reason = 'owner', removed_at = now() WHERE id = %s",
                hook.subscription,
            )
            channel = self.broker.channel()
            channel.queue_delete(hook.queue.name)
            channel.queue_delete(hook.queue.dead)
            channel.exchange_delete(hook.queue.back)
        self.broker.close()
        self._database.close()


class Hook:
    def __init__(self, hooks: Hooks, subscription: str, queue: topology.Queue, secret: str) -> None:
        self._hooks = hooks
        self.subscription = subscription
        self.queue = queue
        self.secret = secret

    def publish(self, envelopes: Iterable[Envelope], replay: str | None = None) -> None:
        headers = {REPLAY_HEADER: replay} if replay else {}
        self.publish_raw((envelope.to_json().encode() for envelope in envelopes), headers)

    def publish_raw(self, bodies: Iterable[bytes], headers: Mapping[str, str] | None = None) -> None:
        properties = pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2, headers=dict(headers or {}))
        with closing(self._hooks.broker.channel()) as channel:
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish(self.queue.back, self.queue.name, body, properties, mandatory=True)

    def hurry(self) -> None:
        """Let the time of the next attempts, and of the endpoint's rest, be over."""
        self._hooks.execute(
            "UPDATE webhook_deliveries SET next_attempt_at = now() WHERE subscription = %s AND next_attempt_at > now()",
            self.subscription,
        )
        self._hooks.execute("UPDATE webhooks SET rests_until = now() WHERE subscription = %s", self.subscription)

    def statuses(self) -> list[str]:
        """Of its deliveries, in the order of the queue."""
        rows = self._hooks.rows(
            "SELECT status FROM webhook_deliveries WHERE subscription = %s ORDER BY id", self.subscription
        )
        return [status for (status,) in rows]

    def attempts(self) -> list[tuple[int | None, str | None]]:
        """Status code and error of each, in order."""
        return self._hooks.rows(
            "SELECT status_code, error FROM webhook_attempts WHERE subscription = %s ORDER BY id", self.subscription
        )

    def state(self) -> tuple[int, bool, bool]:
        """Failures in a row, whether it rests, whether it is disabled."""
        failures, rests, disabled = self._hooks.row(
            "SELECT failures, coalesce(rests_until > now(), false), disabled_at IS NOT NULL FROM webhooks"
            " WHERE subscription = %s",
            self.subscription,
        )
        return failures, rests, disabled


def events(case: str, count: int, first: int = 1) -> list[Envelope]:
    """The next events of one case."""
    return [_event(case, sequence) for sequence in range(first, first + count)]


def _event(case: str, sequence: int) -> Envelope:
    kind = CaseSubmitted if sequence == 1 else CaseAccepted
    data = kind(case, "residence-permit", OWNER, "511602", "confirmation", "somebody")
    return Envelope(str(uuid.uuid4()), sequence, datetime.now(UTC), "web", "citizen", data)


def new_case() -> str:
    return uuid.uuid4().hex
