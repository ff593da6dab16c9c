"""What the parts of a joint case ask for as files: a document that several of them name is one, handed in once.

Parts name the same document by the same code; `catalogue.joint_faults` sees to it that they mean the same paper by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from chassis.database import Session
from contracts.files import DEFAULT_TYPES, MAX_BYTES
from services.cases.attachments import domain as attachments
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.catalogue.parts import asked_of
from services.cases.joint import domain
from services.cases.joint.domain import Part


def described(catalogue: Catalogue, item: ServiceItem, form: dict[str, Any] | None = None) -> dict[str, Any]:
    """The item's description; of a joint one with what its applicant has to hand in, for all parts at once.

    `form`: only for those parts that these answers of the joint form call for.
    """
    if not item.is_joint:
        return item.description
    parts = item.parts if form is None else asked_of(item.parts, form)
    return item.description | for_filing([catalogue.get(part.item) for part in parts if part.item in catalogue])


def shown(catalogue: Catalogue, item: ServiceItem) -> dict[str, Any]:
    """The description for whoever reads what the item asks for."""
    if not item.is_joint:
        return item.description
    return item.description | {"documents": described(catalogue, item)["documents"]}


def for_filing(items: Iterable[ServiceItem]) -> dict[str, Any]:
    """Of a description, what is asked for of the applicant; what departments have is asked of these, part by part."""
    asked = [each for each in merged(items) if each["source"] == "applicant"]
    # each document says whether it may follow: the parts that it is for are open to it, or one is not
    return {"documents": asked, "provisional_acceptance": {"open": True}}


def of_case(session: Session, catalogue: Catalogue, parts: Sequence[Part], *, is_open: bool = False) -> dict[str, Any]:
    """The same of parts that were filed, in the versions that they were filed with, and whoever has the document.

    `is_open`: only what parts that are under way, or wait, still ask for.
    """
    kept = [each.part for each in domain.progress(parts) if each.is_open or not is_open]
    return {"documents": merged_of(session, catalogue, kept), "provisional_acceptance": {"open": True}}


def for_reader(session: Session, catalogue: Catalogue, parts: Sequence[Part], there: Collection[str]) -> dict[str, Any]:
    """What parts that are under way, or wait, still ask for; and those of `there` that only others have asked for."""
    asked = of_case(session, catalogue, parts, is_open=True)
    known = {each["code"] for each in asked["documents"]}
    past = [
        each | {"required": False, "is_past": True}
        for each in merged_of(session, catalogue, parts)
        if each["code"] in set(there) - known
    ]
    return asked | {"documents": asked["documents"] + past}


def merged_of(session: Session, catalogue: Catalogue, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Of parts in the versions that they were filed with."""
    return merged(VERSIONS.get(session, catalogue, part.item, part.item_version) for part in parts)


def merged(items: Iterable[ServiceItem]) -> list[dict[str, Any]]:
    """One description a code, with the `items` that name it: what all of them take, and what any of them needs."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        is_open = bool(item.description.get("provisional_acceptance", {}).get("open"))
        for each in item.description.get("documents", ()):
            own = each | {
                "may_follow": is_open and bool(each.get("may_follow")),
                "items": [{"item": item.code, "item_name": item.name}],
            }
            found[each["code"]] = _both(found[each["code"]], own) if each["code"] in found else own
    return list(found.values())


def types_of(document: dict[str, Any]) -> list[str]:
    return list(document.get("accept", DEFAULT_TYPES))


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What is not required of one part holds nothing up there."""
    needed = [each for each in (one, other) if each["required"]]
    at_acceptance = all(each.get("needed") == attachments.ACCEPTANCE for each in needed or (one, other))
    return one | {
        "required": bool(needed),
        "source": "applicant" if "applicant" in (one["source"], other["source"]) else one["source"],
        "needed": attachments.ACCEPTANCE if at_acceptance else "filing",
        "may_follow": all(each["may_follow"] for each in needed),
        "accept": [kind for kind in types_of(one) if kind in types_of(other)],
        "files": min(each.get("files", attachments.MOST_OF_A_DOCUMENT) for each in (one, other)),
        "megabytes": min(each.get("megabytes", MAX_BYTES // 2**20) for each in (one, other)),
        "items": one["items"] + other["items"],
    }
