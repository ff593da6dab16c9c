"""Signing in with the platform's provider: an access token for the broker, by OAuth 2.0 client credentials.

RFC 6749, section 4.4; the endpoint is discovered (OpenID Connect Discovery 1.0, section 4), and RFC 8707 says that the
token is for the broker.
"""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from departments.errors import AccessRefused, InvalidAddress, ProviderUnreachable

RESOURCE = "urn:onehall:rabbitmq"
SCOPE = "events"

_WAIT_SECONDS = 5.0
_MAX_BYTES = 65_536
_OK, _BAD_REQUEST, _UNAUTHORIZED = 200, 400, 401
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")

# RFC 6749, section 5.2; invalid_target: RFC 8707, section 2
_ADVICE = {
    "invalid_client": "check its name and secret, and ask the platform's operator whether it was disabled",
    "unauthorized_client": "ask the platform's operator for the grant 'client_credentials'",
    "invalid_scope": f"ask the platform's operator for the scope {SCOPE!r}",
    "invalid_target": f"only a client of a department or an organisation with the scope {SCOPE!r} may read events",
}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """`value` opens the broker for `lifetime` seconds, until `ends_at` of the monotonic clock."""

    value: str = field(repr=False)
    lifetime: float
    ends_at: float

    @property
    def renew_after(self) -> float:
        """Seconds after its issue. The last third of its life is for a provider that is away."""
        return self.lifetime * 2 / 3

    @property
    def has_ended(self) -> bool:
        return time.monotonic() >= self.ends_at


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A client of the platform. `issuer` is the provider's address exactly as the provider gives it itself."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _require_safe("issuer", self.issuer)

    def fetch_token(self) -> AccessToken:
        """Ask for a new token; some seconds at most.

        Raises `ProviderUnreachable` where another try may help, else `AccessRefused` or `InvalidAddress`.
        """
        endpoint = self._discover()
        # the token ends that long after its issue, and it is issued after this
        asked_at = time.monotonic()
        status, answer = self._ask(
            endpoint,
            urlencode({"grant_type": "client_credentials", "scope": SCOPE, "resource": RESOURCE}),
            {"Authorization": f"Basic {self._basic}", "Content-Type": "application/x-www-form-urlencoded"},
        )
        if status in (_BAD_REQUEST, _UNAUTHORIZED) and isinstance(answer.get("error"), str):
            raise self._refusal(answer["error"])
        if status != _OK:
            raise ProviderUnreachable(f"the provider at {self.issuer} gave no token (HTTP status {status})")
        return self._read_token(answer, asked_at)

    @property
    def _basic(self) -> str:
        """RFC 6749, section 2.3.1: both parts form-encoded, then as HTTP Basic."""
        return b64encode(f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}".encode()).decode()

    def _discover(self) -> str:
        status, document = self._ask(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if status != _OK:
            raise ProviderUnreachable(
                f"no provider answers at {self.issuer} (HTTP status {status}): check the issuer's address"
            )
        # Discovery, section 4.3: it MUST be identical, or whoever answers here takes the place of the provider
        if document.get("issuer") != self.issuer:
            raise InvalidAddress(f"the provider at {self.issuer} gives another address as its own: check the issuer")
        endpoint = document.get("token_endpoint")
        if not isinstance(endpoint, str):
            raise ProviderUnreachable(f"the provider at {self.issuer} names no token endpoint")
        _require_safe("token endpoint", endpoint)
        return endpoint

    def _ask(
        self, address: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object; an empty one where the body is none. Redirects are not followed."""
        try:
            status, content = _exchange(address, body, headers or {})
        except (OSError, HTTPException) as error:
            raise ProviderUnreachable(
                f"no provider answers at {self.issuer} ({type(error).__name__}): check the address and the network"
            ) from error
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        return status, answer if isinstance(answer, dict) else {}

    def _refusal(self, code: str) -> AccessRefused:
        known = code if _ERROR_CODE.fullmatch(code) else "unreadable error"
        advice = _ADVICE.get(known, "ask the platform's operator")
        return AccessRefused(f"the provider at {self.issuer} refused client {self.client_id!r} ({known}): {advice}")

    def _read_token(self, answer: dict[str, Any], asked_at: float) -> AccessToken:
        value, lifetime = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(value, str) or not value or type(lifetime) is not int or lifetime < 1:
            raise ProviderUnreachable(f"the provider at {self.issuer} gave no token with a lifetime")
        return AccessToken(value, lifetime, asked_at + lifetime)


def _require_safe(what: str, address: str) -> None:
    """RFC 6749, section 3.2: the secret travels over TLS, or stays on this machine."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidAddress(f"the {what} is no address of the form https://host") from error
    if not host or parts.username or parts.query or parts.fragment:
        raise InvalidAddress(f"the {what} is no address of the form https://host")
    if parts.scheme != "https" and (parts.scheme != "http" or host not in THIS_MACHINE):
        raise InvalidAddress(f"the {what} must begin with https:// (http:// only on this very machine)")


def _exchange(address: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(address)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(connect(parts.hostname or "", parts.port, timeout=_WAIT_SECONDS)) as connection:
        connection.request(
            "GET" if body is None else "POST", parts.path, body, headers | {"Accept": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, answer.read(_MAX_BYTES)
