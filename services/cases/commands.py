"""What people do with cases. One function a use case, each one transaction's work."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import (
    IdempotencyKeyReused,
    InvalidInput,
    ItemIsJoint,
    ItemNotOnline,
    ItemVersionOutdated,
    NotFound,
)
from contracts.events import RatingGiven
from services.cases import domain, forms, store
from services.cases.attachments import commands as attachments
from services.cases.attachments import domain as attachment_rules
from services.cases.attachments import store as attachment_store
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.crossing import filing as crossing
from services.cases.crossing.places import EVERYWHERE_ONE_REGION, Places
from services.cases.domain import Case
from services.cases.drafts import access
from services.cases.drafts import commands as drafts
from services.cases.evidence import commands as evidence
from services.cases.evidence.checks import check_corrected
from services.cases.evidence.desk import Desk
from services.cases.filing import file_case
from services.cases.joint import following
from services.cases.results import commands as results
from services.cases.store import Filing
from services.cases.views import case_view
from services.cases.work import asking, staff, timing
from services.cases.work.allowing import Versions
from services.cases.work.calendars import WEEKDAYS_EVERYWHERE, Calendars
from services.cases.work.clock import RULES, Rules
from services.cases.work.states import AT_HALL

_MAX_KEY = 255
COUNTER = "hall"


def prepare_filing(
    catalogue: Catalogue,
    actor: Actor,
    item: str,
    form: object,
    idempotency_key: str | None,
    item_version: int | None = None,
    places: Places = EVERYWHERE_ONE_REGION,
    documents: object = None,
    consents: Sequence[str] | None = None,
) -> Filing:
    """Check the whole request. No transaction is open yet: a form takes longer to check than a case to save.

    `item_version` is the one whose form was filled in, if the sender says so: an older one is refused by name, where
    its answers would be refused one by one. `documents` are the ids of uploads that are handed in with it: who names
    them (none, too) says that this is all, who does not may bring what the acceptance needs until then. `consents`, the
    documents that may be fetched, are part of the request: with others it is another one.
    """
    applicant = domain.applicant_of(actor)
    domain.require_mandate_for(actor, item)
    offered = catalogue.get(item)
    if not offered.is_online:
        raise ItemNotOnline(offered.code)
    if offered.is_joint:
        raise ItemIsJoint(offered.code)
    domain.require_assurance(actor, offered.assurance)
    if item_version is not None and item_version != offered.version:
        raise ItemVersionOutdated(offered.code, offered.version)
    is_foreign = crossing.is_foreign(offered, applicant.counter, places)
    canonical = forms.require_valid(form, offered.validator)
    named = attachment_rules.require_named(documents)
    return Filing(
        item=offered.code,
        item_version=offered.version,
        department=offered.department,
        region=offered.region,
        kind=offered.kind,
        applicant=applicant.subject,
        channel=applicant.channel,
        form=canonical,
        idempotency_key=require_key(idempotency_key),
        actor=applicant.role,
        actor_subject=applicant.hand,
        hall=applicant.counter,
        checks=applicant.checks if applicant.counter else (),
        filed_hall=applicant.counter if is_foreign else None,
        papers=AT_HALL if is_foreign else None,
        request_digest=_digest_of(offered.code, canonical, named, consents),
        documents=named,
    )


def _digest_of(item: str, canonical: str, documents: Sequence[str] | None, consents: Sequence[str] | None) -> bytes:
    """Of all that makes two requests the same one, in whatever version of the item."""
    asked = f"{item}\n{canonical}" + ("" if documents is None else f"\n{sorted(documents)}")
    asked += f"\nconsents {sorted(consents)}" if consents else ""
    return hashlib.sha256(asked.encode()).digest()


def find_filed(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    item: str,
    form: object,
    idempotency_key: str | None,
    documents: object = None,
    consents: Sequence[str] | None = None,
) -> dict[str, Any] | None:
    """What this very request has filed before, though it would be refused today: its item has changed since."""
    key, applicant = require_key(idempotency_key), domain.applicant_of(actor).subject
    case = store.find_filed(session, applicant, key) if key else None
    if case is None or not domain.parts_of(actor, case):
        return None
    _, digest = store.load_filed(session, applicant, str(key))
    named = attachment_rules.require_named(documents)
    is_same = digest == _digest_of(item, forms.require_storable(form, "/form"), named, consents)
    return case_view(case, catalogue) if is_same else None


def require_key(idempotency_key: object) -> str | None:
    """A key of blanks is refused, not taken for none: whoever sends one relies on it when they file again."""
    key = forms.require_text(idempotency_key, "/idempotency_key", _MAX_KEY)
    if key is None and idempotency_key is not None:
        raise InvalidInput([forms.fault("/idempotency_key", "minLength", 1)])
    return key


def submit_case(
    session: Session,
    catalogue: Catalogue,
    filing: Filing,
    now: datetime,
    *,
    is_whole: bool | None = None,
    calendars: Calendars = WEEKDAYS_EVERYWHERE,
    rules: Rules = RULES,
) -> dict[str, Any]:
    """File the case. The same key with the same request gives the case that it gave before.

    `is_whole`: raise `InvalidInput` for every document that the applicant has to hand in and that is not there. If it
    is False, only for those that a case is not filed without; `None` demands none.
    """
    item = VERSIONS.get(session, catalogue, filing.item, filing.item_version)
    case = file_case(session, item, filing, now, calendars=calendars, rules=rules)
    if case is None:
        return case_view(_filed_before(session, filing), catalogue)
    # first the files: those of a deleted draft are nobody's
    attachments.take_over(session, filing.idempotency_key, filing.applicant, case.number)
    if filing.documents:
        attachments.take_named(session, filing.applicant, item.description, filing.documents, number=case.number)
    drafts.file_draft(session, filing.idempotency_key, filing.applicant, filing.item)
    # at the counter the clerk has them in hand, on paper
    if is_whole is not None and filing.channel != COUNTER:
        present = attachment_store.list_handed_in(session, case.number)
        attachments.require_documents(item.description, present, is_whole=is_whole)
    return case_view(case, catalogue)


def submit_draft(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    draft_id: str,
    now: datetime,
    *,
    places: Places = EVERYWHERE_ONE_REGION,
    calendars: Calendars = WEEKDAYS_EVERYWHERE,
    rules: Rules = RULES,
) -> dict[str, Any]:
    """File a draft as it stands: it becomes the case in this transaction. Again, it gives the case that it became."""
    key = access.require_id(draft_id)
    draft = drafts.lock_draft(session, seal, actor, key)
    if draft is None:
        return case_view(_filed_from(session, actor, key), catalogue)
    filing = prepare_filing(catalogue, actor, draft.item, draft.form, key, draft.item_version, places)
    return submit_case(session, catalogue, filing, now, is_whole=True, calendars=calendars, rules=rules)


def act_on_case(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    number: str,
    action: str,
    *,
    note: object,
    form: object,
    now: datetime,
    result_seal: Seal,
    desk: Desk | None = None,
    details: object = None,
    versions: Versions = None,
    places: Places = EVERYWHERE_ONE_REGION,
    calendars: Calendars = WEEKDAYS_EVERYWHERE,
    rules: Rules = RULES,
) -> dict[str, Any]:
    """Do one action, with its history, its events, its result and the time that it makes run or stand, or nothing.

    `result_seal` closes what a decision issues (`CasesBase._result_seal`), `desk` is that of evidence: without it none
    of the case's was fetched.
    """
    text = forms.require_text(note, "/note", forms.MAX_NOTE)
    asked = asking.read(details)
    case = _lock(session, number)
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    staff.see(session, actor, now)
    calendar = calendars.of(case.region)
    change = domain.act(
        case,
        actor,
        action,
        at=now,
        note=text,
        details=asked,
        versions=versions,
        procedure=item.procedure,
        calendar=calendar,
        rules=rules,
    )
    _require_known(session, case, change, action, asked, places, desk, now)
    if form is not None and domain.ACTIONS[action].brings_form:
        _save_corrected_form(session, item, case, form)
        if desk:
            check_corrected(session, desk, catalogue, item.description, case, form, now)
    store.save_change(session, change, text)
    results.follow(session, result_seal, item, change, action, text, now)
    if desk:
        evidence.follow(session, desk, change.case, now)
    timing.keep(session, change.case, calendar, rules)
    following.begin_parts(session, catalogue, change.case.joint, now, calendars=calendars, rules=rules)
    return case_view(change.case, catalogue)


def _require_known(
    session: Session,
    case: Case,
    change: domain.Change,
    action: str,
    asked: domain.Details,
    places: Places,
    desk: Desk | None,
    now: datetime,
) -> None:
    """What a case alone does not tell: who works where, which offices there are, what is being fetched."""
    if action == "assign":
        staff.require_colleague(session, asked.to or "", case, now)
    if action == "transfer":
        crossing.require_office(change.case, places)
    if desk and asked.missing:
        evidence.require_not_fetched(session, case.number, {each.document for each in asked.missing})


def take_over_rating(session: Session, envelope: Envelope, now: datetime) -> None:
    """Write a rating into the shared history of its case, and tell the case's subscribers."""
    rating = envelope.data
    assert isinstance(rating, RatingGiven)  # noqa: S101 - on_event hands out by type
    case = _require_case(rating.number, store.lock_case(session, rating.number))
    store.save_change(session, domain.rate(case, rating.score, channel=envelope.channel, at=now))


def _filed_before(session: Session, filing: Filing) -> Case:
    case, digest = store.load_filed(session, filing.applicant, filing.idempotency_key or "")
    if digest != filing.request_digest:
        raise IdempotencyKeyReused(filing.idempotency_key)
    return case


def _filed_from(session: Session, actor: Actor, draft_id: str) -> Case:
    case = store.find_filed(session, domain.applicant_of(actor).subject, draft_id)
    if case is None or not domain.parts_of(actor, case):
        raise NotFound("draft", draft_id)
    return case


def _save_corrected_form(session: Session, item: ServiceItem, case: Case, form: Any) -> None:
    """`item` is in the version that the case was filed under, whatever has been published since."""
    forms.require_valid(form, item.validator)
    store.save_form(session, case.number, form)


def _lock(session: Session, number: str) -> Case:
    """For this transaction alone."""
    if not is_case_number(number):
        raise NotFound("case", number)
    # what is decided here may begin another case: the parts of a joint case take turns
    following.lock_of(session, number)
    return _require_case(number, store.lock_case(session, number))


def _require_case(number: str, case: Case | None) -> Case:
    if case is None:
        raise NotFound("case", number)
    return case
