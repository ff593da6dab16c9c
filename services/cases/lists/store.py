"""The statements of lists. Each reads an index in the order of the list, from where the last page ended, so that a page
costs the same among ten cases and ten million. Every text here is ours; what was asked for is a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import text

from chassis.database import Session
from services.cases.domain import Case
from services.cases.lists.wanted import LIMIT, Wanted
from services.cases.work.clock import DUE_SOON, OVERDUE
from services.cases.work.states import ENDED, OPEN

MOST_NOTES: Final = 200
_COLUMNS: Final = ", ".join(field.name for field in fields(Case))


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_OPEN: Final = f"status IN ({_listed(OPEN)})"
_STATES: Final = {
    "open": _OPEN,
    "ended": f"status IN ({_listed(ENDED)})",
    "approved": "status = 'closed' AND decision = 'approved'",
    "refused": "status = 'closed' AND decision = 'refused'",
}
# the words of `work.clock.due_state`
_DUE: Final = {
    "none": "due_on IS NULL",
    "stopped": f"due_on IS NOT NULL AND clock_from IS NULL AND due_stage < {OVERDUE}",
    "running": f"due_on IS NOT NULL AND clock_from IS NOT NULL AND due_stage < {DUE_SOON}",
    "due_soon": f"due_on IS NOT NULL AND clock_from IS NOT NULL AND due_stage = {DUE_SOON}",
    "overdue": f"due_on IS NOT NULL AND due_stage = {OVERDUE}",
    "escalated": f"due_on IS NOT NULL AND due_stage > {OVERDUE}",
}
_ASSIGNED: Final = {
    "me": "assignee = :me",
    "nobody": "assignee IS NULL",
    "colleague": "assignee IS NOT NULL AND assignee <> :me",
}
_FILED_ORDER: Final = "number DESC"
_LIMIT_ORDER: Final = "due_on, number"
# those without a date come last, as PostgreSQL sorts nulls
_BEHIND: Final = {
    "": "",
    "filed": "number < :after",
    "dated": "((due_on, number) > (:after_day, :after) OR due_on IS NULL)",
    "undated": "due_on IS NULL AND number > :after",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose cases: columns with the value that they have, of all that the reader may see. `me` is the reader.

    `area`: only of regions whose code begins so (`crossing.domain.significant`).
    """

    columns: Mapping[str, str]
    me: str
    area: str | None = None

    @property
    def department(self) -> str | None:
        return self.columns.get("department")


@dataclass(frozen=True, slots=True)
class Found:
    """What words that were asked for stand for: items by their names, cases by their numbers or notes."""

    items: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    prefix: str = ""


# digits only: what comes behind them is not the same in every collation
_LONGEST_NUMBER: Final = 20


def list_cases(
    session: Session, scope: Scope, wanted: Wanted, found: Found | None, after: str | None, limit: int
) -> list[Case]:
    """From behind `after`, which is `key_of` the last case before."""
    return [Case(*row) for row in _select(session, _COLUMNS, scope, wanted, found, after, limit)]


def list_keys(
    session: Session, scope: Scope, wanted: Wanted, found: Found | None, after: str | None, limit: int, skip: int
) -> list[str]:
    """`key_of` each case from behind `after` and `skip` more: what is passed over is counted, and none of it read."""
    rows = _select(session, "number, due_on", scope, wanted, found, after, limit, skip)
    return [_key(wanted, number, due_on) for number, due_on in rows]


def _select(
    session: Session,
    columns: str,
    scope: Scope,
    wanted: Wanted,
    found: Found | None,
    after: str | None,
    limit: int,
    skip: int = 0,
) -> Sequence[Any]:
    conditions, values = _conditions(scope, wanted, after)
    order = _LIMIT_ORDER if wanted.sort == LIMIT else _FILED_ORDER
    parts = [
        _part(columns, [*conditions, *whose, *more], order, item)
        for whose in _whose(scope, wanted)
        for more, item in _sought(wanted, found)
    ]
    if not parts:
        return []
    # UNION, not UNION ALL: a case may be found by its item and by its number
    whole = f"({' UNION '.join(parts)}) AS whole"
    statement = f"SELECT {columns} FROM {whole} ORDER BY {order} LIMIT :limit OFFSET :skip"  # noqa: S608
    values |= {"limit": limit, "part_limit": limit + skip, "skip": skip}
    if found is not None:
        values |= {"items": list(found.items), "numbers": list(found.numbers)}
        values |= {"prefix": found.prefix, "prefix_end": found.prefix + "9" * _LONGEST_NUMBER}
    return session.execute(text(statement), values).all()


def _part(columns: str, conditions: Sequence[str], order: str, item: str) -> str:
    where = " AND ".join(conditions) or "true"
    one = f"SELECT {columns} FROM cases WHERE {where} ORDER BY {order} LIMIT :part_limit"  # noqa: S608
    if not item:
        return f"({one})"
    # each item by its own index, however many of them were meant
    return (
        "(SELECT theirs.* FROM unnest(CAST(:items AS text[])) AS sought (code)"  # noqa: S608
        f" CROSS JOIN LATERAL ({one}) AS theirs)"
    )


def _sought(wanted: Wanted, found: Found | None) -> list[tuple[list[str], str]]:
    """Conditions of each way in which the words may be found; just one without a condition if there were none."""
    if found is None:
        return [([], "")]
    ways: list[tuple[list[str], str]] = []
    if found.items:
        ways.append((["item = sought.code"], "item"))
    if found.numbers:
        ways.append((["number = ANY (CAST(:numbers AS text[]))"], ""))
    if found.prefix:
        ways.append((["number >= :prefix AND number < :prefix_end"], ""))
    return ways


def _whose(scope: Scope, wanted: Wanted) -> list[list[str]]:
    """A department's own; or those that one handles: its own that it has not passed on, and those passed to it."""
    own = [f"{name} = :own_{name}" for name in scope.columns]
    if wanted.handler is None:
        return [own]
    if scope.department not in (None, wanted.handler):
        return [[*own, "handler = :handler"]]
    rest = [condition for condition in own if not condition.startswith("department ")]
    return [[*rest, "department = :handler", "handler IS NULL"], [*rest, "handler = :handler"]]


def _conditions(scope: Scope, wanted: Wanted, after: str | None) -> tuple[list[str], dict[str, Any]]:
    said = _equalities(wanted) | _choices(wanted, after)
    said["area"] = "starts_with(region, :area)" if scope.area else ""
    values: dict[str, Any] = {f"own_{name}": value for name, value in scope.columns.items()}
    values |= {name: getattr(wanted, name) for name in ("status", "item", "department", "region", "channel", "handler")}
    day, number = _place(wanted, after)
    values |= {"me": scope.me, "after": number, "after_day": day, "area": scope.area}
    # a number begins with the day of its filing
    values |= {"since": _as_number(wanted.since), "until": _as_number(wanted.until, timedelta(days=1))}
    return [condition for condition in said.values() if condition], values


def _equalities(wanted: Wanted) -> dict[str, str]:
    columns = ("item", "department", "region", "channel")
    return {name: f"{name} = :{name}" for name in columns if getattr(wanted, name) is not None}


def _choices(wanted: Wanted, after: str | None) -> dict[str, str]:
    status = wanted.status
    return {
        "status": _STATES.get(status, "status = :status") if status else "",
        "open": _OPEN if wanted.sort == LIMIT else "",
        "due": _DUE[wanted.due] if wanted.due else "",
        "assigned": _ASSIGNED[wanted.assigned] if wanted.assigned else "",
        "since": "number >= :since" if wanted.since else "",
        "until": "number < :until" if wanted.until else "",
        "behind": _BEHIND[_kind_of_place(wanted, after)],
    }


def _kind_of_place(wanted: Wanted, after: str | None) -> str:
    if after is None:
        return ""
    if wanted.sort != LIMIT:
        return "filed"
    return "dated" if _place(wanted, after)[0] else "undated"


def _place(wanted: Wanted, after: str | None) -> tuple[str | None, str]:
    if after is None or wanted.sort != LIMIT:
        return None, after or ""
    day, _, number = after.partition(" ")
    return day or None, number


def _as_number(day: date | None, more: timedelta = timedelta()) -> str | None:
    return (day + more).strftime("%Y%m%d") if day else None


def key_of(wanted: Wanted, case: Case) -> str:
    """Where a page ended: what a cursor holds."""
    return _key(wanted, case.number, case.due_on)


def _key(wanted: Wanted, number: str, due_on: date | None) -> str:
    if wanted.sort != LIMIT:
        return number
    return f"{due_on.isoformat() if due_on else ''} {number}"


_NOTED: Final = text(
    """
    SELECT DISTINCT n.number FROM case_notes n JOIN cases c ON c.number = n.number
    WHERE n.words @> CAST(:words AS text[])
    AND (CAST(:department AS text) IS NULL OR :department IN (c.department, c.handler))
    ORDER BY n.number DESC LIMIT :most
    """
)
_UNREAD: Final = text("SELECT id, text FROM case_notes WHERE words IS NULL LIMIT :most FOR UPDATE SKIP LOCKED")
_READ: Final = text("UPDATE case_notes SET words = CAST(:words AS text[]) WHERE id = :id")


def find_noted(session: Session, words: Sequence[str], department: str | None) -> tuple[str, ...]:
    """The newest cases with a note that holds all the words."""
    values = {"words": list(words), "department": department, "most": MOST_NOTES}
    return tuple(session.execute(_NOTED, values).scalars())


def lock_unread_notes(session: Session, most: int) -> list[tuple[int, str]]:
    return [(row.id, row.text) for row in session.execute(_UNREAD, {"most": most})]


def save_words(session: Session, words: Mapping[int, Sequence[str]]) -> None:
    if words:
        session.execute(_READ, [{"id": note, "words": list(said)} for note, said in words.items()])
