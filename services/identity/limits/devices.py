"""Known devices: a cookie that a browser gets when somebody has signed in with it, good for that account only.

It opens nothing. It lets its browser try a password while strangers have used up the account's tries.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.identity.sealing import Seal, SealedOtherwise

LIFETIME = timedelta(days=400)
"""As long as browsers keep a cookie at most (RFC 6265bis, section 5.5)."""

KNOWN_DEVICES = "known-devices"
"""What the cookies are sealed for."""

_MOST = 5
_BETWEEN = "~"
_MAX_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Device:
    """`username` as it is typed in when normalized, `id` random, `since` when it was given."""

    id: str
    username: str
    since: datetime


def find_device(seal: Seal, cookie: str | None, username: str, now: datetime) -> Device | None:
    """The browser's, if `username` signed in with it."""
    return next((device for device in _devices(seal, cookie, now) if device.username == username), None)


def remember(seal: Seal, cookie: str | None, username: str, now: datetime) -> str:
    """The cookie to set: this account first, with a new id, then others that signed in with the browser."""
    others = [device for device in _devices(seal, cookie, now) if device.username != username]
    device = Device(secrets.token_urlsafe(12), username, now)
    return _BETWEEN.join(_close(seal, each) for each in [device, *others[: _MOST - 1]])


def _devices(seal: Seal, cookie: str | None, now: datetime) -> list[Device]:
    if not cookie or len(cookie) > _MAX_LENGTH:
        return []
    found = [_open(seal, part) for part in cookie.split(_BETWEEN)[:_MOST]]
    return [device for device in found if device is not None and now < device.since + LIFETIME]


def _close(seal: Seal, device: Device) -> str:
    content = json.dumps([device.id, device.username, device.since.isoformat()]).encode()
    return base64.urlsafe_b64encode(seal.close(content)).decode().rstrip("=")


def _open(seal: Seal, part: str) -> Device | None:
    try:
        content = seal.open(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, SealedOtherwise):
        return None
    device_id, username, since = json.loads(content)
    return Device(device_id, username, datetime.fromisoformat(since))
