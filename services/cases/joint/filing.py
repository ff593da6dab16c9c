"""A joint form is checked as a whole, and each part's form by its own item; then all is filed in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import Fault, IdempotencyKeyReused, InvalidInput, ItemNotOnline, ItemVersionOutdated, NotFound
from services.cases import domain as case_rules
from services.cases import forms
from services.cases.attachments import commands as attachments
from services.cases.attachments import domain as attachment_rules
from services.cases.attachments import store as attachment_store
from services.cases.case_number import filing_day
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.catalogue.parts import Part as Described
from services.cases.catalogue.parts import asked_of
from services.cases.commands import COUNTER, require_key
from services.cases.crossing.filing import is_foreign
from services.cases.crossing.places import EVERYWHERE_ONE_REGION, Places
from services.cases.drafts import commands as drafts
from services.cases.evidence import offering
from services.cases.joint import documents as joint_documents
from services.cases.joint import domain, following, store
from services.cases.joint.domain import JointCase
from services.cases.joint.store import Held
from services.cases.work.calendars import Calendars
from services.cases.work.clock import Rules


@dataclass(frozen=True, slots=True)
class JointFiling:
    """A joint request that was checked, its parts' forms with it."""

    item: str
    item_version: int
    applicant: Actor
    parts: tuple[Held, ...]
    idempotency_key: str | None
    digest: str
    description: dict[str, Any]
    """What the applicant hands in, once for all parts that are asked for."""
    documents: tuple[str, ...] | None = None
    """The uploads that it names, if it says so."""
    consents: tuple[str, ...] = ()
    """The documents that may be fetched for the parts that begin with it."""
    foreign: frozenset[str] = frozenset()
    """Parts that are decided in another region than the counter's."""


def prepare(
    catalogue: Catalogue,
    actor: Actor,
    item: str,
    form: object,
    idempotency_key: str | None,
    item_version: int | None = None,
    places: Places = EVERYWHERE_ONE_REGION,
    documents: object = None,
    consents: Sequence[str] | None = None,
) -> JointFiling:
    """Check the whole request, as `commands.prepare_filing` does for one item. No transaction is open yet.

    Every fault is named at the field of the joint form that it comes from.
    """
    applicant = case_rules.applicant_of(actor)
    case_rules.require_mandate_for(actor, item)
    offered = catalogue.get(item)
    if not offered.is_joint:
        raise NotFound("joint item", offered.code)
    case_rules.require_assurance(actor, offered.assurance)
    if item_version is not None and item_version != offered.version:
        raise ItemVersionOutdated(offered.code, offered.version)
    canonical = forms.require_valid(form, offered.validator)
    assert isinstance(form, dict)  # noqa: S101 - its schema says so
    asked = asked_of(offered.parts, form)
    items = [_require_open(catalogue, actor, part.item) for part in asked]
    named = attachment_rules.require_named(documents)
    said = f"{offered.code}\n{canonical}" + ("" if named is None else f"\n{sorted(named)}")
    said += f"\nconsents {sorted(consents)}" if consents else ""
    _require_fetched(catalogue, offered, consents or ())
    foreign = frozenset(each.code for each in items if is_foreign(each, applicant.counter, places))
    return JointFiling(
        item=offered.code,
        item_version=offered.version,
        applicant=applicant,
        parts=tuple(_held(asked, items, form)),
        idempotency_key=require_key(idempotency_key),
        digest=hashlib.sha256(said.encode()).hexdigest(),
        description={"code": offered.code} | joint_documents.for_filing(items),
        documents=named,
        consents=tuple(dict.fromkeys(consents or ())),
        foreign=foreign,
    )


def _require_fetched(catalogue: Catalogue, offered: ServiceItem, consents: Sequence[str]) -> None:
    known = offering.documents_of(catalogue, offered.description)
    if not known.issuperset(consents):
        raise InvalidInput([Fault(pointer="/consents", rule="enum", value=sorted(known))])


def _require_open(catalogue: Catalogue, actor: Actor, code: str) -> ServiceItem:
    item = catalogue.get(code)
    if not item.is_online:
        raise ItemNotOnline(code)
    case_rules.require_assurance(actor, item.assurance)
    return item


def _held(parts: list[Described], items: list[ServiceItem], form: dict[str, Any]) -> list[Held]:
    held, faults, codes = [], [], {part.item for part in parts}
    for part, item in zip(parts, items, strict=True):
        own = part.form_of(form, item.description["form"])
        try:
            canonical = forms.require_valid(own, item.validator)
        except InvalidInput as error:
            faults += [_at_its_field(part, fault) for fault in error.faults]
        else:
            held.append(Held(item.code, item.version, [need for need in part.needs if need in codes], canonical))
    if faults:
        raise InvalidInput(list(_without_doubles(faults))[: forms.MAX_FAULTS])
    return held


def _at_its_field(part: Described, fault: Fault) -> Fault:
    field = fault["pointer"].removeprefix("/form/")
    source = part.fields.get(field)
    pointer = f"/form/{source}" if source else f"/parts/{part.item}{fault['pointer']}"
    return Fault(pointer=pointer, rule=fault["rule"], value=fault["value"])


def _without_doubles(faults: list[Fault]) -> Iterator[Fault]:
    """Two parts that ask the same refuse it alike."""
    yield from {(each["pointer"], each["rule"]): each for each in faults}.values()


def submit(
    session: Session,
    catalogue: Catalogue,
    filing: JointFiling,
    now: datetime,
    *,
    is_whole: bool | None = None,
    calendars: Calendars,
    rules: Rules,
) -> JointCase:
    """File all parts that wait for nothing, and keep the others. The same key gives the same joint case, once.

    `is_whole`: as `commands.submit_case` has it, of the documents of all parts together.
    """
    applicant = filing.applicant
    new = JointCase("", filing.item, filing.item_version, applicant.subject, applicant.channel, now)
    number = store.insert(
        session, new, filing.parts, key=filing.idempotency_key, digest=filing.digest, day=filing_day(now)
    )
    if number is None:
        return _filed_before(session, filing)
    joint = store.load(session, number)
    assert joint is not None  # noqa: S101 - it was just inserted
    for part in domain.ready(store.load_parts(session, number)):
        hall = applicant.counter if part.item in filing.foreign else None
        following.begin_part(
            session, catalogue, joint, part, now, by=applicant, filed_hall=hall, calendars=calendars, rules=rules
        )
    _hand_in(session, filing, number)
    # after the files: those of a deleted draft are nobody's
    drafts.file_draft(session, filing.idempotency_key, applicant.subject, filing.item)
    # at the counter the clerk has them in hand, on paper
    if is_whole is not None and applicant.channel != COUNTER:
        present = attachment_store.list_handed_in_joint(session, number)
        attachments.require_documents(filing.description, present, is_whole=is_whole)
    return joint


def _hand_in(session: Session, filing: JointFiling, joint: str) -> None:
    """The files belong to the first part and, with `joint`, to every other that asks for them."""
    first = next(part.case.number for part in store.load_parts(session, joint) if part.case)
    applicant, item = filing.applicant.subject, filing.description
    codes = [each["code"] for each in item["documents"]]
    attachments.take_over_joint(session, filing.idempotency_key, applicant, codes, number=first, joint=joint)
    if filing.documents:
        attachments.take_named(session, applicant, item, filing.documents, number=first, joint=joint)


def _filed_before(session: Session, filing: JointFiling) -> JointCase:
    found = store.load_filed(session, filing.applicant.subject, filing.idempotency_key or "")
    assert found is not None  # noqa: S101 - its key was in the way
    joint, digest = found
    if digest != filing.digest:
        raise IdempotencyKeyReused(filing.idempotency_key)
    return joint
