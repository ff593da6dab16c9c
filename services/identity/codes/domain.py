"""The rules of one-time codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from services.identity.persons.identifiers import EMAIL, PHONE

LIFETIME = timedelta(minutes=5)
MAX_ATTEMPTS = 5
"""So many guesses out of a million (NIST SP 800-63B, section 3.1.3.2 asks for 64 bits or a limit such as this)."""

RESEND_AFTER = timedelta(seconds=35)
"""Providers of short messages refuse the same number within 30 seconds, counted from when they had the first one."""

DAY = timedelta(hours=24)
MAX_A_DAY_TO_ADDRESS = 10
MAX_A_DAY_TO_ACCOUNT = 20

MAIL = "mail"
SMS = "sms"
KINDS = (MAIL, SMS)

WAY_OF = {EMAIL: MAIL, PHONE: SMS}
"""How what identifies somebody is written to, and the other way round."""

ADDRESS_OF = {way: kind for kind, way in WAY_OF.items()}

_SIX_DIGITS = re.compile("[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is sent a code: `kind` of address, the address in full, whose account it is if it is one's, and the language.

    One without a `kind` is nobody: `address` is then what was typed in (a user name, a number that no account has).
    Nothing is sent, but everything else is done and said as for somebody.
    """

    address: str
    kind: str | None = None
    subject: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Proved:
    """Whoever gave the right code reads at `address`. `subject` is the account that it was sent for, if it was."""

    subject: str | None
    kind: str
    address: str


def tidy(code: str) -> str | None:
    """As people type it, with spaces between; None for what cannot be a code."""
    digits = "".join(code.split()) if len(code) <= 20 else ""
    return digits if _SIX_DIGITS.fullmatch(digits) else None
