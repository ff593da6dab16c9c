"""A passkey for who has given the password and may not come in without a second factor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from contracts.errors import SessionEnded
from services.identity import store as identity_store
from services.identity.browser_sessions import Browser
from services.identity.factors import enrolment, passkeys, second_step, store
from services.identity.factors.domain import PASSKEY
from services.identity.factors.means import Means
from services.identity.sealing import hash_secret


def begin(session: Session, means: Means, pending: str, now: datetime) -> dict[str, str]:
    """As `passkeys.begin_registration`. Raise `SessionEnded`, `InvalidInput`."""
    waiting = second_step.require_pending(session, pending, now)
    account = identity_store.get_account(session, waiting.subject)
    if not waiting.must_enrol or account is None:
        raise SessionEnded
    return passkeys.offer(session, means, account, now)


def finish(
    database: Database,
    means: Means,
    pending: str,
    ceremony: str,
    credential: str,
    name: str,
    browser: Browser,
    now: datetime,
) -> dict[str, Any]:
    """The session that the sign-in waited for, in its channel, with `recovery_codes`.

    Raise `SessionEnded`, `InvalidInput`.
    """
    with database.transaction() as session:
        begun = store.take_ceremony(session, hash_secret(ceremony), passkeys.REGISTER, now)
    with database.transaction() as session:
        waiting = second_step.require_pending(session, pending, now, lock=True)
        # two sign-ins that wait at once add one first factor, not two
        identity_store.lock_account(session, waiting.subject)
        if not waiting.must_enrol or not store.get_factors(session, waiting.subject).is_empty:
            raise SessionEnded
        is_backed_up = passkeys.save_made(session, means, begun, waiting.subject, credential, name, now)
        codes = enrolment.first_recovery_codes(session, waiting.subject)
        opened = second_step.complete(session, waiting, browser, PASSKEY, now, is_backed_up=is_backed_up)
        return opened | {"recovery_codes": codes}
