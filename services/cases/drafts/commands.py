"""What people do with drafts. One function a use case, each one transaction's work."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from chassis import outbox, schedule
from chassis.database import Session
from chassis.schedule import Due
from chassis.sealing import Seal
from contracts import access as words
from contracts.actors import SYSTEM, Actor
from contracts.errors import DraftChanged, InvalidInput, ItemNotOnline, NotFound, TooManyDrafts
from contracts.events import DraftExpired, DraftExpiring
from services.cases import domain as case_rules
from services.cases import forms, looks
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.drafts import access, domain, store
from services.cases.drafts.domain import MOST_DRAFTS, REMINDED_BEFORE, Draft
from services.cases.drafts.views import draft_view, saved_view

LOOK_AFTER = "draft.look-after"
"""The scheduled event: remind, then delete."""

_MOST_FIELDS = 200


def save_draft(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    draft_id: str,
    item: str | None,
    changes: object,
    base: int,
    now: datetime,
    *,
    is_strict: bool = False,
) -> dict[str, Any]:
    """Save fields as typed; `base` is the revision that the sender knew, 0 for none. Begins the draft if need be.

    What others have changed since is merged by field, or, if `is_strict`, nothing is saved (`DraftChanged`).
    Nothing is checked but that there are such fields: what is wrong is said when the form is filed.
    """
    applicant = access.applicant_of(actor)
    wanted = _require_changes(changes)
    before = store.lock(session, seal, access.require_id(draft_id), applicant.subject)
    draft = before or _begin(session, catalogue, actor, draft_id, item, base, now)
    _require_mine(actor, draft)
    described = VERSIONS.get(session, catalogue, draft.item, draft.item_version)
    _require_fields(wanted, described)
    if is_strict and draft.revision != base:
        raise DraftChanged(draft.id, draft.revision)
    merge = domain.merge(draft, wanted, base, channel=applicant.channel, at=now)
    forms.require_storable(merge.draft.form, "/form")
    looks.note_own(session, actor, draft.applicant, words.DRAFT)
    _keep(session, seal, merge.draft, before, now)
    return saved_view(merge, catalogue, base)


def _begin(
    session: Session, catalogue: Catalogue, actor: Actor, draft_id: str, item: str | None, base: int, now: datetime
) -> Draft:
    applicant = access.applicant_of(actor)
    if item is None:
        raise NotFound("draft", draft_id)
    case_rules.require_mandate_for(actor, item)
    offered = catalogue.get(item)
    if not offered.is_online:
        raise ItemNotOnline(offered.code)
    known = access.require_id(draft_id)
    there = store.begin_one(session, applicant.subject)
    if base != 0 or store.is_filed(session, known, applicant.subject):
        # deleted elsewhere, or filed: what comes in late must not bring it back
        raise NotFound("draft", known)
    if there >= MOST_DRAFTS:
        raise TooManyDrafts(MOST_DRAFTS)
    return domain.begun(known, applicant.subject, offered.code, offered.version, channel=applicant.channel, at=now)


def _keep(session: Session, seal: Seal, draft: Draft, before: Draft | None, now: datetime) -> None:
    if before is not None:
        if draft is not before:
            store.update(session, seal, draft)
        return
    if not store.insert(session, seal, draft):
        # somebody else's, or begun by a second tab this very moment
        raise NotFound("draft", draft.id)
    _look_again(session, draft.id, draft.applicant, draft.expires_at - REMINDED_BEFORE)


def renew_draft(
    session: Session, catalogue: Catalogue, seal: Seal, actor: Actor, draft_id: str, now: datetime
) -> dict[str, Any]:
    """Go on with the form that is published now: answers that fit are carried over, the others are named.

    A look, as `get_draft` is: it shows them.
    """
    applicant = access.applicant_of(actor)
    draft = _require(actor, store.lock(session, seal, access.require_id(draft_id), applicant.subject), draft_id)
    offered = catalogue.get(draft.item)
    if not offered.is_online:
        raise ItemNotOnline(offered.code)
    looks.note_own(session, actor, draft.applicant, words.DRAFT)
    if offered.version != draft.item_version:
        form = offered.description["form"]
        draft = domain.carry_over(draft, offered.version, form, channel=applicant.channel, at=now)
        store.update(session, seal, draft)
    return draft_view(draft, offered, catalogue)


def delete_draft(session: Session, seal: Seal, actor: Actor, draft_id: str) -> None:
    applicant = access.applicant_of(actor)
    draft = _require(actor, store.lock(session, seal, access.require_id(draft_id), applicant.subject), draft_id)
    store.delete(session, draft.id, draft.applicant)


def lock_draft(session: Session, seal: Seal, actor: Actor, draft_id: str) -> Draft | None:
    """The draft, for this transaction alone. None if it was filed, deleted, or never there."""
    draft = store.lock(session, seal, draft_id, access.applicant_of(actor).subject)
    if draft is not None:
        _require_mine(actor, draft)
    return draft


def file_draft(session: Session, key: str | None, applicant: str, item: str) -> None:
    """What was filed is no draft any more. The key of the filing is the draft's id, so a retry finds the case.

    A draft of another item stays, whatever key was chosen: who files may act for the person about this item alone.
    """
    known = access.id_in(key)
    if known is not None:
        # one that is being begun this very moment is waited for: nothing of it would be seen to delete
        store.take_turns(session, applicant)
        store.delete(session, known, applicant, item)


def look_after(session: Session, seal: Seal, due: Due, now: datetime) -> None:
    """Remind of a draft that is near its end, delete one that is at it, and tell its owner of both."""
    draft = store.lock(session, seal, due.data["draft"], due.data["applicant"])
    if draft is None:
        return
    if now >= draft.expires_at:
        store.delete(session, draft.id, draft.applicant)
        _tell(session, draft, DraftExpired)
    elif now >= draft.expires_at - REMINDED_BEFORE:
        _tell(session, draft, DraftExpiring)
        _look_again(session, draft.id, draft.applicant, draft.expires_at)
    else:
        _look_again(session, draft.id, draft.applicant, draft.expires_at - REMINDED_BEFORE)


def _tell(session: Session, draft: Draft, event: type[DraftExpired] | type[DraftExpiring]) -> None:
    told = event(notice=str(uuid.uuid4()), draft=draft.id, item=draft.item, applicant=draft.applicant)
    outbox.add(session, told, sequence=1, actor=SYSTEM)


def _look_again(session: Session, draft_id: str, applicant: str, at: datetime) -> None:
    # the time is part of the key: the row that is being run is deleted after its handler, this one must not be
    key = f"{draft_id} {at.isoformat()}"
    schedule.at(session, at, LOOK_AFTER, key, {"draft": draft_id, "applicant": applicant})


def _require(actor: Actor, draft: Draft | None, draft_id: str) -> Draft:
    if draft is None:
        raise NotFound("draft", draft_id)
    _require_mine(actor, draft)
    return draft


def _require_mine(actor: Actor, draft: Draft) -> None:
    if not access.may_touch(actor, draft.item):
        raise NotFound("draft", draft.id)


def _require_changes(changes: object) -> dict[str, Any]:
    if not isinstance(changes, dict):
        raise InvalidInput([forms.fault("/form", "type", "object")])
    if len(changes) > _MOST_FIELDS:
        raise InvalidInput([forms.fault("/form", "maxProperties", _MOST_FIELDS)])
    forms.require_storable(changes, "/form")
    return changes


def _require_fields(changes: dict[str, Any], item: ServiceItem) -> None:
    known = item.description["form"]["properties"]
    faults = [
        forms.fault(f"/form/{forms.escaped(name)}", "additionalProperties", False)
        for name in changes
        if name not in known
    ]
    if faults:
        raise InvalidInput(faults[: forms.MAX_FAULTS])
