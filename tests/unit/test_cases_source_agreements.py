"""Who outside government may say what: agreements in force, their fields, and the scope of their clients."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.actors import Actor
from contracts.errors import InvalidInput
from services.cases.evidence import answering
from services.cases.registries.agreements import (
    SCOPE,
    Agreement,
    Known,
    Terms,
    allowing,
    require_terms,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = Terms({"birth": ("name", "date")}, ("registration",), NOW - DAY, NOW + DAY)
AGREEMENT = Agreement("1", "hospital", "R 1", TERMS)
KNOWN = Known({"birth": {"name", "date", "weight"}}, {"registration"}, {"civil-affairs"})
PROGRAM = Actor(subject="p", client="p", organisation="hospital", scopes=(SCOPE,))


def test_it_allows_its_kind_for_its_item_and_shows_its_fields_only() -> None:
    allowed = allowing([AGREEMENT], "birth", "registration", NOW)
    assert allowed is not None
    assert allowed.narrow({"name": "a", "weight": "3 kg", "date": "b"}) == {"name": "a", "date": "b"}


@pytest.mark.parametrize(
    ("agreement", "kind", "item", "now"),
    [
        (AGREEMENT, "death", "registration", NOW),
        (AGREEMENT, "birth", "pension", NOW),
        (AGREEMENT, "birth", "registration", NOW - 2 * DAY),
        (AGREEMENT, "birth", "registration", NOW + DAY),
        (replace(AGREEMENT, ended_at=NOW - DAY), "birth", "registration", NOW),
    ],
)
def test_nothing_else_is_allowed(agreement: Agreement, kind: str, item: str, now: datetime) -> None:
    assert allowing([agreement], kind, item, now) is None


def test_the_one_that_holds_longest_counts() -> None:
    longer = Agreement("2", "hospital", "R 2", Terms({"birth": None}, ("*",), NOW, NOW + 5 * DAY))
    allowed = allowing([AGREEMENT, longer], "birth", "registration", NOW)
    assert allowed is not None
    assert (allowed.agreement, allowed.fields) == ("2", None)


@pytest.mark.parametrize(
    ("source", "reference", "terms", "pointer"),
    [
        ("civil-affairs", "R", TERMS, "/source"),
        ("Hospital.", "R", TERMS, "/source"),
        ("hospital", "", TERMS, "/reference"),
        ("hospital", "R", replace(TERMS, documents={}), "/document"),
        ("hospital", "R", replace(TERMS, documents={"unknown": None}), "/document"),
        ("hospital", "R", replace(TERMS, documents={"birth": ("blood",)}), "/document/birth"),
        ("hospital", "R", replace(TERMS, items=()), "/item"),
        ("hospital", "R", replace(TERMS, items=("unknown",)), "/item"),
        ("hospital", "R", replace(TERMS, ends_at=NOW), "/until"),
        ("hospital", "R", replace(TERMS, starts_at=NOW + 2 * DAY), "/until"),
    ],
)
def test_terms_name_what_there_is(source: str, reference: str, terms: Terms, pointer: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        require_terms(source, reference, terms, KNOWN, NOW)
    assert [fault["pointer"] for fault in raised.value.faults] == [pointer]


def test_right_terms_pass() -> None:
    require_terms("hospital", "R", TERMS, KNOWN, NOW)


@pytest.mark.parametrize(
    "actor",
    [
        replace(PROGRAM, scopes=("events", "cases")),
        replace(PROGRAM, organisation=None),
        replace(PROGRAM, organisation=None, department="civil-affairs"),
        replace(PROGRAM, act="somebody"),
    ],
)
def test_only_its_own_client_with_the_scope_answers(actor: Actor) -> None:
    assert answering.source_of(actor) != ("organisation", "hospital")
    assert answering.source_of(PROGRAM) == ("organisation", "hospital")
