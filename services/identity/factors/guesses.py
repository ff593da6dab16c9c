"""Answers of six digits, which can be guessed: counted for the account, whatever they are given for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chassis.database import Session
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
