"""The second step of a sign-in: what begins after the password, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from contracts.errors import InvalidInput, SessionEnded, SignInRefused
from services.identity import store as identity_store
from services.identity.browser_sessions import Browser, open_session
from services.identity.codes.commands import check_code, issue_code
from services.identity.codes.domain import ADDRESS_OF, Recipient
from services.identity.factors import guesses, recovery_codes, store
from services.identity.factors.domain import (
    GUESSABLE,
    PASSWORD,
    RECOVERY,
    STEP_LIFETIME,
    TOTP,
    PendingSignIn,
    needs_second_factor,
    references,
)
from services.identity.factors.means import Means
from services.identity.persons import store as persons
from services.identity.persons.identifiers import mask
from services.identity.sealing import hash_secret, new_secret

CODE_PURPOSE = "second-factor"


def begin(session: Session, subject: str, browser: Browser, environment: str | None, now: datetime) -> dict[str, Any]:
    """After the right password: a session, or what has to be proved yet."""
    factors = store.get_factors(session, subject)
    account = identity_store.get_account(session, subject)
    if account is None:
        raise SignInRefused
    must_enrol = factors.is_empty and needs_second_factor(account.roles, environment)
    if factors.is_empty and not must_enrol:
        return open_session(session, subject, browser, browser.request_id, (PASSWORD,), now)
    secret, request = new_secret(), browser.request_id
    pending = PendingSignIn(
        hash_secret(secret), subject, browser.channel, (PASSWORD,), request, must_enrol, now, attempts=0
    )
    store.add_pending(session, pending)
    return {"pending": secret, "must_enrol": must_enrol, "max_age": int(STEP_LIFETIME.total_seconds())}


def get_pending(session: Session, means: Means, secret: str, now: datetime) -> dict[str, Any]:
    """What the page of the second step needs. Raise `SessionEnded`."""
    pending = require_pending(session, secret, now)
    factors = store.get_factors(session, pending.subject)
    particulars = dict(persons.open_particulars(session, means.vault, pending.subject).items())
    sent_to = {
        kind: mask(ADDRESS_OF[kind], particulars[ADDRESS_OF[kind]])
        for kind in factors.codes
        if ADDRESS_OF[kind] in particulars
    }
    is_sent = store.get_code_challenge(session, pending.secret_hash) is not None
    return {"kinds": list(factors.kinds), "must_enrol": pending.must_enrol, "sent_to": sent_to, "is_sent": is_sent}


def require_pending(session: Session, secret: str, now: datetime, *, lock: bool = False) -> PendingSignIn:
    """Raise `SessionEnded`: unknown, too old, or too many wrong answers. The password has to be given again."""
    pending = store.get_pending(session, hash_secret(secret), now, lock=lock)
    if pending is None:
        raise SessionEnded
    return pending


def send_code(session: Session, means: Means, secret: str, kind: str, now: datetime) -> None:
    """To the address that the account has confirmed. Raise `SessionEnded`, `InvalidInput`, `TooManyAttempts`."""
    pending = require_pending(session, secret, now, lock=True)
    if kind not in store.get_factors(session, pending.subject).codes:
        raise InvalidInput([{"pointer": "/kind", "rule": "enum", "value": kind}])
    recipient = recipient_of(session, means, pending.subject, kind)
    challenge = issue_code(session, means.codes, recipient, CODE_PURPOSE, now)
    store.set_code_challenge(session, pending.secret_hash, challenge)


def recipient_of(session: Session, means: Means, subject: str, kind: str) -> Recipient:
    """Raise `InvalidInput` if the account has no such address."""
    address = persons.open_of(session, means.vault, [subject], ADDRESS_OF[kind]).get(subject)
    account = identity_store.get_account(session, subject)
    if address is None or account is None:
        raise InvalidInput([{"pointer": f"/{ADDRESS_OF[kind]}", "rule": "required", "value": None}])
    return Recipient(address, kind, subject, account.locale)


def answer(
    database: Database,
    means: Means,
    secret: str,
    kind: str,
    given: str,
    now: datetime,
    *,
    previous: str | None = None,
    browser: str | None = None,
) -> dict[str, Any]:
    """The session. Raise `SignInRefused` for a wrong answer, which is counted, `SessionEnded` after too many."""
    with database.transaction() as session:
        pending = require_pending(session, secret, now, lock=True)
        if pending.must_enrol:
            raise SessionEnded
        store.count_attempt(session, pending.secret_hash)
        is_right = _is_right(session, means, pending, kind, given, now)
        here = Browser(pending.channel, None, previous, browser)
        opened = complete(session, pending, here, kind, now) if is_right else None
    # after the commit, because a wrong answer counts
    if opened is None:
        raise SignInRefused
    return opened


def complete(
    session: Session, pending: PendingSignIn, browser: Browser, kind: str, now: datetime, *, is_backed_up: bool = False
) -> dict[str, Any]:
    """The session, for the request and the channel that the password was given for."""
    store.remove_pending(session, pending.secret_hash)
    amr = references(pending.amr, kind, is_backed_up=is_backed_up)
    here = replace(browser, channel=pending.channel)
    return open_session(session, pending.subject, here, pending.request, amr, now)


def _is_right(session: Session, means: Means, pending: PendingSignIn, kind: str, given: str, now: datetime) -> bool:
    if kind == RECOVERY:
        return store.use_recovery_code(session, pending.subject, recovery_codes.hash_code(pending.subject, given), now)
    if kind not in GUESSABLE:
        return False

    def check() -> bool:
        if kind == TOTP:
            return guesses.is_totp(session, means, pending.subject, given, now)
        return _is_code(session, means, pending, kind, given, now)

    return guesses.is_right(session, means.codes.limits, pending.subject, check, now)


def _is_code(session: Session, means: Means, pending: PendingSignIn, kind: str, given: str, now: datetime) -> bool:
    challenge = store.get_code_challenge(session, pending.secret_hash)
    if challenge is None:
        return False
    proved = check_code(session, means.codes, challenge, CODE_PURPOSE, given, now)
    # of the kind that the tokens will say
    return proved is not None and (proved.subject, proved.kind) == (pending.subject, kind)
