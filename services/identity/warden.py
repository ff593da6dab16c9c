"""Ends the broker's connections of programs whose access token has expired, or that may not sign in any more.

RabbitMQ looks at a token when it is presented and at each new operation, but a consumer that runs goes on after it has
expired, and a renewal cannot be seen from outside. What can be seen is a new consumer, which the broker refuses to an
expired token: so a consumer lives no longer than a token (docs/adr/0010).
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import httpx2

from services.identity import metrics
from services.identity.broker import Connection, Consumer, Management
from services.identity.domain import Client, Ending, reason_to_end

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 50
"""Of one client. The broker can limit those of all together only, and one client must not take all."""

REASONS = {
    Ending.DISABLED: "the client is disabled",
    Ending.ENDED: "the client's last day is over",
    Ending.EXPIRED: "the access token has expired and was not renewed",
    Ending.SURPLUS: "the client has too many connections",
}


class Warden:
    """Remembers when it first saw each consumer. One in each replica does no harm: they see and do the same.

    `longest` is how long a consumer may live: a token's lifetime and some grace. `own_user` is the platform's account
    at a broker where it has only one; it is nobody's client.
    """

    def __init__(self, management: Management, longest: timedelta, own_user: str) -> None:
        self._management = management
        self._longest = longest
        self._own_user = own_user
        self._first_seen: dict[Consumer, datetime] = {}
        self._proofs: dict[Connection, datetime] = {}
        self._is_blind = False

    def look(self, clients: Collection[Client], now: datetime) -> None:
        """A broker that does not answer is a warning: what should have been closed is at the next look."""
        try:
            self._look({client.id: client for client in clients if client.id != self._own_user}, now)
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            # said once an absence, not once a look
            log.log(logging.DEBUG if self._is_blind else logging.WARNING, "connections cannot be watched: %r", error)
            self._is_blind = True
        else:
            self._is_blind = False
            metrics.broker_watched.set(time.time())

    def _look(self, clients: dict[str, Client], now: datetime) -> None:
        connections = [found for found in self._management.connections() if found.user in clients]
        consumers = self._management.consumers() if connections else []
        self._first_seen = {consumer: self._first_seen.get(consumer, now) for consumer in consumers}
        self._proofs = {connection: self._newest_proof(connection) for connection in connections}
        surplus = _surplus(connections)
        for connection, proof in self._proofs.items():
            ending = reason_to_end(clients[connection.user], proof, now, self._longest)
            if ending is None and connection in surplus:
                ending = Ending.SURPLUS
            if ending is not None:
                self._close(connection, ending)

    def _newest_proof(self, connection: Connection) -> datetime:
        """When the broker last accepted a token from it, as far as can be seen.

        It holds though its consumer is gone: one that ends is gone from the list at once, and the one that takes its
        place is not there yet (the plugin looks every 5 s).
        """
        known = self._proofs.get(connection, connection.connected_at)
        consumers = [at for consumer, at in self._first_seen.items() if consumer.connection == connection.name]
        return max([known, *consumers])

    def _close(self, connection: Connection, ending: Ending) -> None:
        self._management.close_connection(connection.name, REASONS[ending])
        metrics.broker_connections_closed.labels(ending).inc()
        log.info("a connection of %s to the broker is closed: %s", connection.user, REASONS[ending])


def _surplus(connections: Iterable[Connection]) -> set[Connection]:
    """The newest of each client that has too many."""
    of_client: dict[str, list[Connection]] = defaultdict(list)
    for connection in sorted(connections, key=lambda connection: connection.connected_at):
        of_client[connection.user].append(connection)
    return {connection for each in of_client.values() for connection in each[MOST_CONNECTIONS:]}
