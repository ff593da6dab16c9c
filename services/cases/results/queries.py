"""What is read of results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from chassis import limits
from chassis.database import Session
from chassis.sealing import Seal
from contracts import access
from contracts.actors import Actor
from contracts.errors import NotFound, NotPermitted, ServiceError
from services.cases import domain as case_rules
from services.cases import looks
from services.cases.case_number import filing_day
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.drafts.access import id_in
from services.cases.paging import decode, page, require_limit
from services.cases.results import domain, store
from services.cases.results.domain import Content, Result
from services.cases.results.limits import ResultKeys, too_many
from services.cases.results.reading import require_result
from services.cases.results.views import download_view, result_view, verified_view

MOST_HELD: Final = 20
MOST_SHOWN: Final = 50


def certificates_of(
    session: Session, seal: Seal, holder: str, paper: str, at: datetime
) -> list[tuple[Result, Content]]:
    """The certificates of one kind that a person holds and that are good at that moment, the newest first.

    `paper` is the code of the kind, as documents name it in `proofs`. No look is noted here: whoever shows what one
    says to anybody else than its holder notes it (`services.cases.looks`).
    """
    return store.list_held(session, seal, holder, paper, at, filing_day(at), MOST_HELD)


def taken_back(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of these results that are good no more by somebody's hand."""
    return store.list_taken_back(session, ids) if ids else set()


def summary(session: Session, seal: Seal, number: str) -> dict[str, Any] | None:
    """For the page of a case: whether there is a result, and what it is."""
    found = store.load_newest(session, seal, number)
    if found is None:
        return None
    return {"form": found[0].form, "decision": found[0].decision}


def get_result(
    session: Session, catalogue: Catalogue, seal: Seal, actor: Actor, number: str, purpose: str | None, now: datetime
) -> dict[str, Any]:
    """The result of a case that the reader may see, what it states, and who took it when. A look, as the case is."""
    case, result, content = require_result(session, seal, actor, number)
    looks.note(session, actor, case, access.RESULT, purpose, now)
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    parts = case_rules.parts_of(actor, case)
    may_revoke = case_rules.OFFICER in parts and actor.department == case.department
    return result_view(result, content, item, filing_day(now)) | {
        "delivered_by": case.delivered_by,
        "downloads": [download_view(row) for row in store.list_downloads(session, result.id, MOST_SHOWN)],
        "may_revoke": may_revoke and result.status == domain.VALID,
        "reasons": list(domain.REVOCATION_REASONS),
    }


def list_certificates(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    cursor: str | None,
    limit: int | None,
    now: datetime,
) -> dict[str, Any]:
    """The reader's own, newest first, whatever has become of them. Who acts for them by a mandate has no such list."""
    if not actor.subject or case_rules.is_program(actor) or actor.mandate is not None:
        raise NotPermitted("list_certificates")
    size, before = require_limit(limit), decode(cursor, lambda key: id_in(key) is not None)
    looks.note_own(session, actor, actor.subject, access.RESULT, now)
    rows = store.list_certificates(session, seal, actor.subject, before, size + 1)
    day = filing_day(now)
    return page(
        rows,
        size,
        key=lambda row: row[0].id,
        view=lambda row: result_view(
            row[0], row[1], VERSIONS.get(session, catalogue, row[0].item, row[0].item_version), day
        ),
    )


def verify(
    session: Session, catalogue: Catalogue, seal: Seal, keys: ResultKeys, code: object, now: datetime
) -> dict[str, Any] | ServiceError:
    """What anyone hears who has the code, or the refusal: to be raised once this is committed, for the guess counts."""
    buckets = keys.of_address()
    refused = limits.take(session, buckets, now)
    if refused:
        return too_many(refused)
    found = store.find_by_code(session, seal, store.hash_code(str(code)))
    if found is None:
        return NotFound("result")
    limits.put_back(session, buckets)
    result, content = found
    item = VERSIONS.get(session, catalogue, result.item, result.item_version)
    documents = store.list_documents(session, result.id, MOST_SHOWN)
    return verified_view(result, content, item, filing_day(now), documents)
