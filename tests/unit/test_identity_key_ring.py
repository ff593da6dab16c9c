"""A process reads its keys once a second, and never goes on with keys that only a rolled-back transaction knew."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.identity.oauth import keys
from services.identity.oauth.keys import KEYS_FRESH_SECONDS, KeyRing, SigningKeys

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Stored:
    """What the database says: None as long as there are no keys."""

    def __init__(self) -> None:
        self.found: SigningKeys | None = SigningKeys({}, ({"kid": "one"},))
        self.reads = 0

    def find(self, *_: object) -> SigningKeys | None:
        self.reads += 1
        return self.found


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    stored = Stored()
    monkeypatch.setattr(keys, "_find_keys", stored.find)
    return stored


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_read_once_a_second(stored: Stored) -> None:
    clock = Clock()
    ring = KeyRing(clock)
    first = [ring.load(None, None, NOW) for _ in range(3)]  # type: ignore[arg-type]
    assert stored.reads == 1
    stored.found = SigningKeys({}, ({"kid": "two"},))
    clock.now += KEYS_FRESH_SECONDS
    assert ring.load(None, None, NOW) is stored.found  # type: ignore[arg-type]
    assert first == [first[0]] * 3
    assert first[0] is not stored.found


def test_keys_that_were_just_made_are_read_again(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    ring, made = KeyRing(Clock()), SigningKeys({}, ({"kid": "made"},))
    stored.found = None
    monkeypatch.setattr(keys, "load_keys", lambda *_: made)
    assert ring.load(None, None, NOW) is made  # type: ignore[arg-type]
    # that transaction was rolled back, and another process has made others
    stored.found = SigningKeys({}, ({"kid": "theirs"},))
    assert ring.load(None, None, NOW) is stored.found  # type: ignore[arg-type]
