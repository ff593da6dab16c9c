"""The rules of device authorization: what a code looks like, how often a device may ask and a person may guess."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.identity.assurance import PASSWORD
from services.identity.domain import is_text

# RFC 8628, section 6.1: "a character set of 20 consonants"; without vowels no code is a word
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8
"""20^8 codes are 34.5 bits: all guesses that `MOST_WRONG_OF_ALL` lets pass together hit one of a thousand devices
with a chance under one in ten thousand, and gain no more than to sign a stranger's kiosk in as oneself."""
_HALF = _LENGTH // 2
_IGNORED = re.compile(r"[\s\-‐-―_.]")

LIFETIME = timedelta(minutes=10)
INTERVAL = timedelta(seconds=5)
LONGEST_INTERVAL = timedelta(seconds=60)
_ON_TIME = timedelta(milliseconds=500)
"""A device that waits as long as it was told may arrive a little early all the same: the way here varies."""

REMEMBERED = timedelta(minutes=10)
"""How long after its end a device still hears that the code has expired, instead of that there is none."""

MOST_WAITING = 5_000
"""Devices of one client that wait at a time: anybody may start one, and each is a row."""

MAX_DEVICE_NAME = 60

TRIES_WINDOW = timedelta(minutes=10)
MOST_WRONG = 10
MOST_WRONG_OF_ALL = 2_000
"""Wrong codes in a window: of one account, and of everybody together."""


class Decision(StrEnum):
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """A device that waits. `device_name` is what it says of itself: who it is, where it stands."""

    device_code_hash: str
    user_code_hash: str
    client_id: str
    scope: str
    device_name: str | None
    created_at: datetime
    expires_at: datetime
    interval_seconds: int = int(INTERVAL.total_seconds())
    polled_at: datetime | None = None
    decision: str | None = None
    subject: str | None = None
    signed_in_at: datetime | None = None
    amr: tuple[str, ...] = (PASSWORD,)

    def is_too_soon(self, now: datetime) -> bool:
        interval = timedelta(seconds=self.interval_seconds)
        return self.polled_at is not None and now - self.polled_at < interval - _ON_TIME

    @property
    def raised_interval(self) -> int:
        # RFC 8628, section 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests"
        raised = self.interval_seconds + int(INTERVAL.total_seconds())
        return min(raised, int(LONGEST_INTERVAL.total_seconds()))


def new_user_code() -> str:
    """As it is shown: `BCDF-GHJK`."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    return f"{code[:_HALF]}-{code[_HALF:]}"


def normalize_user_code(text: str) -> str | None:
    """One spelling of what was typed, or None for what can be no code.

    RFC 8628, section 6.1: "the server should ignore case and strip out non-user-code characters".
    """
    code = _IGNORED.sub("", unicodedata.normalize("NFKC", text[:100])).upper()
    if len(code) != _LENGTH or not set(code) <= set(ALPHABET):
        return None
    return f"{code[:_HALF]}-{code[_HALF:]}"


def is_device_name(text: str) -> bool:
    return len(text) <= MAX_DEVICE_NAME and is_text(text)
