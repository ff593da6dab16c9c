"""A list of cases as a file for spreadsheets (CSV, RFC 4180), written as its pages come: never the whole in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from contracts.actors import Actor
from gateway.languages import Catalogue
from gateway.rpc.client import Rpc

MEDIA_TYPE: Final = "text/csv; charset=utf-8; header=present"
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it spreadsheets take UTF-8 for something else."""

COLUMNS: Final = (
    *("number", "item", "item_name", "department", "handled_by", "region", "kind", "channel", "status", "decision"),
    *("submitted_at", "updated_at", "due", "due_on", "statutory_due_on", "answer_by"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets begin to compute at, in the full width of Chinese keyboards, too (CWE-1236)."""


async def written(
    rpc: Rpc, actor: Actor, asked: Mapping[str, str], say: Catalogue, begin: str | None, end: str | None
) -> AsyncIterator[bytes]:
    """From behind the cursor `begin` to `end`, or to the end. A call that fails breaks the line off, so that nobody
    takes a part for the whole."""
    yield (BYTE_ORDER_MARK + _lines([COLUMNS])).encode()
    cursor, is_over = begin, False
    while not is_over:
        page = await rpc.call("cases.list_case_rows", dict(asked), cursor, end, actor=actor)
        yield _lines([cells(row, say) for row in page["items"]]).encode()
        cursor, is_over = page["next"], page["next"] is None


def cells(row: Mapping[str, Any], say: Catalogue) -> list[str]:
    """The number is kept from becoming one: a spreadsheet would round the last of its 18 digits away."""
    values = {name: row.get(name) for name in COLUMNS} | {"item_name": say.pick(row.get("item_name"))}
    return ["\t" + str(values.pop("number")), *(_harmless(value) for value in values.values())]


def _harmless(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(rows: Sequence[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()
