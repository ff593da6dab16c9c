"""The API, asked by notify as a program of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx2

CLIENT = "notify"
_SCOPE = "contacts codes"
_SECONDS = 5.0
_TOKEN_MARGIN_SECONDS = 60


class ApiUnavailable(Exception):
    """The API gives no answer now. Args: what went wrong, for the log."""


class Api:
    """`now` gives seconds that only rise. Every call may raise httpx2's errors."""

    def __init__(self, http: httpx2.Client, secret: str, now: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._secret = secret
        self._now = now
        self._token: tuple[str, float] = ("", 0)

    def get(self, path: str) -> httpx2.Response:
        """What is public."""
        return self._http.get(path)

    def post(self, path: str, content: dict[str, Any]) -> httpx2.Response:
        """With notify's own token."""
        answer = self._post(path, content)
        if answer.status_code == httpx2.codes.UNAUTHORIZED:
            # a key was changed or the token revoked before its end
            self._token = ("", 0)
            answer = self._post(path, content)
        return answer

    def _post(self, path: str, content: dict[str, Any]) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self._access_token()}"}
        return self._http.post(path, json=content, headers=headers)

    def _access_token(self) -> str:
        """RFC 6749, section 4.4; used again until a minute before its end."""
        known, until = self._token
        if self._now() < until:
            return known
        asked_at = self._now()
        answer = self._http.post(
            self._token_path(),
            # RFC 6749, section 2.3.1: both are form-encoded first
            auth=(quote_plus(CLIENT), quote_plus(self._secret)),
            data={"grant_type": "client_credentials", "scope": _SCOPE},
        )
        fields = answer.raise_for_status().json()
        self._token = (str(fields["access_token"]), asked_at + int(fields.get("expires_in", 0)) - _TOKEN_MARGIN_SECONDS)
        return self._token[0]

    def _token_path(self) -> str:
        """Discovery names the citizens' address; from here the gateway may have another, so only the path counts."""
        configuration = self._http.get("/.well-known/openid-configuration").raise_for_status().json()
        return urlsplit(str(configuration["token_endpoint"])).path


def open_api(api_url: str, secret: str) -> Api:
    # the gateway is next door: a proxy for the outside world is not asked
    return Api(httpx2.Client(base_url=api_url, timeout=_SECONDS, trust_env=False), secret)
