"""A connection's access token, renewed before it ends, without a message moving.

The broker tells nobody that it was given a new token, and lets a consumer go on whose token has ended. What it does
refuse with an ended token is a new consumer; so with each new token one is begun, as the platform asks. It stands by
behind the first on the same channel (the queue hands events to one consumer at a time), so nothing in hand changes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from pika import exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

from departments.credentials import AccessToken
from departments.errors import SubscriptionError

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0)


class Renewal:
    """Looks after `token` until its connection ends. `consume` begins one more consumer and gives its tag."""

    def __init__(
        self,
        channel: BlockingChannel,
        consume: Callable[[], str],
        fetch_token: Callable[[], AccessToken],
        token: AccessToken,
    ) -> None:
        self._channel = channel
        self._consume = consume
        self._fetch_token = fetch_token
        self._token = token
        self._proof: str | None = None
        self._failures = 0
        self._wait(token.renew_after)

    def _wait(self, seconds: float) -> None:
        self._channel.connection.call_later(seconds, self._begin)

    def _begin(self) -> None:
        # the provider may take its time: heartbeats, events and acknowledgements go on meanwhile
        threading.Thread(target=self._fetch, name="token", daemon=True).start()

    def _fetch(self) -> None:
        try:
            token = self._fetch_token()
        except SubscriptionError as error:
            in_connection(self._channel.connection, partial(self._put_off, str(error)))
        else:
            in_connection(self._channel.connection, partial(self._take, token))

    def _take(self, token: AccessToken) -> None:
        self._channel.connection.update_secret(token.value, "renewed before its end")
        proof = self._consume()
        if self._proof is not None:
            self._channel.basic_cancel(self._proof)
        self._token, self._proof, self._failures = token, proof, 0
        self._wait(token.renew_after)

    def _put_off(self, why: str) -> None:
        if self._token.has_ended:
            _LOG.warning("the access token has ended and there is no new one: %s", why)
            self._channel.connection.close()
            return
        if self._failures == 0:
            _LOG.warning("%s; trying again until the access token ends", why)
        self._wait(_RETRY_SECONDS[min(self._failures, len(_RETRY_SECONDS) - 1)])
        self._failures += 1


def in_connection(connection: BlockingConnection, callback: Callable[[], None]) -> None:
    """Run it in the connection's own thread. When that is gone there is nothing to do: its messages come again."""
    try:
        connection.add_callback_threadsafe(callback)
    except exceptions.ConnectionWrongStateError:
        _LOG.debug("connection is gone")
