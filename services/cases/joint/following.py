"""What follows for a joint case from what happens to one of its parts: others begin, each once.

In the transaction of the decision itself: there is no moment at which a part is approved and what waits for it is lost.
The row of the joint case is locked first and the case after it, by everybody, so two decisions at once are one after
the other, and the second sees the first.
"""

from __future__ import annotations

import json
from datetime import datetime

from chassis.database import Session
from contracts.actors import SYSTEM, Actor
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.filing import file_case
from services.cases.joint import domain, store
from services.cases.joint.domain import JointCase, Part
from services.cases.store import Filing
from services.cases.work.calendars import Calendars
from services.cases.work.clock import Rules
from services.cases.work.states import AT_HALL


def lock_of(session: Session, number: str) -> None:
    """The joint case of which the case is a part, for this transaction alone; nothing if it is none."""
    store.lock_of(session, number)


def begin_parts(
    session: Session, catalogue: Catalogue, number: str | None, now: datetime, *, calendars: Calendars, rules: Rules
) -> None:
    """File every part of the joint case that waits for nothing any more. It is locked; `None` is none."""
    if number is None:
        return
    joint = store.load(session, number)
    assert joint is not None  # noqa: S101 - a foreign key says so
    parts = domain.ready(store.load_parts(session, number))
    for part in parts:
        begin_part(session, catalogue, joint, part, now, by=None, calendars=calendars, rules=rules)


def begin_part(
    session: Session,
    catalogue: Catalogue,
    joint: JointCase,
    part: Part,
    now: datetime,
    *,
    by: Actor | None,
    filed_hall: str | None = None,
    calendars: Calendars,
    rules: Rules,
) -> None:
    """File one part under the version with which it was asked for. `by` says who files it; else it begins by itself.

    `filed_hall` if that is a counter of another region; what begins later has no papers there.
    """
    item = VERSIONS.get(session, catalogue, part.item, part.item_version)
    form = store.load_form(session, joint.number, part.item)
    filing = Filing(
        item=item.code,
        item_version=item.version,
        department=item.department,
        region=item.region,
        kind=item.kind,
        applicant=joint.applicant,
        channel=joint.channel,
        form=json.dumps(form, ensure_ascii=False),
        idempotency_key=None,
        request_digest=b"",
        actor=(by or SYSTEM).role,
        actor_subject=(by or SYSTEM).hand,
        hall=(by or SYSTEM).counter,
        checks=by.checks if by and by.counter else (),
        joint=joint.number,
        filed_hall=filed_hall,
        papers=AT_HALL if filed_hall else None,
    )
    case = file_case(session, item, filing, now, calendars=calendars, rules=rules)
    assert case is not None  # noqa: S101 - without a key nothing is filed twice
    store.begin(session, joint.number, part.item, case.number)
