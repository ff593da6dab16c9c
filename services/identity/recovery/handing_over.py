"""A recovery that nobody waits for: a clerk has seen the card of who stands there, or an operator helps staff.

Both hand over a code that sets the password, for an hour; the owner hears of it on every channel, and may stop it.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from chassis.database import Database, Session
from contracts import access, security
from contracts.actors import Actor
from contracts.errors import NotFound
from services.identity.access_log.commands import note_look
from services.identity.access_log.domain import Look
from services.identity.factors import store as factor_store
from services.identity.limits import guard
from services.identity.limits import store as limit_store
from services.identity.limits.domain import RECOVERY_COUNTER
from services.identity.limits.guard import LimitKeys
from services.identity.persons import store as persons
from services.identity.persons.identifiers import ID_NUMBER, require_spelled
from services.identity.persons.vault import Vault
from services.identity.presence import reading
from services.identity.presence.domain import CLERK, mask_name, require_clerk
from services.identity.recovery import store, waiting
from services.identity.recovery.domain import COUNTER, OPERATOR, STAFF_LINK_LIFETIME
from services.identity.recovery.store import Recovery
from services.identity.security_notices import commands as notices
from services.identity.security_notices.codes import NoticeKeys
from services.identity.security_notices.queries import make_code
from services.identity.staff import commands as staff
from services.identity.staff.domain import Hand


def begin_at_counter(
    database: Database,
    vault: Vault,
    keys: NoticeKeys,
    limits: LimitKeys,
    actor: Actor,
    id_number: str,
    now: datetime,
) -> dict[str, str]:
    """`name`, masked, and the `code`; second factors go with it.

    Raise `NotPermitted` for all but a clerk at the hall, `InvalidInput` for what is no number, `NotFound` unless it is
    confirmed as the number of somebody who has a password, does not work here and is not the clerk; `TooManyAttempts`
    after too many of those, counted with the cards that the clerk reads, and after too many that came of it.
    """
    require_clerk(actor)
    number = require_spelled(ID_NUMBER, id_number)
    with database.transaction() as session:
        reading.count_unknown(session, actor, now)
        # before the number is looked up: the answer would tell that it is somebody's
        handings = [limits.bucket(RECOVERY_COUNTER, actor.subject)]
        guard.require_tries(session, handings, now)
        handed = _begin(session, vault, keys, actor, number, now)
        if handed is not None:
            reading.uncount_unknown(session, actor)
        else:
            limit_store.put_back(session, handings)
    # after the commit, because the count must stay
    if handed is None:
        raise NotFound("person")
    return handed


def _begin(
    session: Session, vault: Vault, keys: NoticeKeys, actor: Actor, id_number: str, now: datetime
) -> dict[str, str] | None:
    subject = persons.find_by_id_number(session, vault, id_number)
    account = store.get_standing(session, subject or "")
    if account is None or account.roles or account.subject == actor.subject:
        return None
    look = Look.by(actor, account.subject, access.LOOK_UP, role=CLERK, purpose=access.COUNTER)
    note_look(session, look, now)
    loses = not factor_store.get_factors(session, account.subject).is_empty
    code = _hand_over(session, keys, account.subject, COUNTER, now, loses_factors=loses)
    return {"name": mask_name(account.name), "code": code}


def begin_by_operator(
    session: Session, keys: NoticeKeys, hand: Hand, username: str, now: datetime, *, loses_factors: bool
) -> str:
    """The code. It is in the log who has it made. Raise `NotFound`, or `NotPermitted` for one's own account."""
    member = staff.require_member(session, hand, username)
    if store.get_standing(session, member.subject) is None:
        raise NotFound("account", username)
    staff.note_change(session, hand, member.subject, "recovery-handed", now)
    return _hand_over(session, keys, member.subject, OPERATOR, now, loses_factors=loses_factors)


def begin_for_new(session: Session, keys: NoticeKeys, subject: str, now: datetime) -> str:
    """The code that sets the first password of who was just added. Nobody is told: nobody has had the account."""
    return _add_link(session, keys, subject, OPERATOR, now, loses_factors=False)


def _hand_over(
    session: Session, keys: NoticeKeys, subject: str, way: str, now: datetime, *, loses_factors: bool
) -> str:
    for known in store.list_of(session, subject):
        if known.way == way:
            waiting.end(session, known)
    code = _add_link(session, keys, subject, way, now, loses_factors=loses_factors)
    notices.note_change(session, subject, security.RECOVERY_READY, now)
    return code


def _add_link(session: Session, keys: NoticeKeys, subject: str, way: str, now: datetime, *, loses_factors: bool) -> str:
    until = now + STAFF_LINK_LIFETIME
    recovery = Recovery(str(uuid.uuid4()), subject, way, loses_factors, now, now, until)
    store.add(session, recovery)
    return make_code(session, keys, notices.add_link(session, subject, recovery.id, until, now))
