"""What is done to accounts by who manages them. Each change and its entry in the log are one transaction.

The log is the access log (docs/adr/0027): its chain shows that nothing was taken out of either.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from chassis.database import Session
from contracts import access
from contracts.errors import Fault, InvalidInput, NotFound, NotPermitted
from services.identity import security_notices
from services.identity.access_log.commands import note_act
from services.identity.commands import require_own_name
from services.identity.domain import normalize_username
from services.identity.factors import store as factors
from services.identity.factors.domain import RECOVERY
from services.identity.sessions import commands as sessions
from services.identity.sessions.domain import Reason
from services.identity.staff import store
from services.identity.staff.domain import OPERATOR, Hand, Post, staff_faults
from services.identity.staff.store import Member


def note_change(session: Session, hand: Hand, subject: str, detail: str, now: datetime) -> None:
    """Who did what to the account, for auditors and for whose account it is."""
    look = hand.look(subject, access.STAFF, role=OPERATOR, purpose=access.ADMINISTRATION, detail=detail)
    note_act(session, look, now)


def grant(
    session: Session,
    hand: Hand,
    username: str,
    roles: Collection[str],
    *,
    department: str | None = None,
    hall: str | None = None,
    now: datetime,
) -> Post:
    """More roles, or another place to work at. Raise `InvalidInput`, `NotFound`, or `NotPermitted` for oneself.

    Another department than before: the roles of before are gone, and so is every session and token.
    """
    member = require_member(session, hand, username)
    post = member.post.granted(roles, department, hall)
    faults = staff_faults(post.roles, post.department, post.hall)
    if not post.roles:
        faults.append(Fault(pointer="/roles", rule="minItems", value=1))
    if faults:
        raise InvalidInput(faults)
    require_own_name(session, post.department, None)
    _change(session, hand, member, post, "granted", now)
    return post


def revoke(session: Session, hand: Hand, username: str, roles: Collection[str], now: datetime) -> Post:
    """Without these roles, or without any if none is named. Raise `NotFound`, `InvalidInput`, `NotPermitted`.

    The next token has them no more; one that is out is good for its life. When none is left, all ends at once.
    """
    member = require_member(session, hand, username)
    missing = [role for role in roles if role not in member.post.roles]
    if missing:
        raise InvalidInput([Fault(pointer="/roles", rule="has", value=role) for role in missing])
    post = member.post.revoked(roles or member.post.roles)
    faults = staff_faults(post.roles, post.department, post.hall)
    if faults:
        raise InvalidInput(faults)
    _change(session, hand, member, post, "revoked", now)
    return post


def disable(session: Session, hand: Hand, username: str, now: datetime) -> None:
    """Nobody signs in to it, as if the password were wrong; sessions, tokens and visits end here.

    Raise `NotFound`, or `NotPermitted` for oneself. Again it changes nothing.
    """
    member = require_member(session, hand, username)
    if member.disabled_at is not None:
        return
    # the row is locked, and whoever opens a session locks it, too: they are before this, or find it disabled
    store.set_disabled(session, member.subject, now)
    sessions.end_sessions(session, member.subject, now, reason=Reason.DISABLED)
    note_change(session, hand, member.subject, "disabled", now)


def enable(session: Session, hand: Hand, username: str, now: datetime) -> None:
    """Sign-in again, with the roles of before. Raise `NotFound`, or `NotPermitted` for oneself."""
    member = require_member(session, hand, username)
    if member.disabled_at is not None:
        store.set_disabled(session, member.subject, None)
        note_change(session, hand, member.subject, "enabled", now)


def reset_factors(session: Session, hand: Hand, username: str, now: datetime) -> None:
    """Of who has lost their second factor, and has been seen to be who they are: the password alone, and none of it.

    Staff must set up another one at the next sign-in. Sessions and tokens end, since nobody knows who has the old one.
    The owner is told over every channel. Raise `NotFound`, or `NotPermitted` for oneself.
    """
    member = require_member(session, hand, username)
    had = [kind for kind in factors.get_factors(session, member.subject).kinds if kind != RECOVERY]
    factors.remove_second_factors(session, member.subject)
    factors.remove_all_pending(session, member.subject)
    sessions.end_sessions(session, member.subject, now, reason=Reason.CREDENTIALS_CHANGED)
    for kind in had:
        security_notices.note_change(session, member.subject, f"{kind}-removed", now)
    note_change(session, hand, member.subject, "factors-reset", now)


def require_member(session: Session, hand: Hand, username: str) -> Member:
    """Locked. Raise `NotFound`; `NotPermitted` for one's own account: nobody gives themselves a role."""
    member = store.lock_member(session, normalize_username(username) or "")
    if member is None:
        raise NotFound("account", username)
    if member.subject == hand.viewer:
        raise NotPermitted("manage_own_account")
    return member


def _change(session: Session, hand: Hand, member: Member, post: Post, done: str, now: datetime) -> None:
    if post == member.post:
        return
    store.save_post(session, member.subject, post)
    if post.has_left(member.post):
        sessions.end_sessions(session, member.subject, now, reason=Reason.LEFT)
    note_change(session, hand, member.subject, f"{done} {post.words}", now)
