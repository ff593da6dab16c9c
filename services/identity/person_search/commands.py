"""Whose an ID number is, for staff who look for that person's cases. Only the pseudonymous account is said.

What may be seen of its cases is decided by `cases`. Here each search is in the person's access log, also one that found
nothing to see; and one member of staff may make only so many.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from chassis.database import Database
from contracts import access
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotPermitted
from services.identity.access_log.commands import note_act
from services.identity.access_log.domain import Look
from services.identity.limits import guard
from services.identity.limits.domain import PERSON_SEARCH
from services.identity.limits.guard import LimitKeys
from services.identity.persons import identifiers
from services.identity.persons import store as persons
from services.identity.persons.vault import Vault
from services.identity.staff.domain import CLERK, OFFICER

_PURPOSES: Final = {OFFICER: access.HANDLING, CLERK: access.COUNTER}


def find_applicant(
    database: Database, vault: Vault, limits: LimitKeys, actor: Actor, id_number: object, now: datetime
) -> str | None:
    """The subject of whoever has this ID number confirmed, or `None`.

    Raise `NotPermitted` for all but officers of a department and clerks by themselves, `TooManyAttempts`,
    `InvalidInput` for what is no ID number.
    """
    role = _require_staff(actor)
    number = identifiers.normalize(identifiers.ID_NUMBER, id_number) if isinstance(id_number, str) else None
    if number is None:
        raise InvalidInput([Fault(pointer="/id_number", rule="format", value=identifiers.ID_NUMBER)])
    with database.transaction() as session:
        guard.require_tries(session, [limits.bucket(PERSON_SEARCH, actor.subject)], now)
        subject = persons.find_by_id_number(session, vault, number)
        if subject is not None and subject != actor.subject:
            look = Look.by(actor, subject, access.LOOK_UP, role=role, purpose=_PURPOSES[role])
            # each time: that somebody asked twice within ten minutes is theirs to know, too
            note_act(session, look, now)
    return subject


def _require_staff(actor: Actor) -> str:
    """As what the actor searches. Raise `NotPermitted`."""
    is_oneself = actor.subject and actor.subject != actor.client and actor.act is None and actor.mandate is None
    if is_oneself and actor.has_role(OFFICER) and actor.department:
        return OFFICER
    if is_oneself and actor.has_role(CLERK):
        return CLERK
    raise NotPermitted("find_applicant")
