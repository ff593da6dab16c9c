"""How sure it is who somebody is: the levels, and which one a sign-in has. The tokens say it as `acr`."""

from __future__ import annotations

from collections.abc import Collection

SELF_DECLARED, CHECKED, IN_PERSON = 1, 2, 3
LEVELS = (SELF_DECLARED, CHECKED, IN_PERSON)

PASSWORD = "pwd"  # noqa: S105  (the name of a method)
TWO_FACTORS = "mfa"
"""RFC 8176, section 2: how somebody signed in (`amr`)."""


def level_of(account_level: int, amr: Collection[str]) -> int:
    """Of a sign-in: the account's own level, or that of two factors if it is higher."""
    return max(account_level, CHECKED) if TWO_FACTORS in amr else account_level


def rank(acr: str) -> int:
    """Levels are numbers; any other word is above all of them, so nobody reaches it."""
    return int(acr) if acr in ACR_VALUES else IN_PERSON + 1


ACR_VALUES = tuple(map(str, LEVELS))
