"""The rules of recovery: what proves how much, and how long the owner has to say no (docs/adr/0024)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from services.identity.codes.domain import KINDS
from services.identity.factors.domain import Factors

PURPOSE = "recovery"
ATTEMPT_LIFETIME = timedelta(minutes=30)
LINK_LIFETIME = timedelta(days=3)
"""How long the new password may be set after the wait."""

STAFF_LINK_LIFETIME = timedelta(hours=1)
"""Of a link that an operator or a clerk hands over."""

CODES_A_DAY = 4
"""That anybody may have sent to one account: the rest of the day's codes are left for signing in."""

TOTP, RECOVERY_CODE, COUNTER, OPERATOR = "totp", "recovery", "counter", "operator"
_SECOND_FACTORS = (TOTP, RECOVERY_CODE)


@dataclass(frozen=True, slots=True)
class Waits:
    """`usual` where one thing is missing, `long` where both are."""

    usual: timedelta = timedelta(hours=24)
    long: timedelta = timedelta(hours=72)


def loses_factors(proofs: Collection[str], factors: Factors) -> bool:
    """Whether the account has second factors and none of them was shown: they are taken off with the recovery."""
    shown = set(proofs) & {*_SECOND_FACTORS, *factors.codes}
    return not factors.is_empty and not shown


def wait_for(proofs: Collection[str], factors: Factors, waits: Waits, *, has_refused_factor: bool) -> timedelta:
    """None for two things that are independent of each other, if nothing stronger is got round by them.

    `has_refused_factor`: "this was not me" has lately taken a second factor off. Whoever reads the one address that
    is proved may have said it, to wait no longer than if there had been none.
    """
    addresses = len(set(proofs) & set(KINDS))
    has_two = addresses + bool(set(proofs) & set(_SECOND_FACTORS)) >= 2
    missing = (not has_two) + (loses_factors(proofs, factors) or (has_refused_factor and not has_two))
    return (timedelta(0), waits.usual, waits.long)[missing]
