"""How evidence looks to its applicant, to who handles the case, and to its source: plain JSON, times in UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.cases.catalogue.model import Catalogue
from services.cases.catalogue.papers import shipped
from services.cases.evidence import domain
from services.cases.evidence.domain import Content, Evidence, Source
from services.cases.evidence.sources import form_of
from services.cases.registries.agreements import Allowed
from services.cases.registries.kinds import all_kinds
from services.cases.views import time_view


def source_view(source: Source, catalogue: Catalogue, name: Mapping[str, str], keys: Sequence[str]) -> dict[str, Any]:
    """Of a document that a form can ask consent for; `keys` are the fields of that form that its source is given."""
    return {
        "document": source.document,
        "name": dict(name),
        "paper": source.paper,
        "source_kind": source.kind,
        "source": source.code,
        "source_name": source_name(source.paper, catalogue),
        "keys": list(keys),
    }


def offered_view(source: Source, catalogue: Catalogue, may: list[str]) -> dict[str, Any]:
    """A document that could be fetched."""
    return {
        "id": None,
        "document": source.document,
        "paper": source.paper,
        "source_kind": source.kind,
        "source": source.code,
        "source_name": source_name(source.paper, catalogue),
        "status": domain.WANTED,
        "may": may,
        "consented_at": None,
        "asked_at": None,
        "due_at": None,
        "answered_at": None,
        "valid_until": None,
        "origin": None,
        "reason": None,
        "fields": {},
        "labels": {},
        "is_taken_back": False,
        "check": {"fields": [], "differs": False, "reason": None},
    }


def evidence_view(
    evidence: Evidence, content: Content, catalogue: Catalogue, may: list[str], *, is_shown: bool
) -> dict[str, Any]:
    """`may` is what the reader may do, `is_shown`: with what it says.

    `labels` are the fields' names and, for those of a choice, their values'.
    """
    return {
        "id": evidence.id,
        "document": evidence.document,
        "paper": evidence.paper,
        "source_kind": evidence.source_kind,
        "source": evidence.source,
        "source_name": source_name(evidence.paper, catalogue),
        "status": evidence.status,
        "may": may,
        "consented_at": _time(evidence.consented_at),
        "asked_at": _time(evidence.asked_at),
        "due_at": _time(evidence.due_at) if evidence.status in domain.WAITING else None,
        "answered_at": _time(evidence.answered_at),
        "valid_until": evidence.valid_until.isoformat() if evidence.valid_until else None,
        "origin": evidence.origin,
        "reason": content.reason if is_shown else None,
        "fields": dict(content.fields) if is_shown else {},
        "labels": _labels(evidence.paper, catalogue) if is_shown else {},
    }


def request_view(evidence: Evidence, catalogue: Catalogue) -> dict[str, Any]:
    """For its source, in its list."""
    return {
        "id": evidence.id,
        "number": evidence.number,
        "item": evidence.item,
        "item_name": catalogue.name_of(evidence.item),
        "paper": evidence.paper,
        "paper_name": paper_name(evidence.paper, catalogue),
        "status": evidence.status,
        "asked_at": _time(evidence.asked_at),
        "due_at": _time(evidence.due_at),
    }


def one_request_view(
    evidence: Evidence, catalogue: Catalogue, keys: Mapping[str, str], allowed: Allowed
) -> dict[str, Any]:
    """For its source, which looks at one: `keys` are what it is to be found by, `form` what an answer may say."""
    return request_view(evidence, catalogue) | {
        "keys": dict(keys),
        "labels": _labels(evidence.paper, catalogue),
        "form": form_of(evidence.paper, catalogue, allowed.fields),
    }


def own_view(evidence: Evidence, catalogue: Catalogue) -> dict[str, Any]:
    """For "my evidence and consents"."""
    more = {
        "number": evidence.number,
        "item": evidence.item,
        "item_name": catalogue.name_of(evidence.item),
        "paper_name": paper_name(evidence.paper, catalogue),
        "consented_until": _time(evidence.consented_until),
    }
    # the list is read from outside of the case: what else may be done is done there
    may = [domain.WITHDRAW] if evidence.may(domain.WITHDRAW) else []
    return evidence_view(evidence, Content(), catalogue, may, is_shown=False) | more


def source_name(paper: str, catalogue: Catalogue) -> dict[str, str] | None:
    """Who gives it, in the catalogue's languages; `None` for a department that is known by its code alone."""
    issuer = catalogue.issuer_of(paper)
    if issuer is not None:
        name: dict[str, str] | None = issuer.description.get("department_name")
        return name
    issued_by: dict[str, str] | None = shipped().get(paper, {}).get("issuer")
    return issued_by


def paper_name(paper: str, catalogue: Catalogue) -> dict[str, str]:
    issuer = catalogue.issuer_of(paper)
    if issuer is not None:
        return dict(issuer.description["result"]["name"])
    return dict(shipped().get(paper, {}).get("name", {"zh-Hans": paper}))


def _labels(paper: str, catalogue: Catalogue) -> dict[str, Any]:
    issuer = catalogue.issuer_of(paper)
    if issuer is None:
        kind = all_kinds().get(paper)
        fields = {} if kind is None else kind.fields
        return {name: {"title": each["x-title"], "values": each.get("x-labels", {})} for name, each in fields.items()}
    properties = issuer.description["form"]["properties"]
    return {
        name: {"title": properties[name]["x-title"], "values": properties[name].get("x-labels", {})}
        for name in issuer.description["result"].get("fields", ())
    }


def _time(at: Any) -> str | None:
    return time_view(at) if at else None
