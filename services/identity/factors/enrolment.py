"""Adding and removing second factors, by the owner or by who must have one before they may come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chassis.database import Database, Session
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotFound, SessionEnded
from services.identity import security_notices
from services.identity import store as identity_store
from services.identity.browser_sessions import Browser
from services.identity.codes.commands import check_code, issue_code
from services.identity.factors import recovery_codes, second_step, store, totp
from services.identity.factors.domain import MAIL_CODE, PASSKEY, RECOVERY, SMS_CODE, TOTP, needs_second_factor
from services.identity.factors.means import Means
from services.identity.factors.owner import require_fresh_owner
from services.identity.sealing import SealedOtherwise

CODE_PURPOSE = "add-factor"
_LIFETIME = timedelta(minutes=15)
"""How long the secret of an authenticator app waits for its first code."""


def begin_totp(session: Session, means: Means, actor: Actor, secret: str, now: datetime) -> dict[str, str]:
    """What the page shows. Raise `SessionEnded`, `SignInTooOld`."""
    return _offer_totp(session, means, require_fresh_owner(session, actor, secret, now).account.subject, now)


def begin_required_totp(session: Session, means: Means, pending: str, now: datetime) -> dict[str, str]:
    """For who has given the password and has no second factor, without which they get no session."""
    waiting = second_step.require_pending(session, pending, now)
    if not waiting.must_enrol:
        raise SessionEnded
    return _offer_totp(session, means, waiting.subject, now)


def _offer_totp(session: Session, means: Means, subject: str, now: datetime) -> dict[str, str]:
    """`sealed` comes back with the first code: nothing is kept of an app that is never set up."""
    account = identity_store.get_account(session, subject)
    if account is None:
        raise SessionEnded
    secret = totp.new_secret()
    until = int((now + _LIFETIME).timestamp())
    sealed = means.seal.close(f"{until}.{secret}".encode(), _place(subject))
    uri = totp.provisioning_uri(secret, account.username)
    return {"secret": secret, "uri": uri, "qr": totp.qr_code(uri), "sealed": sealed.hex()}


def _place(subject: str) -> bytes:
    return f"{subject}\0enrolment".encode()


def finish_totp(
    session: Session, means: Means, actor: Actor, secret: str, sealed: str, code: str, now: datetime
) -> list[str]:
    """Recovery codes, if the account had none. Raise `InvalidInput` for a wrong code."""
    subject = require_fresh_owner(session, actor, secret, now).account.subject
    _save_totp(session, means, subject, sealed, code, now)
    return first_recovery_codes(session, subject)


def finish_required_totp(
    database: Database,
    means: Means,
    pending: str,
    sealed: str,
    code: str,
    now: datetime,
    *,
    previous: str | None = None,
    browser: str | None = None,
) -> dict[str, Any]:
    """The session that the sign-in waited for, with `recovery_codes`."""
    with database.transaction() as session:
        waiting = second_step.require_pending(session, pending, now, lock=True)
        # two sign-ins that wait at once add one first factor, not two
        identity_store.lock_account(session, waiting.subject)
        if not waiting.must_enrol or not store.get_factors(session, waiting.subject).is_empty:
            raise SessionEnded
        _save_totp(session, means, waiting.subject, sealed, code, now)
        codes = first_recovery_codes(session, waiting.subject)
        here = Browser(waiting.channel, None, previous, browser)
        return second_step.complete(session, waiting, here, TOTP, now) | {"recovery_codes": codes}


def _save_totp(session: Session, means: Means, subject: str, sealed: str, code: str, now: datetime) -> None:
    secret = _open_offer(means, subject, sealed, now)
    step = totp.matching_step(secret, code, now, None) if secret else None
    if secret is None or step is None:
        raise InvalidInput([Fault(pointer="/code", rule="code", value=None)])
    store.save_totp(session, subject, means.seal.close(secret.encode(), subject.encode()), step, now)
    security_notices.note_change(session, subject, "totp-added", now)


def _open_offer(means: Means, subject: str, sealed: str, now: datetime) -> str | None:
    try:
        until, _, secret = means.seal.open(bytes.fromhex(sealed), _place(subject)).decode().partition(".")
    except (ValueError, SealedOtherwise):
        return None
    return secret if now.timestamp() < int(until) else None


def begin_code_factor(session: Session, means: Means, actor: Actor, secret: str, kind: str, now: datetime) -> str:
    """Send a code to the address that the account has; the challenge that it answers."""
    subject = require_fresh_owner(session, actor, secret, now).account.subject
    if kind not in (SMS_CODE, MAIL_CODE):
        raise InvalidInput([Fault(pointer="/kind", rule="enum", value=kind)])
    return issue_code(session, means.codes, second_step.recipient_of(session, means, subject, kind), CODE_PURPOSE, now)


def finish_code_factor(
    database: Database, means: Means, actor: Actor, secret: str, challenge: str, code: str, now: datetime
) -> list[str]:
    """As `finish_totp`."""
    with database.transaction() as session:
        subject = require_fresh_owner(session, actor, secret, now).account.subject
        proved = check_code(session, means.codes, challenge, CODE_PURPOSE, code, now)
        is_theirs = proved is not None and proved.subject == subject
        codes: list[str] = []
        if proved is not None and is_theirs:
            store.save_code_factor(session, subject, proved.kind, now)
            security_notices.note_change(session, subject, f"{proved.kind}-added", now)
            codes = first_recovery_codes(session, subject)
    # after the commit, because a wrong guess counts
    if not is_theirs:
        raise InvalidInput([Fault(pointer="/code", rule="code", value=None)])
    return codes


def remove_factor(
    session: Session, means: Means, actor: Actor, secret: str, kind: str, which: str | None, now: datetime
) -> None:
    """Raise `NotFound`, or `InvalidInput` for the last one of staff, who must have one.

    With the last one the recovery codes go too: they are no factor by themselves.
    """
    account = require_fresh_owner(session, actor, secret, now).account
    # of two who remove the last two at once, one sees what the other has left
    identity_store.lock_account(session, account.subject)
    if not _remove(session, account.subject, kind, which):
        raise NotFound("factor", kind)
    security_notices.note_change(session, account.subject, f"{kind}-removed", now)
    if not store.get_factors(session, account.subject).is_empty:
        return
    if needs_second_factor(account.roles, means.environment):
        raise InvalidInput([Fault(pointer="/kind", rule="lastFactor", value=kind)])
    store.replace_recovery_codes(session, account.subject, [])


def _remove(session: Session, subject: str, kind: str, which: str | None) -> bool:
    if kind == TOTP:
        return store.remove_totp(session, subject)
    if kind == PASSKEY:
        return store.remove_passkey(session, subject, which or "")
    return kind in (SMS_CODE, MAIL_CODE) and store.remove_code_factor(session, subject, kind)


def renew_recovery_codes(session: Session, actor: Actor, secret: str, now: datetime) -> list[str]:
    """Ten new ones; the old ones are worth nothing from now on. Raise `NotFound` without a factor to recover."""
    subject = require_fresh_owner(session, actor, secret, now).account.subject
    if store.get_factors(session, subject).is_empty:
        raise NotFound("factor", RECOVERY)
    security_notices.note_change(session, subject, "recovery-renewed", now)
    return _new_recovery_codes(session, subject)


def first_recovery_codes(session: Session, subject: str) -> list[str]:
    """Empty if the account has some: they are shown once, when they are made."""
    return [] if store.get_factors(session, subject).recovery_codes else _new_recovery_codes(session, subject)


def _new_recovery_codes(session: Session, subject: str) -> list[str]:
    codes = recovery_codes.new_codes()
    store.replace_recovery_codes(session, subject, (recovery_codes.hash_code(subject, code) for code in codes))
    return codes
