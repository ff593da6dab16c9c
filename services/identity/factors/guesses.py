"""Answers of six digits, which can be guessed: looked at, and counted for the account, whatever they are for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chassis.database import Session
from services.identity.factors import store as factor_store
from services.identity.factors import totp
from services.identity.factors.means import Means
from services.identity.limits import guard, store
from services.identity.limits.domain import SECOND_FACTOR
from services.identity.limits.guard import LimitKeys


def is_right(session: Session, keys: LimitKeys, subject: str, check: Callable[[], bool], now: datetime) -> bool:
    """What `check` says; False without asking it when the account's tries are used up. A right answer takes none.

    The try is taken before the answer is looked at: guesses that race for one account are counted one after the other.
    The caller commits also when it is wrong.
    """
    tries = [keys.bucket(SECOND_FACTOR, subject)]
    refused = store.take(session, tries, now)
    guard.count(refused)
    if refused or not check():
        return False
    store.put_back(session, tries)
    return True


def is_totp(session: Session, means: Means, subject: str, given: str, now: datetime) -> bool:
    """Whether the account's app shows it now; no code is taken twice."""
    row = factor_store.get_totp(session, subject, lock=True)
    if row is None:
        return False
    secret = means.seal.open(bytes(row.secret), subject.encode()).decode()
    step = totp.matching_step(secret, given, now, row.last_step)
    if step is None:
        return False
    factor_store.use_totp(session, subject, step, now)
    return True
