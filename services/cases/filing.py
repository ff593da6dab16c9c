"""A checked request becomes a case: the row, its first history, its event and its clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chassis.database import Session
from contracts.actors import SYSTEM, SYSTEM_SUBJECT, Actor
from services.cases import domain, store
from services.cases.case_number import filing_day
from services.cases.catalogue.model import ServiceItem
from services.cases.domain import Case
from services.cases.store import Filing
from services.cases.work import timing
from services.cases.work.calendars import Calendars
from services.cases.work.clock import Rules


def file_case(
    session: Session, item: ServiceItem, filing: Filing, now: datetime, *, calendars: Calendars, rules: Rules
) -> Case | None:
    """The new case, or `None` if the applicant used the key before. `item` is in the version of the filing."""
    calendar = calendars.of(filing.region)
    begun = domain.begun(_filed(filing, now), item.procedure, calendar)
    number = store.insert_case(session, filing, begun, day=filing_day(now))
    if number is None:
        return None
    case = replace(begun, number=number)
    store.add_events(session, domain.submitted(case, _who_filed(filing)))
    timing.keep(session, case, calendar, rules)
    return case


def _who_filed(filing: Filing) -> Actor:
    if filing.actor_subject == SYSTEM_SUBJECT:
        return replace(SYSTEM, channel=filing.channel)
    act = None if filing.actor_subject == filing.applicant else filing.actor_subject
    return Actor(subject=filing.applicant, client="", channel=filing.channel, act=act)


def _filed(filing: Filing, now: datetime) -> Case:
    return Case(
        number="",
        item=filing.item,
        item_version=filing.item_version,
        department=filing.department,
        region=filing.region,
        kind=filing.kind,
        applicant=filing.applicant,
        channel=filing.channel,
        submitted_at=now,
        updated_at=now,
        joint=filing.joint,
        filed_hall=filing.filed_hall,
        papers=filing.papers,
    )
