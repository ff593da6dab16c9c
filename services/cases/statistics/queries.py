"""The figures of a department's cases, for its officers and programs; of all for operators."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, datetime
from typing import Any, Final

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted
from services.cases import domain
from services.cases.catalogue.model import Catalogue
from services.cases.forms import fault, require_text
from services.cases.lists.wanted import FIRST_YEAR, LAST_YEAR
from services.cases.statistics import evidence, store
from services.cases.statistics.figures import counts_of, times_of
from services.cases.views import time_view
from services.cases.work.clock import day_of

MONTHS_SHOWN: Final = 12
MOST_MONTHS: Final = 120
MOST_ITEMS: Final = 200
OPERATOR: Final = "operator"

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def get_statistics(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    now: datetime,
    *,
    department: object = None,
    item: object = None,
    since: object = None,
    until: object = None,
) -> dict[str, Any]:
    """`since` and `until` are months, `2026-11`, both inside; without them the last twelve.

    Raise `NotPermitted` for who is neither, `InvalidInput` for what is no month, or too many.
    """
    whose = _department(actor, require_text(department, "/department", 64))
    code = require_text(item, "/item", 64)
    begin, end = _period(since, until, day_of(now))
    values = {"department": whose, "item": code, "since": begin, "until": end}
    rows = store.load_figures(session, values)
    by_item = [row for row in rows if not row.by_month and not row.by_channel]
    return {
        "department": whose,
        "from": f"{begin:%Y-%m}",
        "until": f"{end:%Y-%m}",
        "as_of": time_view(now),
        "now": _now(store.count_open(session, whose, code)),
        "total": counts_of(by_item) | times_of(by_item),
        "months": [{"month": f"{month:%Y-%m}", **counts} for month, counts in _grouped(rows, "month", begin, end)],
        "channels": [{"channel": name, **counts} for name, counts in _grouped(rows, "channel")],
        "items": _items(by_item, catalogue),
        "evidence": evidence.figures_of(session, catalogue, values),
    }


def _department(actor: Actor, asked: str | None) -> str | None:
    """Whose figures. An operator's are everybody's; anybody else's are their department's."""
    if actor.act is not None or actor.mandate is not None:
        raise NotPermitted("get_statistics")
    is_officer = actor.has_role(domain.OFFICER) or (domain.is_program(actor) and actor.has_scope("cases"))
    if is_officer and actor.department and asked in (None, actor.department):
        return actor.department
    if actor.has_role(OPERATOR):
        return asked
    raise NotPermitted("get_statistics")


def _period(since: object, until: object, today: date) -> tuple[date, date]:
    end = _month(until, "/until") or today.replace(day=1)
    begin = _month(since, "/from") or _before(end, MONTHS_SHOWN - 1)
    if begin > end:
        raise InvalidInput([fault("/until", "minimum", f"{begin:%Y-%m}")])
    if _before(end, MOST_MONTHS - 1) > begin:
        raise InvalidInput([fault("/from", "minimum", f"{_before(end, MOST_MONTHS - 1):%Y-%m}")])
    return begin, end


def _month(value: object, pointer: str) -> date | None:
    if value in (None, ""):
        return None
    if not _MONTH.fullmatch(str(value)) or not FIRST_YEAR <= int(str(value)[:4]) <= LAST_YEAR:
        raise InvalidInput([fault(pointer, "format", "month")])
    return date.fromisoformat(f"{value}-01")


def _before(month: date, count: int) -> date:
    total = month.year * 12 + month.month - 1 - count
    return date(max(total // 12, 1), total % 12 + 1, 1)


def _now(rows: list[Any]) -> dict[str, Any]:
    status: dict[str, int] = dict.fromkeys(domain.OPEN, 0)
    due: dict[str, int] = dict.fromkeys(("running", "due_soon", "overdue", "escalated", "stopped", "none"), 0)
    for row in rows:
        status[row.status] += row.count
        due[row.due] += row.count
    return {"open": sum(status.values()), "status": status, "due": due}


def _grouped(
    rows: list[Any], column: str, begin: date | None = None, end: date | None = None
) -> list[tuple[Any, dict[str, int]]]:
    """Counts by month, all of the period, or by channel."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    while begin is not None and end is not None and begin <= end:
        groups[begin] = []
        begin = _before(begin, -1)
    for row in rows:
        if getattr(row, f"by_{column}"):
            groups[getattr(row, column)].append(row)
    return [(key, counts_of(group)) for key, group in sorted(groups.items())]


def _items(rows: list[Any], catalogue: Catalogue) -> list[dict[str, Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.item].append(row)
    items = [
        {"item": code, "item_name": catalogue.name_of(code)} | counts_of(group) | times_of(group)
        for code, group in groups.items()
    ]
    return sorted(items, key=lambda item: (-item["filed"], item["item"]))[:MOST_ITEMS]
