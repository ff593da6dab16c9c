"""Who may change staff on a page: an operator who has just signed in here, with two factors outside local runs.

A stolen access token changes nothing, and neither does a browser that was left open. What the account is now counts,
not what its token was issued for.
"""

from __future__ import annotations

from datetime import datetime

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import NotPermitted, SignInTooOld
from services.identity.domain import Account
from services.identity.factors.domain import is_two_factors, needs_second_factor
from services.identity.factors.owner import require_fresh_owner, require_owner
from services.identity.limits.domain import STAFF_CHANGE
from services.identity.limits.guard import LimitKeys, require_tries
from services.identity.staff.domain import OPERATOR, Hand, require_operator


def require_present_operator(session: Session, actor: Actor, secret: str, now: datetime) -> Hand:
    """For reading. `secret` is of the browser's session. Raise `NotPermitted`, `SessionEnded`."""
    hand = require_operator(actor)
    _require_still(require_owner(session, actor, secret, now).account)
    return hand


def require_fresh_operator(
    session: Session, actor: Actor, secret: str, environment: str, now: datetime, limits: LimitKeys | None = None
) -> Hand:
    """For changing; a change is counted where `limits` are given. Raise `SignInTooOld`, `TooManyAttempts` besides."""
    hand = require_operator(actor)
    signed_in = require_fresh_owner(session, actor, secret, now)
    _require_still(signed_in.account)
    if needs_second_factor(signed_in.account.roles, environment) and not is_two_factors(signed_in.amr):
        raise SignInTooOld
    if limits is not None:
        require_tries(session, [limits.bucket(STAFF_CHANGE, actor.subject)], now)
    return hand


def _require_still(account: Account) -> None:
    if OPERATOR not in account.roles:
        raise NotPermitted("manage_staff")
