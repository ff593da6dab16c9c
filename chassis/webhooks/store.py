"""The dispatcher's side of the tables, on the one connection that holds the leader's lock.

Everything that happened since the last turn is written in one transaction, and what is due is read in it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from chassis.postgres import TCP_LIMITS
from chassis.webhooks import rules
from chassis.webhooks.rules import Breaker, Result
from contracts import topology

# one leader a database; the number only has to differ from other advisory locks in it
_LEADER_LOCK = 0x3EB0

_STANDING = """
SELECT owner, name, subscription::text, url, secret, CASE WHEN former_until > %s THEN former_secret END,
    failures, rests_until
FROM webhooks JOIN subscriptions ON subscriptions.id = subscription
WHERE disabled_at IS NULL AND ended_at IS NULL AND (ends_at IS NULL OR ends_at > %s)
"""
_ADD = """
INSERT INTO webhook_deliveries (subscription, event_id, replay, type, subject, sequence, body, created_at) VALUES %s
ON CONFLICT DO NOTHING RETURNING subscription::text, subject
"""
_TAKE_REQUESTED = (
    "UPDATE webhook_deliveries SET status = 'pending', attempts = 0 WHERE status = 'requested'"
    " RETURNING subscription::text, subject"
)
_RECORD = "INSERT INTO webhook_attempts (subscription, delivery, at, status_code, error, milliseconds) VALUES %s"
_FINISH = """
UPDATE webhook_deliveries SET status = new.status, attempts = new.attempts, next_attempt_at = new.next_attempt_at,
    finished_at = new.finished_at
FROM (VALUES %s) AS new (id, status, attempts, next_attempt_at, finished_at) WHERE webhook_deliveries.id = new.id
"""
_FINISH_ROW = "(%s, %s, %s, %s::timestamptz, %s::timestamptz)"
_SET_BREAKER = "UPDATE webhooks SET failures = %s, rests_until = %s WHERE subscription = %s"
_DISABLE = "UPDATE webhooks SET disabled_at = %s WHERE subscription = %s"
# the oldest of a case that is not finished gets the turn, where none has it
_GIVE_TURN = """
UPDATE webhook_deliveries SET next_attempt_at = %s
FROM unnest(%s::uuid[], %s::text[]) AS case_of (subscription, subject)
WHERE id = (
    SELECT id FROM webhook_deliveries AS oldest
    WHERE oldest.subscription = case_of.subscription AND oldest.subject = case_of.subject AND status = 'pending'
    ORDER BY id LIMIT 1
) AND NOT EXISTS (
    SELECT FROM webhook_deliveries AS current
    WHERE current.subscription = case_of.subscription AND current.subject = case_of.subject
    AND current.next_attempt_at IS NOT NULL
)
"""
_DUE = """
SELECT subscription::text, id, event_id, replay, subject, body, attempts FROM (
    SELECT due.*, owners_places, row_number() OVER (PARTITION BY owner ORDER BY due.next_attempt_at, due.id) AS place
    FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::int[]) AS endpoint (of, places, owner, owners_places)
    CROSS JOIN LATERAL (
        SELECT * FROM webhook_deliveries AS delivery
        WHERE delivery.subscription = endpoint.of AND delivery.next_attempt_at <= %s
        AND delivery.id <> ALL (%s::bigint[])
        ORDER BY delivery.next_attempt_at, delivery.id LIMIT endpoint.places
    ) AS due
) AS due WHERE place <= owners_places ORDER BY next_attempt_at, id LIMIT %s
"""

MOST_OF_OWNER = 64
"""Requests under way to all endpoints of one owner: slow ones must leave places for those of others."""

Subject = tuple[str, str]
"""A case at an endpoint: subscription, subject."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One standing webhook. Secrets are sealed; the newest is first."""

    queue: str
    owner: str
    subscription: str
    url: str
    secrets: tuple[bytes, ...]
    breaker: Breaker


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event from an endpoint's queue. `replay` is the request by which it comes again, empty otherwise."""

    subscription: str
    event_id: str
    replay: str
    type: str
    subject: str
    sequence: int
    body: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint, due now. `attempts` counts those before."""

    subscription: str
    id: int
    event_id: str
    replay: str
    subject: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn found: the standing endpoints by subscription, what to send now, and what became of what was sent."""

    endpoints: dict[str, Endpoint]
    due: list[Delivery]
    outcomes: list[str]


class WebhookStore:
    """`url` is the service's database. Losing the connection loses the lock, and writing stops with it."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url, application_name="onehall-webhooks", **TCP_LIMITS)
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '30s'")

    def try_lead(self) -> bool:
        """Whether this dispatcher is the leader now. Not by waiting: a waiting session holds back VACUUM."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER_LOCK,))
            row: tuple[bool] | None = cursor.fetchone()
            return row is not None and row[0]

    def turn(
        self,
        arrived: Sequence[Arrival],
        finished: Sequence[tuple[Delivery, Result]],
        under_way: Collection[Delivery],
        most: int,
        most_each: int,
        now: datetime,
    ) -> Turn:
        """Write what arrived and finished, and read what is due, in one transaction.

        `under_way` is being sent and is not due again; `most` and `most_each` bound what is under way in all and for
        one endpoint.
        """
        with self._connection, self._connection.cursor() as cursor:
            endpoints = _standing(cursor, now)
            freed, outcomes = _finish(cursor, finished, endpoints, now)
            freed |= _add(cursor, arrived, now)
            cursor.execute(_TAKE_REQUESTED)
            freed.update(cursor.fetchall())
            _give_turn(cursor, freed, now)
            due = _due(cursor, endpoints, under_way, most, most_each, now)
            return Turn(endpoints, due, outcomes)

    def close(self) -> None:
        self._connection.close()


def _standing(cursor: Any, now: datetime) -> dict[str, Endpoint]:
    cursor.execute(_STANDING, (now, now))
    return {
        subscription: Endpoint(
            topology.subscription_queue(owner, name).name,
            owner,
            subscription,
            url,
            tuple(bytes(secret) for secret in (newest, former) if secret),
            Breaker(failures, rests_until),
        )
        for owner, name, subscription, url, newest, former, failures, rests_until in cursor.fetchall()
    }


def _add(cursor: Any, arrived: Sequence[Arrival], now: datetime) -> set[Subject]:
    """In their order. What is there already has had, or will have, its effect."""
    if not arrived:
        return set()
    rows = [(*_values(arrival), now) for arrival in arrived]
    return set(execute_values(cursor, _ADD, rows, page_size=len(rows), fetch=True))


def _values(arrival: Arrival) -> tuple[Any, ...]:
    subject = (arrival.type, arrival.subject, arrival.sequence)
    return (arrival.subscription, arrival.event_id, arrival.replay, *subject, arrival.body)


def _finish(
    cursor: Any, finished: Sequence[tuple[Delivery, Result]], endpoints: dict[str, Endpoint], now: datetime
) -> tuple[set[Subject], list[str]]:
    """The cases whose turn is over, and the outcomes. `endpoints` get their breakers' new state."""
    if not finished:
        return set(), []
    attempts = [
        (delivery.subscription, delivery.id, result.at, result.status_code, result.error, result.milliseconds)
        for delivery, result in finished
    ]
    execute_values(cursor, _RECORD, attempts)
    outcomes = [rules.outcome(result, delivery.attempts + 1) for delivery, result in finished]
    rows = [_row(delivery, outcome, now) for (delivery, _), outcome in zip(finished, outcomes, strict=True)]
    execute_values(cursor, _FINISH, rows, template=_FINISH_ROW)
    _move_breakers(cursor, finished, endpoints, now)
    over = {
        (delivery.subscription, delivery.subject)
        for (delivery, _), outcome in zip(finished, outcomes, strict=True)
        if outcome in (rules.DELIVERED, rules.FAILED)
    }
    return over, outcomes


def _row(delivery: Delivery, outcome: str, now: datetime) -> tuple[Any, ...]:
    attempts = delivery.attempts + 1
    if outcome in (rules.DELIVERED, rules.FAILED):
        return (delivery.id, outcome, attempts, None, now)
    if outcome == rules.GONE:
        # the first to be sent, should the owner want the endpoint back
        return (delivery.id, "pending", attempts, now, None)
    return (delivery.id, "pending", attempts, now + rules.delay(attempts, random.random()), None)  # noqa: S311 jitter


def _move_breakers(
    cursor: Any, finished: Iterable[tuple[Delivery, Result]], endpoints: dict[str, Endpoint], now: datetime
) -> None:
    before = dict(endpoints)
    for delivery, result in finished:
        if result.is_gone:
            cursor.execute(_DISABLE, (now, delivery.subscription))
            endpoints.pop(delivery.subscription, None)
        elif endpoint := endpoints.get(delivery.subscription):
            endpoints[delivery.subscription] = replace(endpoint, breaker=endpoint.breaker.after(result, now))
    for subscription, endpoint in endpoints.items():
        if endpoint.breaker != before[subscription].breaker:
            state = (endpoint.breaker.failures, endpoint.breaker.rests_until, subscription)
            cursor.execute(_SET_BREAKER, state)


def _give_turn(cursor: Any, subjects: Collection[Subject], now: datetime) -> None:
    if subjects:
        cursor.execute(_GIVE_TURN, (now, [each[0] for each in subjects], [each[1] for each in subjects]))


def _due(
    cursor: Any,
    endpoints: dict[str, Endpoint],
    under_way: Collection[Delivery],
    most: int,
    most_each: int,
    now: datetime,
) -> list[Delivery]:
    places = {key: endpoint.breaker.places(now, most_each) for key, endpoint in endpoints.items()}
    owners = {key: endpoint.owner for key, endpoint in endpoints.items()}
    owners_places = dict.fromkeys(owners.values(), MOST_OF_OWNER)
    for delivery in under_way:
        if delivery.subscription in places:
            places[delivery.subscription] -= 1
            owners_places[owners[delivery.subscription]] -= 1
    free = {key: count for key, count in places.items() if count > 0 and owners_places[owners[key]] > 0}
    left = most - len(under_way)
    if not free or left <= 0:
        return []
    sent = [delivery.id for delivery in under_way]
    of_owners = [owners[key] for key in free], [owners_places[owners[key]] for key in free]
    cursor.execute(_DUE, (list(free), list(free.values()), *of_owners, now, sent, left))
    return [Delivery(*row) for row in cursor.fetchall()]
