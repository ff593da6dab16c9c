"""Who has which address, and what an item is called: asked of the API with notify's own token, never stored."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import httpx2

from services.notify.api import Api, ApiUnavailable
from services.notify.wording import ItemNames, known_locale

log = logging.getLogger(__name__)

_SECONDS = 5.0
_NAMES_SECONDS = 300
_PAUSE_SECONDS = 10


class DirectoryUnavailable(ApiUnavailable):
    """Who has which address cannot be asked now."""


@dataclass(frozen=True, slots=True)
class Contact:
    """`email` is empty for an account without an address."""

    email: str
    locale: str | None
    name: str


class Directory:
    """`now` gives seconds that only rise."""

    def __init__(self, http: httpx2.Client, secret: str, now: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(http, secret, now)
        self._now = now
        self._names: dict[str, tuple[ItemNames, float]] = {}
        self._names_pause = 0.0

    def contacts(self, subjects: Collection[str]) -> dict[str, Contact]:
        """One call for all. Who is not in the answer has no account any more. Raises `DirectoryUnavailable`."""
        try:
            return self._find(sorted(subjects))
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DirectoryUnavailable(f"contacts: {error!r}") from error

    def staff_of(self, role: str, department: str | None, region: str | None) -> list[str]:
        """The subjects of who works in this role: in this department, and for this region, if they are named.

        Raises `DirectoryUnavailable`.
        """
        try:
            answer = self._api.post(
                "/api/v1/contacts/staff", {"role": role, "department": department, "region": region}
            )
            return [str(subject) for subject in answer.raise_for_status().json()]
        except (httpx2.HTTPError, ValueError, TypeError) as error:
            raise DirectoryUnavailable(f"staff: {error!r}") from error

    def locale_of(self, subject: str) -> str:
        """The account's language, or the usual one when the API cannot say."""
        try:
            contact = self.contacts([subject]).get(subject)
        except DirectoryUnavailable as error:
            log.warning("no locale: %s", error)
            contact = None
        return known_locale(contact.locale if contact else None)

    def item_names(self, item: str) -> ItemNames:
        """Locale -> name, five minutes old at most while the API answers; else the last ones known, or nothing."""
        names, until = self._names.get(item, ({}, 0.0))
        if self._now() < max(until, self._names_pause):
            return names
        try:
            answer = self._api.get(f"/api/v1/items/{item}")
            if answer.status_code != httpx2.codes.NOT_FOUND:
                names = dict(answer.raise_for_status().json()["name"])
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            log.warning("no name of item %s: %r", item, error)
            # nobody who opens an inbox waits for this again and again
            self._names_pause = self._now() + _PAUSE_SECONDS
            return names
        self._names[item] = (names, self._now() + _NAMES_SECONDS)
        return names

    def _find(self, subjects: list[str]) -> dict[str, Contact]:
        answer = self._api.post("/api/v1/contacts", {"subjects": subjects})
        if answer.status_code != httpx2.codes.UNPROCESSABLE_CONTENT:
            return {subject: _contact(fields) for subject, fields in answer.raise_for_status().json().items()}
        # one subject that the API cannot take must not keep the others' mail back
        middle = len(subjects) // 2
        return self._find(subjects[:middle]) | self._find(subjects[middle:]) if middle else {}


def open_directory(api_url: str, secret: str) -> Directory:
    # the gateway is next door: a proxy for the outside world is not asked
    return Directory(httpx2.Client(base_url=api_url, timeout=_SECONDS, trust_env=False), secret)


def _contact(fields: dict[str, Any]) -> Contact:
    return Contact(email=fields.get("email") or "", locale=fields.get("locale"), name=fields.get("name") or "")
