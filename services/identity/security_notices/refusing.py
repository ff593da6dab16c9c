""" "This was not me": what somebody else may have done is undone and ended, and the password opens nothing any more.

Nothing happens when a link is opened: programs that look for viruses open every link in a mail.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts import security
from contracts.actors import Actor
from contracts.errors import NotFound
from services.identity import passwords
from services.identity.codes import store as code_store
from services.identity.factors import store as factor_store
from services.identity.factors.owner import require_fresh_owner
from services.identity.mandates import store as mandate_store
from services.identity.recovery import store as recovery_store
from services.identity.recovery import waiting
from services.identity.security_notices import commands, store
from services.identity.security_notices.looking_up import Lookup
from services.identity.sessions import commands as sessions
from services.identity.sessions.domain import Reason

_STOPS_ONLY = (security.RECOVERY_BEGUN, security.RECOVERY_READY)
"""Whoever began a recovery knew no password: it is stopped, and nothing else was touched."""


def get_notice(lookup: Lookup, code: str, now: datetime) -> dict[str, Any]:
    """`change`, `at`, and whether a refusal `stops_only`. Raise `NotFound`."""
    return _shown(_require_refusable(lookup.require(code, now)))


def get_own_notice(session: Session, actor: Actor, secret: str, notice: str, now: datetime) -> dict[str, Any]:
    """The same, for who is signed in and found it in their inbox. Raise as `require_fresh_owner`."""
    return _shown(_require_own(session, actor, secret, notice, now))


def refuse(lookup: Lookup, code: str, now: datetime) -> dict[str, Any]:
    """As `get_notice`, once."""
    notice = _require_refusable(lookup.require(code, now))
    with lookup.database.transaction() as session:
        return _refuse(session, notice, now)


def refuse_own(session: Session, actor: Actor, secret: str, notice: str, now: datetime) -> dict[str, Any]:
    return _refuse(session, _require_own(session, actor, secret, notice, now), now)


def _require_refusable(notice: Any | None) -> Any:
    if notice is None or notice.change in (*security.WITHOUT_CODE, security.RECOVERY_LINK):
        raise NotFound("notice")
    return notice


def _require_own(session: Session, actor: Actor, secret: str, notice: str, now: datetime) -> Any:
    subject = require_fresh_owner(session, actor, secret, now).account.subject
    return _require_refusable(store.get_own(session, subject, notice, now))


def _shown(notice: Any) -> dict[str, Any]:
    stops_only = notice.change in _STOPS_ONLY
    return {"change": notice.change, "at": notice.told_at.isoformat(), "stops_only": stops_only}


def _refuse(session: Session, notice: Any, now: datetime) -> dict[str, Any]:
    """In the order of locks of `recovery.waiting`; of two refusals of one account's changes one waits."""
    subject = notice.subject
    code_store.lock(session, [f"refusal:{subject}"])
    if not store.use(session, notice.id, now, now + commands.LIFETIME):
        raise NotFound("notice")
    if notice.change in _STOPS_ONLY:
        if waiting.cancel(session, subject):
            commands.note_change(session, subject, security.RECOVERY_CANCELLED, now)
        return _shown(notice)
    factor_store.remove_all_pending(session, subject)
    waiting.cancel(session, subject)
    others = store.use_with(session, subject, notice.told_at, now, now + commands.LIFETIME)
    commands.note_change(session, subject, security.REFUSED, now)
    for each in (*others, notice):
        _undo(session, each)
    # and who was let act for the owner: by the same rule as factors (`_undo`), given again as quickly
    mandate_store.end_given_since(session, subject, now - commands.LIFETIME, Reason.NOT_ME, now)
    # a hash that no password has, until a recovery sets another
    recovery_store.set_password(session, subject, passwords.NOBODY)
    sessions.end_sessions(session, subject, now, reason=Reason.NOT_ME)
    return _shown(notice)


def _undo(session: Session, notice: Any) -> None:
    """What was added goes, if it is still what was added then. What was removed is gone: nothing of it was kept.

    What came after a change that was not the owner's is undone with it, the last one first: whoever made the one may
    have made the others. A factor that was added earlier, within the life of a notice, goes too: whoever has been in
    the account would come back by their own passkey, and the owner loses no more than one that is quickly set up again.
    """
    factor, _, what = notice.change.rpartition("-")
    if factor in security.FACTORS and what == "added":
        factor_store.remove_added(session, notice.subject, factor, notice.told_at)
    if what == "added" or notice.change == security.RECOVERY_RENEWED:
        factor_store.replace_recovery_codes(session, notice.subject, [])
    store.put_back(session, notice.id)
