"""How a catalogue changes: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.database import Session
from services.cases.catalogue import check, store, wording
from services.cases.catalogue.faults import BrokenCatalogue, Fault
from services.cases.catalogue.store import Standing

FILE: Final = "file"
IMPORT: Final = "import"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What a publishing did: how many items were new, had changed, and had not."""

    new: int
    changed: int
    unchanged: int


def publish_files(session: Session, descriptions: Sequence[dict[str, Any]], at: datetime) -> Published:
    """Publish items that carry their version. One that is published already must not say something else."""
    store.lock(session)
    standing = store.load_standing(session)
    faults = [_reused(each) for each in descriptions if is_reused(each, standing)]
    if faults:
        raise BrokenCatalogue(faults)
    news = [each for each in descriptions if is_newer(each, standing)]
    return _publish(session, news, standing, FILE, at, unchanged=len(descriptions) - len(news))


def publish_import(session: Session, descriptions: Sequence[dict[str, Any]], at: datetime) -> Published:
    """Publish items without a version of their own: each that differs from what is published gets the next one."""
    store.lock(session)
    standing = store.load_standing(session)
    news = []
    taken = [each["code"] for each in descriptions if is_worked_out(each["code"], standing)]
    faults = [wording.fault(code, "$.code", "taken") for code in taken]
    if faults:
        raise BrokenCatalogue(faults)
    for each in descriptions:
        before = standing.get(each["code"])
        if before is None or before.digest != digest(each):
            news.append(each | {"version": before.version + 1 if before else 1})
    return _publish(session, news, standing, IMPORT, at, unchanged=len(descriptions) - len(news))


def seed(session: Session, descriptions: Sequence[dict[str, Any]], at: datetime) -> Published:
    """Publish what is shipped and newer than what is published. A replica of an older release changes nothing.

    A file that was changed without a higher version is said in the log and left as it was published: a process that
    does not start would help nobody. For the same reason a release whose items break the rules together with those that
    are published here leaves these as they are.
    """
    standing = store.load_standing(session)
    for each in descriptions:
        if is_reused(each, standing):
            log.error("not published: %s", _reused(each))
    try:
        return publish_files(session, [each for each in descriptions if is_newer(each, standing)], at)
    except BrokenCatalogue as broken:
        if not standing:
            raise
        for fault in broken.faults:
            log.error("not published: %s", fault)  # noqa: TRY400 - the fault is what one has to know
    return Published(new=0, changed=0, unchanged=len(descriptions))


def is_worked_out(code: str, standing: Mapping[str, Standing]) -> bool:
    before = standing.get(code)
    return before is not None and before.origin == FILE


def is_newer(description: dict[str, Any], standing: Mapping[str, Standing]) -> bool:
    before = standing.get(description["code"])
    return before is None or before.version < description["version"]


def is_reused(description: dict[str, Any], standing: Mapping[str, Standing]) -> bool:
    """Whether its version is published with another content."""
    before = standing.get(description["code"])
    return before is not None and before.version == description["version"] and before.digest != digest(description)


def digest(description: Mapping[str, Any]) -> bytes:
    """Of everything but the version."""
    content = {name: value for name, value in description.items() if name != "version"}
    return hashlib.sha256(
        json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).digest()


def _reused(description: dict[str, Any]) -> Fault:
    return wording.fault(description["code"], "$.version", "reused", version=description["version"])


def _publish(
    session: Session,
    news: Sequence[dict[str, Any]],
    standing: Mapping[str, Standing],
    origin: str,
    at: datetime,
    unchanged: int,
) -> Published:
    if news:
        codes = {each["code"] for each in news}
        others = [(code, before.version) for code, before in standing.items() if code not in codes]
        require_right(news, store.load_versions(session, others))
        store.add_versions(session, [(each, digest(each)) for each in news], origin, at)
        store.raise_revision(session)
    changed = sum(each["code"] in standing for each in news)
    return Published(new=len(news) - changed, changed=changed, unchanged=unchanged)


def require_right(news: Sequence[dict[str, Any]], others: Iterable[dict[str, Any]]) -> None:
    """Raise `BrokenCatalogue` if the catalogue with `news` in it would break a rule."""
    faults = check.faults_of(news, others)
    if faults:
        raise BrokenCatalogue(faults)
