"""What people read of their drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Session
from chassis.sealing import Seal
from contracts import access as words
from contracts.actors import Actor
from contracts.errors import NotFound
from services.cases import looks
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.drafts import access, store
from services.cases.drafts.domain import MOST_DRAFTS, Draft
from services.cases.drafts.views import draft_view, listed_view
from services.cases.joint import documents as joint_documents


def list_drafts(
    session: Session, catalogue: Catalogue, actor: Actor, item: str | None, now: datetime
) -> dict[str, Any]:
    """The last changed first, all of them: there are at most `MOST_DRAFTS`."""
    applicant = access.applicant_of(actor)
    rows = store.list_of(session, applicant.subject, item, now, MOST_DRAFTS)
    mine = [listed_view(row, catalogue) for row in rows if access.may_touch(actor, row.item)]
    return {"items": mine, "next": None}


def get_draft(session: Session, catalogue: Catalogue, seal: Seal, actor: Actor, draft_id: str) -> dict[str, Any]:
    """The draft with its item, in the version that it was begun under. A look, if it is not the applicant's own."""
    draft = load_draft(session, seal, actor, draft_id)
    looks.note_own(session, actor, draft.applicant, words.DRAFT)
    item = VERSIONS.get(session, catalogue, draft.item, draft.item_version)
    described = joint_documents.described(catalogue, item, draft.form)
    return {"draft": draft_view(draft, item, catalogue), "item": described}


def load_draft(session: Session, seal: Seal, actor: Actor, draft_id: str) -> Draft:
    applicant = access.applicant_of(actor)
    draft = store.load(session, seal, access.require_id(draft_id), applicant.subject)
    if draft is None or not access.may_touch(actor, draft.item):
        raise NotFound("draft", draft_id)
    return draft
