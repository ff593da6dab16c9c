"""Lists as rows to take away, for officers and operators: in pages that the door streams, up to a number of rows.

No personal data is in them, not even the pseudonymous account: a file lies about, and nobody sees who opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import NotPermitted
from services.cases import domain
from services.cases.case_number import is_case_number
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.lists import queries, store, wanted
from services.cases.lists.store import Scope
from services.cases.lists.wanted import LIMIT, Wanted
from services.cases.paging import decode, encode, page
from services.cases.views import case_view
from services.cases.work import staff

OPERATOR: Final = "operator"
A_PAGE: Final = 500
MOST_ROWS: Final = 50_000
"""Of one file: what a spreadsheet opens at once. The next file goes on where it ends."""

COLUMNS: Final = (
    *("number", "item", "department", "handled_by", "region", "kind", "channel", "status", "decision"),
    *("submitted_at", "updated_at", "answer_by"),
)


def list_rows(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    asked: Mapping[str, Any] | None,
    cursor: str | None,
    end: str | None = None,
) -> dict[str, Any]:
    """`{"items", "next"}` of up to `A_PAGE` rows, as far as the cursor `end`. Raise `NotPermitted`, `InvalidInput`."""
    what, scope = _asked(session, actor, asked)
    found = queries.find(session, catalogue, scope, what, with_notes=queries.is_staff(actor))
    rows = store.list_cases(session, scope, what, found, _after(what, cursor), A_PAGE + 1)
    if end is not None:
        # whatever has changed since the end was looked up: where this file ends, the next one begins
        last = _order(what, _after(what, end) or "")
        rows = [case for case in rows if _order(what, store.key_of(what, case)) <= last]
    return page(rows, A_PAGE, key=lambda case: store.key_of(what, case), view=lambda case: _row(case, catalogue))


def get_end(
    session: Session, catalogue: Catalogue, actor: Actor, asked: Mapping[str, Any] | None, cursor: str | None
) -> dict[str, Any]:
    """`{"next"}`: where the file that begins at `cursor` ends, if the list goes on behind it. Raise as `list_rows`."""
    what, scope = _asked(session, actor, asked)
    found = queries.find(session, catalogue, scope, what, with_notes=queries.is_staff(actor))
    # the last one of this file, if there is one more
    last = store.list_keys(session, scope, what, found, _after(what, cursor), 2, skip=MOST_ROWS - 1)
    return {"next": encode(last[0]) if len(last) == 2 else None}


def _asked(session: Session, actor: Actor, asked: Mapping[str, Any] | None) -> tuple[Wanted, Scope]:
    what = wanted.read(asked)
    if actor.act is not None or actor.mandate is not None:
        raise NotPermitted("export_cases")
    if actor.has_role(domain.OFFICER) and actor.department:
        staff.see(session, actor, datetime.now(UTC))
        return what, queries.scope_of(actor, what)
    if actor.has_role(OPERATOR):
        queries.require_order(what, {})
        return what, Scope({}, actor.hand)
    raise NotPermitted("export_cases")


def _after(what: Wanted, cursor: str | None) -> str | None:
    return decode(cursor, queries.is_date_and_number if what.sort == LIMIT else is_case_number)


def _order(what: Wanted, key: str) -> tuple[int, str]:
    """Of keys of one list, as they stand in it."""
    if what.sort != LIMIT:
        return -int(key or "0"), ""
    day, _, number = key.partition(" ")
    return 0, f"{day or '9999-99-99'} {number}"


def _row(case: Case, catalogue: Catalogue) -> dict[str, Any]:
    view = case_view(case, catalogue)
    due = view["due"]
    return (
        {name: view[name] for name in COLUMNS}
        | {"item_name": view["item_name"]}
        | {"due": due["state"], "due_on": due["on"], "statutory_due_on": due["statutory_on"]}
    )
