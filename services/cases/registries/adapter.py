"""Registers of evidence, as an adapter: what does it say under these keys? One HTTP/JSON interface, any register.

`POST <url>/oauth/token` with client credentials (RFC 6749, section 4.4; scope `evidence`) gives a token for
`POST <url>/v1/evidence` with `{"kind", "keys", "purpose"}` and the header `Idempotency-Key`. The answer is 200 with
`{"result": "provided", "fields": {...}, "valid_until": day or null}` or `{"result": "needs-citizen"}`, or 404 with
`{"result": "not-found"}`; 429 and 503 with `Retry-After` when it is asked too often or out of order. Over https only,
but in local runs. What is asked stands in the body: addresses are logged on the way.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import quote_plus

import httpx2

from services.cases.registries.kinds import Kind

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 10.0
"""For all of an attempt, its token included."""

LARGEST_ANSWER: Final = 65_536
LONGEST_RETRY_AFTER: Final = 3_600.0
_CONNECT_TRIES: Final = 1
_TOKEN_MARGIN_SECONDS: Final = 30
_SCOPE: Final = "evidence"


class Result(StrEnum):
    """What a source may answer."""

    PROVIDED = "provided"
    NOT_FOUND = "not-found"
    NEEDS_CITIZEN = "needs-citizen"


@dataclass(frozen=True, slots=True)
class Question:
    """`id` is the same at each attempt; `purpose` is the service item that it is needed for."""

    id: str
    kind: Kind
    keys: Mapping[str, str] = field(repr=False)
    purpose: str


@dataclass(frozen=True, slots=True)
class Answer:
    result: Result
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    valid_until: date | None = None


class NoAnswer(Exception):
    """Later there may be one. Args: a word for the log, never what was asked; seconds that the register asks for."""

    @property
    def word(self) -> str:
        return str(self.args[0])

    @property
    def retry_after(self) -> float:
        return float(self.args[1]) if len(self.args) > 1 else 0.0


_OF_RESULT: Final = {Result.PROVIDED: 200, Result.NEEDS_CITIZEN: 200, Result.NOT_FOUND: 404}


class Registry(Protocol):
    """A register, however it is spoken to."""

    async def look_up(self, question: Question) -> Answer:
        """Raise `NoAnswer`."""

    async def check(self) -> None:
        """That it is there and knows us. Raise `NoAnswer`."""


class HttpRegistry:
    """`now` gives seconds that only rise."""

    def __init__(
        self, http: httpx2.AsyncClient, client_id: str, secret: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        # RFC 6749, section 2.3.1: both are form-encoded first
        self._credentials = (quote_plus(client_id), quote_plus(secret))
        self._now = now
        self._token: tuple[str, float] = ("", 0)

    async def look_up(self, question: Question) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return _answer(question.kind, *await self._ask(question))
        except TimeoutError as error:
            raise NoAnswer("timeout") from error
        except httpx2.HTTPError as error:
            # never its text: that may hold what was asked
            raise NoAnswer(type(error).__name__) from None

    async def check(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._access_token()
        except TimeoutError as error:
            raise NoAnswer("timeout") from error
        except httpx2.HTTPError as error:
            raise NoAnswer(type(error).__name__) from None

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, question: Question) -> tuple[int, bytes, Mapping[str, str]]:
        asked = {"kind": question.kind.code, "keys": dict(question.keys), "purpose": question.purpose}
        for is_last in (False, True):
            headers = {"Authorization": f"Bearer {await self._access_token()}", "Idempotency-Key": question.id}
            answer = await self._post("/v1/evidence", headers=headers, json=asked)
            if answer[0] != httpx2.codes.UNAUTHORIZED or is_last:
                break
            # the token was revoked before its end
            self._token = ("", 0)
        return answer

    async def _access_token(self) -> str:
        known, until = self._token
        asked_at = self._now()
        if asked_at < until:
            return known
        form = {"grant_type": "client_credentials", "scope": _SCOPE}
        status, body, headers = await self._post("/oauth/token", auth=self._credentials, data=form)
        if status != httpx2.codes.OK:
            raise NoAnswer(f"token-{status}", _retry_after(headers))
        try:
            said = json.loads(body)
            token, lifetime = str(said["access_token"]), int(said.get("expires_in", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NoAnswer("token-unreadable") from None
        self._token = (token, asked_at + lifetime - _TOKEN_MARGIN_SECONDS)
        return token

    async def _post(self, path: str, **sent: Any) -> tuple[int, bytes, Mapping[str, str]]:
        """What it answers, of which no more is read than an answer can be."""
        body = b""
        async with self._http.stream("POST", path, **sent) as response:
            # as it comes, for what is packed may be a thousand times as large
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise NoAnswer("too-large")
        return response.status_code, body, response.headers


def open_registry(url: str, client_id: str, secret: str) -> HttpRegistry:
    """No redirect is followed: the answer comes from where the operator said, or not at all."""
    timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    transport = httpx2.AsyncHTTPTransport(retries=_CONNECT_TRIES)
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "OneHall-Evidence/1"}
    http = httpx2.AsyncClient(
        base_url=url, headers=headers, timeout=timeout, transport=transport, follow_redirects=False
    )
    return HttpRegistry(http, client_id, secret)


def _answer(kind: Kind, status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Raise `NoAnswer` for everything that a register may not say."""
    if status not in _OF_RESULT.values():
        raise NoAnswer(f"status-{status}", _retry_after(headers))
    try:
        said = json.loads(body)
        result = Result(said["result"])
        valid_until = date.fromisoformat(said["valid_until"]) if said.get("valid_until") else None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NoAnswer("unreadable") from None
    # a wrong address says 404, too, and must not be taken for a register that has looked
    if _OF_RESULT[result] != status:
        raise NoAnswer(f"status-{status}")
    if result is not Result.PROVIDED:
        return Answer(result)
    fields = said.get("fields")
    # where, but not what: a message of the schema repeats the value
    if not kind.fields_validator.is_valid(fields):
        raise NoAnswer("breaks-its-schema")
    return Answer(result, fields, valid_until)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds (RFC 9110, section 10.2.3); of its two forms the one that registers use."""
    said = headers.get("retry-after", "")
    return min(float(said), LONGEST_RETRY_AFTER) if said.isascii() and said.isdecimal() else 0.0
