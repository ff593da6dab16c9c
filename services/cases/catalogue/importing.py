"""Official lists of service items as CSV: read whole, every broken row named, and made into items.

A row says who offers what and nothing of forms or documents, so its item is a signpost (`online: false`): found by
search, shown with its department, and no case of it is filed here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.cases.catalogue.departments import department_of
from services.cases.catalogue.faults import Fault
from services.cases.catalogue.script import to_traditional

COLUMNS: Final = ("item_code", "name", "department", "region", "main_item", "kind")
"""What a list has to say; further columns are passed over."""

MAX_BYTES: Final = 50_000_000
MAX_ROWS: Final = 100_000
_MAX_NAME = 300

KINDS: Final = {
    "licence": "licence",
    "benefit": "benefit",
    "confirmation": "confirmation",
    "award": "award",
    "ruling": "ruling",
    "other": "other",
    "public-service": "public-service",
    "行政许可": "licence",
    "行政给付": "benefit",
    "行政确认": "confirmation",
    "行政奖励": "award",
    "行政裁决": "ruling",
    "其他行政权力": "other",
    "公共服务": "public-service",
}
_LEVELS = (("0000000000", "provincial"), ("00000000", "municipal"), ("000000", "county"), ("000", "township"))
_CODE = re.compile("[A-Za-z0-9][A-Za-z0-9-]{1,63}")
_REGION = re.compile("[1-9][0-9]{5}(?:[0-9]{6})?")
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ufffd\ud800-\udfff]")


class BrokenList(ValueError):
    """Nothing was imported. `faults` are (line, reason), line 0 for the file as a whole."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        super().__init__(len(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class ReadList:
    """`items` carry no version. `known` counts rows whose item is worked out here already."""

    items: list[dict[str, Any]]
    lines: dict[str, int]
    known: int

    def rows_of(self, faults: list[Fault]) -> list[tuple[int, str]]:
        """Faults of items as faults of the rows that they were read from."""
        return sorted((self.lines.get(fault.item, 0), f"{fault.place}: {fault.reason}") for fault in faults)


def read_list(content: bytes, worked_out: Collection[str]) -> ReadList:
    """Read a list in UTF-8, or raise `BrokenList`. `worked_out` are the official codes that items of ours carry."""
    lines: dict[str, int] = {}
    items: list[dict[str, Any]] = []
    faults: list[tuple[int, str]] = []
    known = 0
    for line, row in _rows(content):
        wrong = list(_faults_of(row, lines))
        if wrong:
            faults += [(line, reason) for reason in wrong]
            continue
        code = row["item_code"].strip()
        lines[code] = line
        if code in worked_out:
            known += 1
        else:
            items.append(_item(row))
    if faults:
        raise BrokenList(faults)
    return ReadList(items, lines, known)


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line that it begins in: a cell may hold line breaks."""
    if len(content) > MAX_BYTES:
        raise BrokenList([(0, f"more than {MAX_BYTES:,} bytes")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenList([(line, "no UTF-8; save the list as CSV in UTF-8")]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        _require_header(header)
        for count, cells in enumerate(iter(lambda: next(reader, None), None)):
            line, begun = reader.line_num, line + 1
            if count >= MAX_ROWS:
                raise BrokenList([(begun, f"more than {MAX_ROWS:,} rows")])
            if cells:
                # a row of another length than the header is told by what is missing or too much in it
                yield begun, dict(zip(header, cells, strict=False)) | _length_fault(header, cells)
    except csv.Error as error:
        raise BrokenList([(line + 1, f"no CSV: {error}")]) from error


_LENGTH: Final = "\0length"


def _length_fault(header: list[str], cells: list[str]) -> dict[str, str]:
    return {} if len(header) == len(cells) else {_LENGTH: f"{len(cells)} cells, and the header has {len(header)}"}


def _require_header(header: list[str]) -> None:
    missing = [name for name in COLUMNS if header.count(name) != 1]
    if missing:
        raise BrokenList([(1, f"columns that are missing or stand twice: {', '.join(missing)}")])


def _faults_of(row: Mapping[str, str], lines: Mapping[str, int]) -> Iterator[str]:
    if _LENGTH in row:
        yield row[_LENGTH]
        return
    code, kind, region = (row[name].strip() for name in ("item_code", "kind", "region"))
    if not _CODE.fullmatch(code):
        yield f"item_code {code[:80]!r}: 2 to 64 letters, digits and hyphens"
    elif code in lines:
        yield f"item_code {code} stands in line {lines[code]} already"
    if kind not in KINDS:
        yield f"kind {kind[:80]!r}: one of {', '.join(KINDS)}"
    if not _REGION.fullmatch(region):
        yield f"region {region[:80]!r}: 6 or 12 digits (GB/T 2260)"
    for name in ("name", "department", "main_item"):
        yield from _faults_of_text(name, row[name])


def _faults_of_text(name: str, text: str) -> Iterator[str]:
    text = _folded(text)
    if not text and name != "main_item":
        yield f"{name} is empty"
    if len(text) > _MAX_NAME:
        yield f"{name} is longer than {_MAX_NAME} characters"
    if _UNWRITABLE.search(text):
        yield f"{name} holds a control character"


def _folded(text: str) -> str:
    """Line breaks inside a cell are an accident of the list's lay-out."""
    return " ".join(text.split())


def _item(row: Mapping[str, str]) -> dict[str, Any]:
    region = row["region"].strip().ljust(12, "0")
    department, department_name = department_of(_folded(row["department"]))
    item: dict[str, Any] = {
        "code": row["item_code"].strip(),
        "online": False,
        "name": _chinese(_folded(row["name"])),
        "kind": KINDS[row["kind"].strip()],
        "department": department,
        "department_name": department_name,
        "region": region.removesuffix("000000"),
        "level": next((level for zeros, level in _LEVELS if region.endswith(zeros)), "village"),
        "audience": "any",
    }
    main_item = _folded(row["main_item"])
    return item | ({"main_item": _chinese(main_item)} if main_item else {})


def _chinese(text: str) -> dict[str, str]:
    return {"zh-Hans": text, "zh-Hant": to_traditional(text)}
