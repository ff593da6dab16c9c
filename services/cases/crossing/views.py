"""The paper trail, as everybody who may see the case reads it: taken from its history, which keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from services.cases.crossing.places import Places
from services.cases.work.case import Case

FILED: Final = "case.submitted"
APPLICANT: Final = "applicant"
TRAIL: Final = ("case.passed-on", "case.papers-received", "case.papers-returned", "case.transferred")


def crossing_view(case: Case, history: Sequence[dict[str, Any]], places: Places) -> dict[str, Any] | None:
    """`None` of a case that was filed where it is decided and was never passed on.

    `papers`: `at-hall`, `under-way`, `received`, `returned`. `trail` has one entry a hand: who gave what to whom;
    `checks` are how it was seen at the counter who the applicant is (`contracts.actors.CHECKS`).
    """
    trail = [entry for entry in history if entry["event"] in TRAIL]
    if case.papers is None and not trail:
        return None
    if case.filed_hall:
        # the first hand: the applicant, seen to be who they are, gives the papers to the hall
        trail = [entry for entry in history if entry["event"] == FILED] + trail
    return {
        "filed_hall": _place(case.filed_hall, places) if case.filed_hall else None,
        "department": case.department,
        "region": case.region,
        "region_name": places.name_of(case.region),
        "papers": case.papers,
        "trail": [_entry(entry, places) for entry in trail],
    }


def offices_view(case: Case, places: Places) -> list[dict[str, Any]]:
    """Where a case that was wrongly filed may be transferred to."""
    return [
        {"department": each.department, "region": each.region, "region_name": places.name_of(each.region)}
        for each in places.offices
        if (each.department, each.region) != (case.department, case.region)
    ]


def _entry(entry: dict[str, Any], places: Places) -> dict[str, Any]:
    details = entry.get("details") or {}
    return {
        "at": entry["at"],
        "event": entry["event"],
        "actor": entry["actor"],
        "hall": entry.get("hall"),
        "giver": _place(details.get("giver", APPLICANT if entry["event"] == FILED else "-"), places),
        "taker": _place(details.get("taker", entry.get("hall") or "-"), places),
        "region_name": places.name_of(details["region"]) if "region" in details else None,
        "papers": details.get("papers", []),
        "checks": details.get("checks", []),
        "note": entry["note"],
    }


def _place(code: str, places: Places) -> dict[str, Any]:
    """A hall with its name, or a department, whose name the reader knows by its code."""
    hall = places.halls.get(code)
    return {"code": code, "name": hall.name if hall else None}
