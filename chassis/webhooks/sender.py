"""One attempt: a POST over TLS to an address that was looked at, and what came of it."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

import httpcore2
from httpcore2 import AnyIOBackend, AsyncConnectionPool, AsyncNetworkBackend, AsyncNetworkStream
from standardwebhooks import Webhook

from chassis.webhooks import addresses
from chassis.webhooks.addresses import AddressRefused, Endpoint, HostNotFound, Networks, Resolve, ResolverBusy
from chassis.webhooks.rules import RESOLVER_BUSY, Result
from contracts.envelope import CONTENT_TYPE, REPLAY_HEADER

log = logging.getLogger(__name__)

MOST_ANSWER_BYTES = 16_384
"""Read of an answer, so that its connection can be used again. A longer one costs its connection."""

MOST_CONNECTIONS = 256
_MOST_ADDRESSES = 4
_CONNECT_SECONDS = 3.0
"""For each address of a host: one that swallows packets must leave time for the next."""

# shorter than common servers wait (5 s): a request must not meet a connection that is just being closed
_IDLE_SECONDS = 4.0
_USER_AGENT = "OneHall-Webhooks/1"


class Message(Protocol):
    """What is to be sent. `owner` is whose address it goes to: its look-ups wait for each other only."""

    @property
    def owner(self) -> str: ...

    @property
    def body(self) -> str: ...

    def endpoint(self) -> Endpoint:
        """Raise `addresses.UrlRefused`."""

    def headers(self, at: datetime) -> list[tuple[str, str]]:
        """All but `Host`."""


@dataclass(frozen=True, slots=True)
class Request:
    """An event for a webhook. `secrets` sign it: the newest, and the one before while that still counts."""

    url: str
    secrets: tuple[bytes, ...]
    event_id: str
    replay: str
    body: str
    owner: str = ""

    @property
    def webhook_id(self) -> str:
        """The same at each attempt, another one where the event was asked for again."""
        return f"{self.event_id}_{self.replay}" if self.replay else self.event_id

    def endpoint(self) -> Endpoint:
        return addresses.parse(self.url)

    def headers(self, at: datetime) -> list[tuple[str, str]]:
        """By Standard Webhooks."""
        signed = [Webhook(secret).sign(self.webhook_id, at, self.body) for secret in self.secrets]
        headers = [
            ("content-type", CONTENT_TYPE),
            ("user-agent", _USER_AGENT),
            ("webhook-id", self.webhook_id),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", " ".join(signed)),
        ]
        return [*headers, (REPLAY_HEADER, self.replay)] if self.replay else headers


class CheckedBackend(AsyncNetworkBackend):
    """Connects to an address that it has looked up and checked itself, so that no later answer of the DNS counts.

    TLS still verifies the certificate for the host of the URL.
    """

    def __init__(self, resolve: Resolve, networks: Networks) -> None:
        self._resolve = resolve
        self._networks = networks
        self._network = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        found = await addresses.find(host, port, self._resolve, self._networks)
        failure: Exception = HostNotFound(host)
        for address in found[:_MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(address, port, _CONNECT_SECONDS, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


class Sender:
    """Follows no redirect, uses no proxy, keeps no cookie and nothing of an answer but its status."""

    def __init__(self, resolve: Resolve, networks: Networks, ca_file: Path | None, seconds: float) -> None:
        self._seconds = seconds
        self._pool = AsyncConnectionPool(
            ssl_context=_tls(ca_file),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=CheckedBackend(resolve, networks),
        )

    async def send(self, message: Message) -> Result:
        """Never raises for what an endpoint does."""
        addresses.asking_for.set(message.owner)
        at, started = datetime.now(UTC), time.perf_counter()
        status_code, error, retry_after = None, None, None
        try:
            async with asyncio.timeout(self._seconds):
                status_code, retry_after = await self._post(message, at)
        except Exception as failure:
            error = _word(failure)
            if error == UNEXPECTED:
                log.exception("an attempt ended in an error of its own")
        milliseconds = round((time.perf_counter() - started) * 1000)
        return Result(at, milliseconds, status_code, error, retry_after)

    async def close(self) -> None:
        await self._pool.aclose()

    async def _post(self, message: Message, at: datetime) -> tuple[int, float | None]:
        endpoint = message.endpoint()
        # from our own parts: two readers of one URL may find two hosts in it
        url = httpcore2.URL(
            scheme=endpoint.scheme.encode(),
            host=endpoint.host.encode(),
            port=endpoint.port,
            target=endpoint.target.encode(),
        )
        body = message.body.encode()
        headers = [("host", endpoint.authority), *message.headers(at)]
        async with self._pool.stream("POST", url, headers=headers, content=body) as response:
            taken = 0
            async for chunk in response.aiter_stream():
                taken += len(chunk)
                if taken > MOST_ANSWER_BYTES:
                    break
            return response.status, _retry_after(response.headers, at)


def _retry_after(headers: Sequence[tuple[bytes, bytes]], now: datetime) -> float | None:
    """Seconds (RFC 9110, section 10.2.3): a number or a date. None for what is neither."""
    value = next((value for name, value in headers if name.lower() == b"retry-after"), b"").decode("latin-1").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        date = parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (date - now).total_seconds())


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = httpcore2.default_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


UNEXPECTED = "unexpected"
UNREADABLE_SECRET = "unreadable-secret"  # noqa: S105 a word for an error

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (addresses.UrlRefused, "url-refused"),
    (AddressRefused, "address-refused"),
    (HostNotFound, "host-not-found"),
    (ResolverBusy, RESOLVER_BUSY),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
    (httpcore2.TimeoutException, "timeout"),
    (httpcore2.ConnectError, "connection-refused"),
    (httpcore2.ProtocolError, "protocol"),
    (httpcore2.NetworkError, "connection-lost"),
    (OSError, "connection-lost"),
)

ERRORS = (*dict.fromkeys(word for _, word in _WORDS), UNREADABLE_SECRET, UNEXPECTED)
"""Every word for an attempt without an answer."""


def _word(failure: Exception) -> str:
    # the library puts what TLS said into an error of its own
    wrapped = next((each for each in failure.args if isinstance(each, ssl.SSLError)), failure)
    return next((word for kind, word in _WORDS if isinstance(wrapped, kind)), UNEXPECTED)
