"""The local registers in one process: that of persons, and those of evidence under paths of their own, over real HTTP.

`services.identity.persons.registry` asks the register of persons, `services.cases.registries` the others
(`deploy.local.evidence_registers`).

It knows the demo's people by number and name. Of everybody else the day of birth says how it behaves, so that each way
can be tried by hand: born in 1891, the number belongs to whatever name is said; in 1892 the register is out of order
(503); in 1893 it is asked too often (429, `Retry-After`); any other number is nobody's. Nothing leaves this machine.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from deploy.local import evidence_registers
from deploy.local.evidence_registers import Answer, EvidenceRegister
from services.identity.demo import ACCOUNTS, PARTICULARS

CLIENT_ID = "onehall"
CLIENT_SECRET = "onehall-demo-registry"  # noqa: S105 (known to all, and good here only)
TOKEN_SECONDS = 300
RETRY_AFTER_SECONDS = 2
_MAX_BODY = 8 * 1024
_UNKNOWN: Answer = (401, {"error": "invalid_token"}, {"WWW-Authenticate": "Bearer"})


@dataclass
class Tokens:
    """The token endpoint of one register."""

    secret: str
    now: Callable[[], float] = time.monotonic
    tokens: dict[str, float] = field(default_factory=dict)

    def is_token(self, authorization: str) -> bool:
        return self.tokens.get(authorization.removeprefix("Bearer "), 0) > self.now()

    def issue(self, authorization: str, body: bytes) -> Answer:
        """RFC 6749, section 4.4, with the client's secret by HTTP Basic (section 2.3.1)."""
        if not self._is_client(authorization):
            return 401, {"error": "invalid_client"}, {"WWW-Authenticate": "Basic"}
        if parse_qs(body.decode("utf-8", "replace")).get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}, {}
        token = secrets.token_urlsafe(24)
        self.tokens[token] = self.now() + TOKEN_SECONDS
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}, {}

    def _is_client(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            said = base64.b64decode(encoded, validate=True).decode()
        except ValueError:
            return False
        client, _, secret = said.partition(":")
        is_secret = secrets.compare_digest(unquote_plus(secret).encode(), self.secret.encode())
        return scheme.lower() == "basic" and unquote_plus(client) == CLIENT_ID and is_secret


@dataclass
class Register:
    """`names` is number -> name. `others` is path -> a register of evidence."""

    secret: str = CLIENT_SECRET
    names: dict[str, str] = field(default_factory=lambda: demo_names())
    now: Callable[[], float] = time.monotonic
    others: dict[str, EvidenceRegister] = field(default_factory=lambda: demo_others())

    def __post_init__(self) -> None:
        self._tokens = Tokens(self.secret, self.now)
        self._tokens_of = {path: Tokens(other.secret, self.now) for path, other in self.others.items()}

    @property
    def tokens(self) -> dict[str, float]:
        return self._tokens.tokens

    def answer(self, path: str, authorization: str, body: bytes, key: str = "") -> Answer:
        if path == "/oauth/token":
            return self._tokens.issue(authorization, body)
        if path == "/v1/identity-checks":
            return self._check(authorization, body)
        for prefix, other in self.others.items():
            if path == f"{prefix}/oauth/token":
                return self._tokens_of[prefix].issue(authorization, body)
            if path == f"{prefix}/v1/evidence":
                known = self._tokens_of[prefix].is_token(authorization)
                return other.answer(body, key) if known else _UNKNOWN
        return 404, {"error": "not_found"}, {}

    def _check(self, authorization: str, body: bytes) -> Answer:
        if not self._tokens.is_token(authorization):
            return _UNKNOWN
        try:
            asked = json.loads(body)
            name, number = str(asked["name"]), str(asked["id_number"])
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "invalid_request"}, {}
        match number[6:10]:
            case "1892":
                return 503, {"error": "unavailable"}, {}
            case "1893":
                return 429, {"error": "too_many_requests"}, {"Retry-After": str(RETRY_AFTER_SECONDS)}
            case "1891":
                return 200, {"result": "match"}, {}
        return 200, {"result": "match" if self.names.get(number) == name else "no-match"}, {}


def demo_names() -> dict[str, str]:
    return {str(PARTICULARS[account.username].id_number): account.name for account in ACCOUNTS}


def demo_others() -> dict[str, EvidenceRegister]:
    return {"/hospital": evidence_registers.hospital(), "/households": evidence_registers.households()}


def make_server(host: str, port: int, register: Register) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            if not size.isdecimal() or int(size) > _MAX_BODY:
                self._send(413, {"error": "invalid_request"}, {"Connection": "close"})
                return
            body = self.rfile.read(int(size))
            key = self.headers.get("Idempotency-Key", "")
            self._send(*register.answer(self.path, self.headers.get("Authorization", ""), body, key))

        def _send(self, status: int, content: dict[str, Any], headers: dict[str, str]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in (
                {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers
            ).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Silent: what is asked here are names and numbers."""

    return ThreadingHTTPServer((host, port), Handler)


if __name__ == "__main__":
    make_server(sys.argv[1], int(sys.argv[2]), Register()).serve_forever()
