"""Beside the turns, on a connection of its own: what is pending is measured, and what was finished long ago deleted."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import psycopg2

from chassis import metrics
from chassis.postgres import TCP_LIMITS
from contracts import topology

log = logging.getLogger(__name__)

MEASURE_SECONDS = 5.0
PRUNE_SECONDS = 3600.0
_PRUNE_BATCH = 5_000

# each count from its partial index, in one pass; ids rise with time, so the least is the oldest
_MEASURE = """
SELECT owner, name, coalesce(pending.count, 0), coalesce(extract(epoch FROM now() - oldest.created_at), 0)::float,
    coalesce(failed.count, 0), disabled_at IS NULL AND coalesce(rests_until > now(), false), disabled_at IS NOT NULL
FROM webhooks JOIN subscriptions ON subscriptions.id = subscription
LEFT JOIN (
    SELECT subscription, count(*), min(id) AS oldest FROM webhook_deliveries WHERE status = 'pending' GROUP BY 1
) AS pending USING (subscription)
LEFT JOIN (
    SELECT subscription, count(*) FROM webhook_deliveries WHERE status = 'failed' GROUP BY 1
) AS failed USING (subscription)
LEFT JOIN webhook_deliveries AS oldest ON oldest.id = pending.oldest
WHERE ended_at IS NULL
"""
# attempts go with their delivery
_PRUNE = """
DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries WHERE finished_at < now() - make_interval(days => %s)
    ORDER BY finished_at LIMIT %s
)
"""
_PRUNE_ENDED = """
DELETE FROM webhooks USING subscriptions
WHERE subscriptions.id = subscription AND removed_at < now() - make_interval(days => %s)
"""

_GAUGES = (
    metrics.webhook_pending,
    metrics.webhook_oldest_seconds,
    metrics.webhook_failed,
    metrics.webhook_resting,
    metrics.webhook_disabled,
)


class Housekeeping:
    """Runs beside a dispatcher that leads, in a thread of its own, from `start` to `stop`."""

    def __init__(self, url: str, retention_days: int) -> None:
        self._url = url
        self._retention_days = retention_days
        self._pruned = -PRUNE_SECONDS
        self._known: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The gauges speak of the leader's endpoints only, so they go with it."""
        self._stopped.set()
        self._thread.join()
        self._forget(self._known)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._keep_house()
            except psycopg2.Error as error:
                log.warning("webhooks cannot be measured (%r); trying again", error)
                self._stopped.wait(MEASURE_SECONDS)

    def _keep_house(self) -> None:
        connection = psycopg2.connect(self._url, application_name="onehall-webhooks-housekeeping", **TCP_LIMITS)
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            while not self._stopped.is_set():
                self._measure(cursor)
                if time.monotonic() - self._pruned >= PRUNE_SECONDS:
                    prune(cursor, self._retention_days)
                    self._pruned = time.monotonic()
                self._stopped.wait(MEASURE_SECONDS)
        finally:
            connection.close()

    def _measure(self, cursor: Any) -> None:
        cursor.execute(_MEASURE)
        measured = {topology.subscription_queue(owner, name).name: values for owner, name, *values in cursor.fetchall()}
        self._forget(self._known - measured.keys())
        self._known = set(measured)
        for queue, values in measured.items():
            for gauge, value in zip(_GAUGES, values, strict=True):
                gauge.labels(queue).set(value)

    def _forget(self, queues: set[str]) -> None:
        for queue in queues:
            for gauge in _GAUGES:
                gauge.remove(queue)


def prune(cursor: Any, days: int) -> None:
    """Delete what was finished, and the webhooks whose subscription was removed, more than so many days ago."""
    cursor.execute(_PRUNE_ENDED, (days,))
    cursor.execute(_PRUNE, (days, _PRUNE_BATCH))
    while cursor.rowcount == _PRUNE_BATCH:
        cursor.execute(_PRUNE, (days, _PRUNE_BATCH))
