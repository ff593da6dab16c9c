"""The provider's requests and answers as plain data: they come over RPC, and no web framework is in sight."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request

from services.identity.oauth.claims_request import ClaimsRequest

Answer = dict[str, Any]
"""`{"status": int, "headers": [[name, value]], "body": str}`"""

FORM = "application/x-www-form-urlencoded"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`url` is the full external URL with its raw query, `body` the raw body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str = ""

    @classmethod
    def of(cls, method: str, url: str, headers: Any, body: str | None) -> HttpRequest:
        """`headers`: a mapping, or pairs; names in any case."""
        pairs: Iterable[Any] = headers.items() if isinstance(headers, Mapping) else headers or ()
        return cls(method, url, {str(name).title(): str(value) for name, value in pairs}, body or "")

    @property
    def form(self) -> str:
        is_form = self.headers.get("Content-Type", FORM).partition(";")[0].strip().lower() == FORM
        return self.body if is_form else ""


class Parameters(OAuth2Payload):
    """RFC 6749, section 3.1 and 3.2: a parameter without a value is as if omitted."""

    def __init__(self, encoded: str) -> None:
        self._datalist: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in parse_qsl(encoded):
            self._datalist[name].append(value)

    @property
    def data(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._datalist.items()}

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._datalist

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self._datalist.items() for value in values]

    @property
    def fingerprint(self) -> str:
        """A hash that is the same for every spelling of the same request: a browser may encode an address anew.

        The language in which the pages show it (`lang`) is no part of it.
        """
        asked = {name: values for name, values in self._datalist.items() if name != "lang"}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def require_well_formed(self) -> None:
        """RFC 6749, section 3.1 and 3.2: "parameters MUST NOT be included more than once"."""
        for name, values in self._datalist.items():
            # resource indicators may repeat (RFC 8707, section 2); `resources` reads them all
            if len(values) > 1 and name != "resource":
                raise InvalidRequestError("A parameter is repeated in the request.")
            if _UNSTORABLE.search(values[0]):
                raise InvalidRequestError("A parameter holds a character that is no text.")


class ProviderRequest(OAuth2Request):
    """Authlib's request. What a POST says stands in its body, never in its query.

    `claims` is what an authorization request asks for by name, as far as the client may have it.
    """

    def __init__(self, http: HttpRequest) -> None:
        super().__init__(http.method, http.url, headers=dict(http.headers))
        self.claims = ClaimsRequest()
        self.payload = Parameters(http.form if http.method == "POST" else urlsplit(http.url).query)

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data if self.method == "POST" else {}


def answer(status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"status": status, "headers": [list(header) for header in headers], "body": text}
