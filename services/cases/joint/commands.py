"""What people do with a joint case as a whole, or with a part of it that has not begun."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted
from services.cases import commands, forms
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.crossing.places import EVERYWHERE_ONE_REGION, Places
from services.cases.domain import applicant_of
from services.cases.drafts import access
from services.cases.drafts import commands as drafts
from services.cases.evidence import consenting
from services.cases.evidence.desk import Desk
from services.cases.evidence.sources import sources_of
from services.cases.joint import domain, filing, queries, store
from services.cases.joint.domain import Part
from services.cases.joint.filing import JointFiling
from services.cases.work.calendars import Calendars
from services.cases.work.clock import Rules
from services.cases.work.states import CITIZEN

ACTIONS: Final = ("withdraw", "correct")


def submit_joint_case(
    session: Session,
    catalogue: Catalogue,
    wanted: JointFiling,
    now: datetime,
    *,
    is_whole: bool | None = None,
    desk: Desk | None = None,
    calendars: Calendars,
    rules: Rules,
) -> dict[str, Any]:
    """`desk` is that of evidence: without it nothing is fetched, whatever was consented to."""
    joint = filing.submit(session, catalogue, wanted, now, is_whole=is_whole, calendars=calendars, rules=rules)
    if desk and wanted.consents:
        _consent(session, catalogue, desk, wanted, joint.number, now)
    return queries.whole_view(session, catalogue, wanted.applicant, joint)


def _consent(
    session: Session, catalogue: Catalogue, desk: Desk, wanted: JointFiling, number: str, now: datetime
) -> None:
    """For each part that began with the filing, and once: a filing that is sent again consents to nothing anew."""
    # an agent's mandate is about the whole: that was looked at
    applicant = replace(wanted.applicant, mandate=None)
    for part in store.load_parts(session, number):
        if part.case is None or part.needs:
            continue
        item = VERSIONS.get(session, catalogue, part.item, part.item_version)
        own = [code for code in wanted.consents if code in sources_of(item.description, catalogue)]
        consenting.consent_with_filing(session, catalogue, desk, applicant, part.case.number, own, now)


def submit_joint_draft(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    draft_id: str,
    now: datetime,
    *,
    places: Places = EVERYWHERE_ONE_REGION,
    calendars: Calendars,
    rules: Rules,
) -> dict[str, Any]:
    """File a draft of a joint item as it stands. Again, it gives the joint case that it became."""
    key = access.require_id(draft_id)
    draft = drafts.lock_draft(session, seal, actor, key)
    if draft is None:
        found = store.load_filed(session, access.applicant_of(actor).subject, key)
        if found is None or not domain.roles_of(actor, found[0], ()):
            raise NotFound("draft", draft_id)
        return queries.whole_view(session, catalogue, actor, found[0])
    wanted = filing.prepare(catalogue, actor, draft.item, draft.form, key, draft.item_version, places)
    return submit_joint_case(session, catalogue, wanted, now, is_whole=True, calendars=calendars, rules=rules)


def act_on_joint_case(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    number: str,
    action: str,
    *,
    part: str | None,
    form: object,
    result_seal: Seal,
    desk: Desk | None = None,
    now: datetime,
    calendars: Calendars,
    rules: Rules,
) -> dict[str, Any]:
    """`withdraw` all or one part, or `correct` the form of a part that has not begun. The applicant's to do.

    What is decided already stays decided. Raise `ActionNotAllowed` if there is nothing left to withdraw, or the part
    has begun: then it is corrected as a case of its own, when that is asked for.
    """
    joint = store.lock(session, number) if is_case_number(number) else None
    parts = store.load_parts(session, number) if joint else []
    roles = domain.roles_of(actor, joint, parts) if joint else ()
    if joint is None or not roles:
        raise NotFound("joint case", number)
    if action not in ACTIONS:
        raise InvalidInput([forms.fault("/action", "enum", list(ACTIONS))])
    if CITIZEN not in roles:
        raise NotPermitted(action)
    chosen = [each for each in parts if part is None or each.item == part]
    if not chosen or (action == "correct" and part is None):
        raise InvalidInput([forms.fault("/part", "enum", [each.item for each in parts])])
    if action == "correct":
        _correct(session, catalogue, actor, number, chosen[0], form, now)
    else:
        open_parts = [each for each in chosen if domain.can_withdraw(each)]
        if not open_parts:
            states = [each.state for each in domain.progress(parts) if each.part in chosen]
            raise ActionNotAllowed("withdraw", states[0] if part else "closed")
        asked: dict[str, Any] = {"note": None, "form": None, "result_seal": result_seal, "desk": desk, "now": now}
        _withdraw(session, catalogue, actor, number, open_parts, asked | {"calendars": calendars, "rules": rules})
    return queries.whole_view(session, catalogue, actor, joint)


def _correct(
    session: Session, catalogue: Catalogue, actor: Actor, number: str, part: Part, form: object, now: datetime
) -> None:
    if not part.is_held:
        raise ActionNotAllowed("correct", part.case.status if part.case else "withdrawn")
    item = VERSIONS.get(session, catalogue, part.item, part.item_version)
    forms.require_valid(form, item.validator)
    assert isinstance(form, dict)  # noqa: S101 - its schema says so
    store.save_form(session, number, part.item, form)
    store.add_entry(session, number, part.item, domain.CORRECTED, applicant_of(actor), now)


def _withdraw(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    number: str,
    parts: list[Part],
    asked: dict[str, Any],
) -> None:
    # an agent's mandate is about the whole: that was looked at
    applicant = replace(actor, mandate=None)
    for part in parts:
        if part.case is None:
            store.withdraw(session, number, part.item, asked["now"])
            store.add_entry(session, number, part.item, domain.TAKEN_BACK, applicant_of(actor), asked["now"])
        else:
            commands.act_on_case(session, catalogue, applicant, part.case.number, "withdraw", **asked)
