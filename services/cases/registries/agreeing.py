"""Who outside government may be a source of evidence: agreements are made, extended and ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts.errors import NotFound
from services.cases.catalogue.model import Catalogue
from services.cases.registries import agreements, store
from services.cases.registries.agreements import Agreement, Allowed, Known, Terms
from services.cases.registries.kinds import all_kinds


class ReferenceTaken(Exception):
    """Args: the source, the reference."""


def known_in(catalogue: Catalogue) -> Known:
    """What registers and agreements may name."""
    items = catalogue.all()
    documents = {code: frozenset(kind.fields) for code, kind in all_kinds().items()}
    return Known(documents, {item.code for item in items}, {item.department for item in items})


def allowed_for(session: Session, source: str, kind: str, item: str, now: datetime) -> Allowed | None:
    """What an organisation may say of this kind for this item now; `None` for nothing."""
    return agreements.allowing(store.agreements_of(session, source), kind, item, now)


def add_agreement(
    session: Session, known: Known, source: str, reference: str, terms: Terms, now: datetime
) -> Agreement:
    """Let an organisation outside government be asked for this evidence. Raise `InvalidInput`, `ReferenceTaken`."""
    agreements.require_terms(source, reference, terms, known, now)
    made = store.add_agreement(session, source, reference, terms, now)
    if made is None:
        raise ReferenceTaken(source, reference)
    return made


def extend_agreement(session: Session, source: str, reference: str, ends_at: datetime, now: datetime) -> Agreement:
    agreements.require_future(ends_at, now)
    extended = store.extend_agreement(session, source, reference, ends_at)
    if extended is None:
        raise NotFound("agreement", f"{source}/{reference}")
    return extended


def end_agreement(session: Session, source: str, reference: str, now: datetime) -> Agreement:
    """From now on the source is asked nothing under it, and what it says under it is refused."""
    ended = store.end_agreement(session, source, reference, now)
    if ended is None:
        raise NotFound("agreement", f"{source}/{reference}")
    return ended


def view(agreement: Agreement) -> dict[str, Any]:
    terms = agreement.terms
    return {
        "source": agreement.source,
        "reference": agreement.reference,
        "documents": {kind: None if fields is None else list(fields) for kind, fields in terms.documents.items()},
        "items": list(terms.items),
        "starts_at": _time(terms.starts_at),
        "ends_at": _time(terms.ends_at),
        "ended_at": _time(agreement.ended_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
