"""The rules of attachments: how many, how large, for which document, and what is still missing. No clock, no store."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.errors import Fault, InvalidInput
from contracts.files import DEFAULT_TYPES, MAX_BYTES

UPLOADING: Final = "uploading"
RECEIVED: Final = "received"
"""All of it is there and has not been checked: nobody may read it yet."""
CLEAN: Final = "clean"
REFUSED: Final = "refused"
ABANDONED: Final = "abandoned"
"""Nobody's any more: its bytes are to be removed, then its row."""
COUNTED: Final = (UPLOADING, RECEIVED, CLEAN)
HANDED_IN: Final = (RECEIVED, CLEAN)

MOST_OF_A_DOCUMENT: Final = 10
MOST_FILES: Final = 30
MOST_BYTES: Final = 100 * 1024 * 1024
"""Of one draft or case."""
MOST_UNFILED_BYTES: Final = 300 * 1024 * 1024
"""Of all drafts of one person."""
MOST_UPLOADING: Final = 20
"""Uploads of one person that are not complete."""
MOST_PARTS: Final = 500
"""Requests that one upload may come in."""

RESUMABLE_FOR: Final = timedelta(hours=24)
"""After its last byte."""

ACCEPTANCE: Final = "acceptance"

MAX_NAME: Final = 200
_PART = re.compile(r"[0-9]{12}-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file, of a draft or of a case. With `joint`, it is handed in for every part of it that asks for the document;
    `number` is one of these parts.

    `parts` are the objects that its bytes stand in, in their order: `(name, length)`.

    `fault` is why it was refused. Until it is complete, `length` is what was announced.
    """

    id: str
    applicant: str
    draft: str | None
    number: str | None
    document: str
    name: str
    length: int
    received: int
    parts: tuple[tuple[str, int], ...]
    status: str
    fault: str | None
    media_type: str | None
    sha256: str | None
    channel: str
    created_at: datetime
    expires_at: datetime
    joint: str | None = None

    @property
    def extension(self) -> str:
        return self.name.rpartition(".")[2].lower() if "." in self.name else ""


@dataclass(frozen=True, slots=True)
class Document:
    """What a service item asks for, as far as files go. `types` are names of `contracts.files`.

    `most` files of `most_bytes` each. `by_acceptance`: it is needed when the case is taken up, not already to file it.
    """

    code: str
    types: tuple[str, ...]
    most: int
    most_bytes: int
    is_required: bool
    by_acceptance: bool
    may_follow: bool
    source: str

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Document:
        return cls(
            code=described["code"],
            types=tuple(described.get("accept", DEFAULT_TYPES)),
            most=int(described.get("files", MOST_OF_A_DOCUMENT)),
            most_bytes=int(described.get("megabytes", MAX_BYTES // 2**20)) * 2**20,
            is_required=bool(described["required"]),
            by_acceptance=described.get("needed") == ACCEPTANCE,
            may_follow=bool(described.get("may_follow")),
            source=described["source"],
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """Documents of the applicant's own that are not there: those needed now, and those that may follow by a date.

    `by_acceptance` are those of `now` that the case may be filed without.
    """

    now: tuple[str, ...] = ()
    later: tuple[str, ...] = field(default=())
    by_acceptance: tuple[str, ...] = field(default=())

    @property
    def at_filing(self) -> tuple[str, ...]:
        return tuple(code for code in self.now if code not in self.by_acceptance)


def documents_of(item: Mapping[str, Any]) -> dict[str, Document]:
    return {each["code"]: Document.of(each) for each in item.get("documents", ())}


def missing(item: Mapping[str, Any], present: Collection[str]) -> Missing:
    """What the item needs of the applicant beside the documents `present`.

    What departments or the platform have is fetched, not demanded. A document may follow where the item is open to
    provisional acceptance.
    """
    is_open = bool(item.get("provisional_acceptance", {}).get("open"))
    wanted = [
        each
        for each in documents_of(item).values()
        if each.is_required and each.source == "applicant" and each.code not in present
    ]
    later = tuple(each.code for each in wanted if is_open and each.may_follow)
    now = [each for each in wanted if each.code not in later]
    return Missing(tuple(each.code for each in now), later, tuple(each.code for each in now if each.by_acceptance))


def require_room(document: Document, there: Iterable[Attachment], length: int) -> None:
    """Raise `InvalidInput` if the file is too much for its document, its draft or its case."""
    if not 0 < length <= MAX_BYTES:
        raise InvalidInput([{"pointer": "/file", "rule": "file", "value": "empty" if length == 0 else "too-large"}])
    counted = [each for each in there if each.status in COUNTED]
    if sum(each.document == document.code for each in counted) >= document.most:
        raise InvalidInput([{"pointer": "/file", "rule": "file.count", "value": document.most}])
    if len(counted) >= MOST_FILES:
        raise InvalidInput([{"pointer": "/file", "rule": "file.count", "value": MOST_FILES}])
    if sum(each.length for each in counted) + length > MOST_BYTES:
        raise InvalidInput([{"pointer": "/file", "rule": "file.total", "value": MOST_BYTES // 2**20}])


def fault_of_named(place: int, document: str | None, status: str, fault: str | None) -> Fault | None:
    """Why an upload that a filing names, the one at `place`, cannot be handed in with it; `document` is None if there
    is no such upload of the applicant's, or if the item does not ask for what it is."""
    pointer = f"/documents/{place}"
    if document is None:
        return Fault(pointer=pointer, rule="upload", value="unknown")
    if status == REFUSED:
        return Fault(pointer=pointer, rule="file", value=fault)
    return None if status in HANDED_IN else Fault(pointer=pointer, rule="upload", value="incomplete")


def faults_of_number(counted: Sequence[tuple[str, int]], documents: Mapping[str, Document]) -> list[Fault]:
    """Files of several drafts may together be more than a case takes. `counted` are documents and lengths of files."""
    codes = [document for document, _ in counted]
    faults = [
        Fault(pointer=f"/documents/{code}", rule="file.count", value=document.most)
        for code, document in documents.items()
        if codes.count(code) > document.most
    ]
    if len(codes) > MOST_FILES:
        faults.append(Fault(pointer="/documents", rule="file.count", value=MOST_FILES))
    if sum(length for _, length in counted) > MOST_BYTES:
        faults.append(Fault(pointer="/documents", rule="file.total", value=MOST_BYTES // 2**20))
    return faults


def require_named(ids: object) -> tuple[str, ...] | None:
    """The ids of uploads as a filing names them, each once; `None` if it says nothing of them."""
    if ids is None:
        return None
    if not isinstance(ids, list | tuple):
        raise InvalidInput([Fault(pointer="/documents", rule="type", value="array")])
    if len(ids) > MOST_FILES:
        raise InvalidInput([Fault(pointer="/documents", rule="maxItems", value=MOST_FILES)])
    known = [_id_in(each) for each in ids]
    faults = [
        Fault(pointer=f"/documents/{n}", rule="upload", value="unknown") for n, each in enumerate(known) if each is None
    ]
    if faults:
        raise InvalidInput(faults)
    return tuple(dict.fromkeys(each for each in known if each is not None))


def _id_in(text: object) -> str | None:
    try:
        return str(uuid.UUID(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def require_name(name: object) -> str:
    """The last part of what a browser calls a file: no path, nothing that changes the direction of writing."""
    if not isinstance(name, str):
        raise InvalidInput([{"pointer": "/name", "rule": "type", "value": "string"}])
    last = re.split(r"[/\\]", name)[-1].strip()
    if not last or len(last) > MAX_NAME or not last.isprintable():
        raise InvalidInput([{"pointer": "/name", "rule": "file", "value": "name"}])
    return last


def require_part(name: object) -> str:
    if not isinstance(name, str) or not _PART.fullmatch(name):
        raise InvalidInput([{"pointer": "/part", "rule": "pattern", "value": _PART.pattern}])
    return name
