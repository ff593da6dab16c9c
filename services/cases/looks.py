"""Looks at a citizen's case by anybody else: told to the access log in the transaction that reads.

A list shows no form, no note and no name, so it is no look; nor is a refusal, which shows nothing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from chassis import outbox, recently
from chassis.database import Session
from contracts import access
from contracts.actors import CHANNELS, Actor
from contracts.errors import Fault, InvalidInput
from contracts.events import DataViewed
from services.cases import domain
from services.cases.domain import Case

ONE_LOOK: Final = timedelta(minutes=10)
"""Whoever opens the same thing again within it is still at the same look."""

ONE_LOOK_OF_A_PROGRAM: Final = timedelta(days=1)
"""Programs ask again and again; an entry a minute would hide from the citizen what people look at."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, in which role, and why if they do not say."""

    subject: str
    role: str
    purpose: str


def note(
    session: Session, actor: Actor, case: Case, what: str, purpose: str | None = None, now: datetime | None = None
) -> None:
    """Tell of the look, unless it is the applicant's own. Raise `InvalidInput` for a purpose that nobody may give."""
    viewer = viewer_of(actor, case)
    if purpose is not None and purpose not in access.STAFF_PURPOSES:
        raise InvalidInput([Fault(pointer="/purpose", rule="enum", value=list(access.STAFF_PURPOSES))])
    if viewer is None:
        return
    why = purpose if purpose and viewer.role in domain.STAFF else viewer.purpose
    _tell(session, actor, _Look(viewer, case.applicant, what, case.number, why), now)


def note_own(session: Session, actor: Actor, account: str, what: str, now: datetime | None = None) -> None:
    """Tell of a look at what belongs to no case yet, by somebody who acts for the person or by a strange program."""
    viewer = _delegate(actor) or (None if actor.client in CHANNELS else _client(actor))
    if viewer is not None:
        _tell(session, actor, _Look(viewer, account, what, "-", viewer.purpose), now)


def note_source(session: Session, actor: Actor, case: Case, now: datetime | None = None) -> None:
    """Tell of a look at what is asked of a source of evidence, which is nobody else to the case."""
    if domain.is_program(actor):
        viewer = Viewer(actor.client, access.PROGRAM, access.AUTOMATIC)
    else:
        viewer = Viewer(actor.subject, domain.OFFICER, access.HANDLING)
    _tell(session, actor, _Look(viewer, case.applicant, access.EVIDENCE, case.number, viewer.purpose), now)


@dataclass(frozen=True, slots=True)
class _Look:
    viewer: Viewer
    account: str
    what: str
    number: str
    why: str


def _tell(session: Session, actor: Actor, look: _Look, now: datetime | None) -> None:
    viewer = look.viewer
    window = ONE_LOOK_OF_A_PROGRAM if viewer.role in (access.PROGRAM, access.CLIENT) else ONE_LOOK
    about = look.number if look.number != "-" else look.account
    key = recently.key_of("look", viewer.subject, actor.client, actor.channel, about, look.what, look.why)
    if recently.claim(session, [key], window, now or datetime.now(UTC)):
        outbox.add(session, _event(actor, look), sequence=1, actor=actor)


def viewer_of(actor: Actor, case: Case) -> Viewer | None:
    """`None` for the applicant through one of the platform's own channels."""
    delegate = _delegate(actor)
    if delegate is not None:
        return delegate
    if actor.subject == case.applicant:
        return None if actor.client in CHANNELS else _client(actor)
    if domain.is_program(actor):
        return Viewer(actor.client, access.PROGRAM, access.AUTOMATIC)
    role = domain.parts_of(actor, case)[0]
    return Viewer(actor.subject, role, access.COUNTER if role == domain.CLERK else access.HANDLING)


def _delegate(actor: Actor) -> Viewer | None:
    """Who acts for the person, if somebody does."""
    if actor.act is None:
        return None
    at_counter = actor.channel == "hall"
    if at_counter:
        return Viewer(actor.act, domain.CLERK, access.COUNTER)
    return Viewer(actor.act, access.AGENT, access.ON_BEHALF)


def _client(actor: Actor) -> Viewer:
    return Viewer(actor.client, access.CLIENT, access.CONSENTED)


def _event(actor: Actor, look: _Look) -> DataViewed:
    return DataViewed(
        look=str(uuid.uuid4()),
        account=look.account,
        viewer=look.viewer.subject,
        client=actor.client or "-",
        role=look.viewer.role,
        department=actor.department or "-",
        what=look.what,
        number=look.number,
        purpose=look.why,
        hall=actor.counter or "-",
    )
