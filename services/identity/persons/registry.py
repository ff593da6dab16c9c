"""The register of persons, as an adapter: does this number belong to this name? One HTTP/JSON interface, any register.

`POST <url>/oauth/token` with client credentials (RFC 6749, section 4.4) gives a token for
`POST <url>/v1/identity-checks` with `{"name", "id_number"}`, answered `{"result": "match" | "no-match"}`; 429 with
`Retry-After` when it is asked too often. Over https only, but in local runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import quote_plus

import httpx2

log = logging.getLogger(__name__)

_SECONDS = 5.0
_TOKEN_MARGIN_SECONDS = 30
_LARGEST_ANSWER = 10_000
_LONGEST_PAUSE_SECONDS = 60


class Outcome(StrEnum):
    """What the register said, or that it said nothing."""

    MATCH = "match"
    NO_MATCH = "no-match"
    UNAVAILABLE = "unavailable"
    LIMITED = "limited"


class Registry:
    """`now` gives seconds that only rise. While it said that it is asked too often, it is not asked."""

    def __init__(
        self, http: httpx2.Client, client_id: str, secret: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._credentials = (quote_plus(client_id), quote_plus(secret))
        self._now = now
        self._token: tuple[str, float] = ("", 0)
        self._resting_until = 0.0

    def check(self, name: str, id_number: str) -> Outcome:
        """Outside a transaction: it waits for the register, five seconds at most for each of its two answers."""
        if self._now() < self._resting_until:
            return Outcome.LIMITED
        try:
            return self._check({"name": name, "id_number": id_number})
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            # never its text: that may hold what was asked
            log.warning("the register of persons gives no answer: %s", type(error).__name__)
            return Outcome.UNAVAILABLE

    def _check(self, question: dict[str, str]) -> Outcome:
        answer = self._ask(question)
        if answer.status_code == httpx2.codes.UNAUTHORIZED:
            # the token was revoked before its end
            self._token = ("", 0)
            answer = self._ask(question)
        if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            self._rest(answer.headers.get("retry-after", ""))
            return Outcome.LIMITED
        answer.raise_for_status()
        if len(answer.content) > _LARGEST_ANSWER:
            raise ValueError("larger than an answer can be")
        result = answer.json()["result"]
        if result not in (Outcome.MATCH, Outcome.NO_MATCH):
            raise ValueError("no answer that it has")
        return Outcome(result)

    def _rest(self, retry_after: str) -> None:
        seconds = int(retry_after) if retry_after.isascii() and retry_after.isdecimal() else 1
        self._resting_until = self._now() + min(max(seconds, 1), _LONGEST_PAUSE_SECONDS)

    def _ask(self, question: dict[str, str]) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self._access_token()}"}
        return self._http.post("/v1/identity-checks", json=question, headers=headers)

    def _access_token(self) -> str:
        known, until = self._token
        if self._now() < until:
            return known
        asked_at = self._now()
        form = {"grant_type": "client_credentials", "scope": "identity-checks"}
        answer = self._http.post("/oauth/token", auth=self._credentials, data=form).raise_for_status().json()
        lifetime = int(answer.get("expires_in", 0)) - _TOKEN_MARGIN_SECONDS
        self._token = (str(answer["access_token"]), asked_at + lifetime)
        return self._token[0]


def open_registry(url: str, client_id: str, secret: str) -> Registry:
    return Registry(httpx2.Client(base_url=url, timeout=_SECONDS, follow_redirects=False), client_id, secret)
