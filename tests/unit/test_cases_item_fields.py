"""What an item has to say, and what each part of it may say: nothing that pages or rules rely on is left to chance."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services.cases.catalogue import schema
from services.cases.catalogue.files import shipped

ITEM = shipped().get("birth-registration").description
SIGNPOST = {
    **{name: ITEM[name] for name in ("code", "version", "kind", "department", "region", "level", "audience")},
    "name": {"zh-Hans": "出生登记", "zh-Hant": "出生登記"},
    "online": False,
}
NEEDED_TO_FILE = (
    *("summary", "promised_days", "statutory_days", "day_unit", "fee", "legal_basis", "documents", "steps", "result"),
    *("channels", "questions", "cross_region", "provisional_acceptance", "commitment", "form", "layout", "example"),
)
NEEDED_TO_BE_FOUND = ("code", "version", "online", "name", "kind", "department", "region", "level", "audience")


def changed(description: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """A copy with the value at `a.0.b`."""
    new = copy.deepcopy(description)
    *way, last = [int(part) if part.isdecimal() else part for part in place.split(".")]
    at: Any = new
    for part in way:
        at = at[part]
    at[last] = value
    return new


def places_of(description: dict[str, Any]) -> list[str]:
    return [fault.place for fault in schema.faults_of(description)]


@pytest.mark.parametrize("name", [*NEEDED_TO_BE_FOUND, *NEEDED_TO_FILE])
def test_an_item_that_is_filed_here_says_everything(name: str) -> None:
    reasons = [fault.reason for fault in schema.faults_of({key: ITEM[key] for key in ITEM if key != name})]
    assert f"'{name}' is a required property" in reasons


@pytest.mark.parametrize("name", NEEDED_TO_BE_FOUND)
def test_a_signpost_says_who_offers_what(name: str) -> None:
    assert schema.faults_of(SIGNPOST) == []
    assert schema.faults_of({key: value for key, value in SIGNPOST.items() if key != name})


@pytest.mark.parametrize("part", ["form", "layout", "example"])
def test_nothing_is_filed_with_a_signpost(part: str) -> None:
    assert places_of(SIGNPOST | {part: ITEM[part]}) == ["$"]


def test_a_signpost_is_said_in_both_scripts() -> None:
    assert places_of(SIGNPOST | {"name": {"zh-Hans": "出生登记"}}) == ["$.name"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("code", "birth.registration"),
        ("version", 0),
        ("kind", "permit"),
        ("department", "Civil Affairs"),
        ("region", "5116"),
        ("region", "四川省"),
        ("level", "district"),
        ("audience", "everybody"),
        ("assurance", 4),
        ("promised_days", -1),
        ("statutory_days", 0),
        ("day_unit", "weeks"),
        ("fee.amount", "-1"),
        ("fee.amount", "ten"),
        ("fee", "free"),
        ("channels", []),
        ("channels.0", "fax"),
        ("documents.0.source", "neighbour"),
        ("documents.0.electronic", "yes"),
        ("documents.0.proofs", []),
        ("documents.1.accept.0", "exe"),
        ("documents.1.files", 31),
        ("documents.1.megabytes", 21),
        ("documents.1.needed", "later"),
        ("steps.1.role", "neighbour"),
        ("steps.1.days", -1),
        ("steps.1.actions", ["forget"]),
        ("steps.1.delegates", ["Somebody"]),
        ("result.form", "song"),
        ("result.valid_months", 0),
        ("result.delivery", ["pigeon"]),
        ("questions.0.answer", "yes"),
        ("cross_region.scope", "moon"),
        ("provisional_acceptance.days", 0),
        ("commitment.open", "yes"),
        ("parts", []),
    ],
)
def test_what_it_says_is_one_of_what_may_be_said(place: str, value: Any) -> None:
    assert schema.faults_of(ITEM) == []
    path = "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in place.split("."))
    assert any(found.startswith(f"${path}") for found in places_of(changed(ITEM, place, value)))


@pytest.mark.parametrize(
    ("place", "value", "said_at"),
    [
        # what belongs together
        ("provisional_acceptance", {"open": True}, "$.provisional_acceptance"),
        ("cross_region", {"scope": "regions"}, "$.cross_region"),
        ("cross_region", {"scope": "nation", "regions": ["510104"]}, "$.cross_region"),
        # fields of the form, and of the evidence, that there are
        ("result.fields", ["child_name", "weight"], "$.result.fields"),
        ("result.replaces_by", ["register_with"], "$.result.replaces_by"),
        ("documents.0.keys", {"certificate_number": "weight"}, "$.documents[0].keys"),
        ("documents.0.keys", {"weight": "child_name"}, "$.documents[0].keys.weight"),
        ("documents.0.compare", {"weight": "child_name"}, "$.documents[0].compare"),
        ("documents.0.compare", {"child_name": "weight"}, "$.documents[0].compare.weight"),
    ],
)
def test_what_belongs_together_is_there_together(place: str, value: Any, said_at: str) -> None:
    assert places_of(changed(ITEM, place, value)) == [said_at]


def test_a_name_that_nobody_knows_is_a_slip() -> None:
    assert places_of(ITEM | {"promised_day": 3}) == ["$"]
    assert places_of(changed(ITEM, "documents.0.requried", True)) == ["$.documents[0]"]
