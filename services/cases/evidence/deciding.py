"""The applicant has seen what came: they use it, decline it, take their consent back, or put their form right by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, CaseChanged, NotFound, VersionNeeded
from contracts.events import CaseEvidenceUsed, CaseFormCorrected
from services.cases import domain as case_rules
from services.cases import forms
from services.cases import store as cases
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.evidence import domain, store
from services.cases.evidence.case import enter, not_one_of, require_own, take_back
from services.cases.evidence.checks import check_corrected, keep_check
from services.cases.evidence.desk import Desk
from services.cases.evidence.domain import CORRECT, Content, Evidence
from services.cases.registries import checking
from services.cases.registries.comparing import differences
from services.cases.work import clock
from services.cases.work.allowing import ANY_VERSION, Versions

WITHDRAWN: Final = "withdrawn"


def decide(
    session: Session,
    catalogue: Catalogue,
    desk: Desk,
    actor: Actor,
    number: str,
    document: object,
    act: object,
    now: datetime,
    reason: object = None,
) -> dict[str, Any]:
    """The applicant has seen what came: `use` it or `decline` it, or `withdraw` the consent.

    `reason` is what they say of what differs from the form.
    """
    said = forms.require_text(reason, "/reason", checking.MAX_REASON)
    if act not in (domain.USE, domain.DECLINE, domain.WITHDRAW):
        raise not_one_of("/action", [domain.USE, domain.DECLINE, domain.WITHDRAW])
    case, form = require_own(session, actor, number)
    found = store.list_of_case(session, desk.seal, number, for_update=True)
    evidence, content = next(((each, says) for each, says in found if each.document == document), (None, None))
    if evidence is None or content is None:
        raise NotFound("evidence", str(document)[:64])
    if act == domain.WITHDRAW:
        evidence = _withdraw(session, desk, case, evidence, actor, now)
    else:
        evidence = domain.decided(evidence, str(act), clock.day_of(now))
        if act == domain.USE:
            enter(session, case, CaseEvidenceUsed, actor, now, document=evidence.document)
            item = VERSIONS.get(session, catalogue, case.item, case.item_version).description
            keep_check(session, desk, catalogue, item, form, evidence, content, said, now)
        else:
            store.save_content(session, desk.seal, evidence.id, None)
    store.save(session, evidence)
    return {"id": evidence.id, "status": evidence.status}


def _withdraw(session: Session, desk: Desk, case: Case, evidence: Evidence, actor: Actor, now: datetime) -> Evidence:
    withdrawn = domain.withdrawn(evidence)
    store.end_consent(session, evidence.id, WITHDRAWN, now)
    store.save_content(session, desk.seal, evidence.id, None)
    return take_back(session, case, evidence, withdrawn, actor, now)


def correct_form(
    session: Session,
    catalogue: Catalogue,
    desk: Desk,
    actor: Actor,
    number: str,
    document: object,
    fields: object,
    versions: Versions,
    now: datetime,
) -> dict[str, Any]:
    """The applicant's form is wrong and its source is right: fields that differ take over what the evidence says.

    Nothing else of the form changes, so nobody's look at it is undone but where the source says so itself; who is
    to change more is asked for a correction. `fields` are some of those that differ; `None` for all.
    """
    case, form = require_own(session, actor, number)
    _require_open(case, versions)
    evidence, content = _require_seen(session, desk, number, document, now)
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    compared = checking.compared_with(item.description, str(document), evidence.paper, form, content.fields, catalogue)
    differing = {each.field: each.evidence_field for each in differences(compared)}
    if not differing:
        raise ActionNotAllowed(CORRECT, "same")
    wanted = list(differing) if fields is None else fields
    if (
        not isinstance(wanted, list)
        or not wanted
        or not all(isinstance(each, str) and each in differing for each in wanted)
    ):
        raise not_one_of("/fields", sorted(differing))
    corrected = form | {field: content.fields[differing[field]] for field in wanted}
    forms.require_valid(corrected, item.validator)
    cases.save_form(session, number, corrected)
    entry = {"document": evidence.document, "fields": sorted(set(wanted))}
    enter(session, case, CaseFormCorrected, actor, now, **entry)
    check_corrected(session, desk, catalogue, item.description, case, corrected, now)
    return {"id": evidence.id, "status": evidence.status}


def _require_open(case: Case, versions: Versions) -> None:
    """Who changes a form says what they have read: staff may be at it. Raise `VersionNeeded`, `CaseChanged`, ..."""
    if case.status not in case_rules.OPEN:
        raise ActionNotAllowed(CORRECT, case.status)
    if versions is None:
        raise VersionNeeded(CORRECT)
    if versions != ANY_VERSION and case.sequence not in versions:
        raise CaseChanged(case.number, case.sequence)


def _require_seen(
    session: Session, desk: Desk, number: str, document: object, now: datetime
) -> tuple[Evidence, Content]:
    found = store.list_of_case(session, desk.seal, number, for_update=True)
    for evidence, content in found:
        if evidence.document == document:
            domain.require_correcting(evidence, clock.day_of(now))
            return evidence, content
    raise NotFound("evidence", str(document)[:64])
