"""The rules of factors: what counts as two, how long a sign-in may take, how many wrong answers it may have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# RFC 8176, section 2: authentication method references
PASSWORD, ONE_TIME, SMS, MULTI = "pwd", "otp", "sms", "mfa"
HARDWARE_KEY, SOFTWARE_KEY, USER_PRESENT = "hwk", "swk", "user"

TOTP, PASSKEY, SMS_CODE, MAIL_CODE, RECOVERY = "totp", "passkey", "sms", "mail", "recovery"
ADDRESSED = (SMS_CODE, MAIL_CODE)
GUESSABLE = (TOTP, SMS_CODE, MAIL_CODE)
"""Six digits: wrong answers are counted for the account (`limits`), not only for the sign-in."""

STEP_LIFETIME = timedelta(minutes=10)
"""From the password to the second factor."""

STEP_ATTEMPTS = 5

FRESH = timedelta(minutes=15)
"""How long after a sign-in its browser may change how the account is proved."""

MAX_PASSKEYS = 10
RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """Somebody has given the first factor; the browser that did so holds the secret of `secret_hash`.

    `request` is the hash of the authorization request. `must_enrol`: the account has no second factor, and may not go
    without one.
    """

    secret_hash: str
    subject: str
    channel: str
    amr: tuple[str, ...]
    request: str | None
    must_enrol: bool
    begun_at: datetime
    attempts: int

    def is_live(self, now: datetime) -> bool:
        return now < self.begun_at + STEP_LIFETIME and self.attempts < STEP_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Factors:
    """The second factors that an account has."""

    has_totp: bool = False
    passkeys: int = 0
    codes: tuple[str, ...] = ()
    recovery_codes: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """By how well each withstands being phished, the best first. Recovery codes alone are no second factor."""
        own = {PASSKEY: self.passkeys > 0, TOTP: self.has_totp} | {kind: kind in self.codes for kind in ADDRESSED}
        has_any = any(own.values())
        return tuple(kind for kind, has in (own | {RECOVERY: has_any and self.recovery_codes > 0}).items() if has)

    @property
    def is_empty(self) -> bool:
        return not self.kinds


_REFERENCE = {TOTP: (ONE_TIME,), SMS_CODE: (ONE_TIME, SMS), MAIL_CODE: (ONE_TIME,), RECOVERY: (ONE_TIME,)}


def references(first: Iterable[str], kind: str, *, is_backed_up: bool = False) -> tuple[str, ...]:
    """`amr` after a second factor of `kind`, or a passkey alone.

    A passkey's user was present (`user`) and verified: to have it and to unlock it are two factors (`mfa`). Whether a
    PIN, a finger or a face did is not told, so none of `pin`, `fpt`, `face` is said. A key that is copied between
    devices is software (`swk`), any other is kept by hardware (`hwk`).
    """
    if kind == PASSKEY:
        added: tuple[str, ...] = (SOFTWARE_KEY if is_backed_up else HARDWARE_KEY, USER_PRESENT)
    else:
        added = _REFERENCE[kind]
    return tuple(dict.fromkeys((*first, *added, MULTI)))


def is_two_factors(amr: Iterable[str]) -> bool:
    return MULTI in amr


def needs_second_factor(roles: tuple[str, ...], environment: str | None) -> bool:
    """Staff, outside local runs. In a local run the demo's accounts sign in with the password alone."""
    return bool(roles) and environment != "local"
