"""A new phone or mail address, proved by a code that goes there. The old one hears of it, and can take it back."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Database, Session
from contracts import security
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput
from services.identity import store as identity_store
from services.identity.codes.commands import check_code, issue_code
from services.identity.codes.domain import ADDRESS_OF, WAY_OF, Recipient
from services.identity.factors.means import Means
from services.identity.factors.owner import require_fresh_owner
from services.identity.persons import store
from services.identity.persons.claims import tell_holder
from services.identity.persons.identifiers import EMAIL, PHONE, Particulars, require_spelled
from services.identity.security_notices import note_change
from services.identity.security_notices import store as notice_store

PURPOSE = "change-address"
_CHANGES = {EMAIL: security.MAIL_CHANGED, PHONE: security.PHONE_CHANGED}


def begin(session: Session, means: Means, actor: Actor, secret: str, kind: str, said: str, now: datetime) -> str:
    """The challenge of the code that goes to the new address, unless it is somebody else's, who is told.

    `kind` is `email` or `phone`. Raise `SessionEnded`, `SignInTooOld`, `InvalidInput`, `TooManyAttempts`.
    """
    account = require_fresh_owner(session, actor, secret, now).account
    if kind not in WAY_OF:
        raise InvalidInput([Fault(pointer="/kind", rule="enum", value=list(WAY_OF))])
    value = require_spelled(kind, said)
    holder = store.find(session, means.vault, kind, value)
    if holder not in (None, account.subject):
        tell_holder(session, holder, now)
        return issue_code(session, means.codes, Recipient(f"{PURPOSE}:{value}", subject=account.subject), PURPOSE, now)
    recipient = Recipient(value, WAY_OF[kind], account.subject, account.locale)
    return issue_code(session, means.codes, recipient, PURPOSE, now)


def finish(
    database: Database, means: Means, actor: Actor, secret: str, challenge: str, code: str, now: datetime
) -> None:
    """Raise `InvalidInput` for a wrong code, and for an address that somebody else has confirmed meanwhile."""
    with database.transaction() as session:
        subject = require_fresh_owner(session, actor, secret, now).account.subject
        proved = check_code(session, means.codes, challenge, PURPOSE, code, now)
        is_theirs = proved is not None and proved.subject == subject
        is_changed = (
            proved is not None and is_theirs and _change(session, means, subject, proved.kind, proved.address, now)
        )
    # after the commit, because a wrong guess counts
    if not is_theirs:
        raise InvalidInput([Fault(pointer="/code", rule="code", value=None)])
    if not is_changed:
        raise InvalidInput([Fault(pointer="/code", rule="unique", value=None)])


def _change(session: Session, means: Means, subject: str, way: str, address: str, now: datetime) -> bool:
    kind = ADDRESS_OF[way]
    if not store.is_free(session, means.vault, subject, kind, address):
        return False
    identity_store.lock_account(session, subject)
    former = notice_store.get_identifier(session, subject, kind)
    store.save(session, means.vault, subject, Particulars(**{kind: address}), confirmed_at=now)
    note_change(session, subject, _CHANGES[kind], now, former=former)
    return True
