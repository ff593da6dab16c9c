"""Which roles go together, and what is left when somebody goes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.actors import Actor
from contracts.errors import NotPermitted
from services.identity.access_log.domain import FIRST, Entry, Look
from services.identity.staff.domain import Post, require_auditor, require_operator, staff_faults

CIVIL, MARKET = "civil-affairs", "market-regulation"


@pytest.mark.parametrize(
    ("roles", "department", "hall"),
    [
        ((), None, None),
        (("clerk",), None, None),
        (("clerk",), None, "civic-centre"),
        (("officer",), CIVIL, None),
        (("clerk", "officer"), CIVIL, "civic-centre"),
        (("officer", "supervisor"), CIVIL, None),
        (("operator",), None, None),
        (("auditor",), None, None),
    ],
)
def test_posts_that_there_are(roles, department, hall):
    assert staff_faults(roles, department, hall) == []


@pytest.mark.parametrize(
    ("roles", "department", "hall", "place", "rule"),
    [
        (("auditor", "clerk"), None, None, "/roles", "alone"),
        (("officer", "auditor"), CIVIL, None, "/roles", "alone"),
        (("auditor", "operator"), None, None, "/roles", "alone"),
        (("operator", "officer"), CIVIL, None, "/roles", "alone"),
        (("operator", "clerk"), None, None, "/roles", "alone"),
        (("king",), None, None, "/roles", "enum"),
        (("supervisor",), CIVIL, None, "/roles", "needsRole"),
        (("supervisor", "clerk"), CIVIL, None, "/roles", "needsRole"),
        (("officer",), None, None, "/department", "required"),
        ((), CIVIL, None, "/department", "needsRole"),
        (("auditor",), CIVIL, None, "/department", "needsRole"),
        (("auditor",), None, "civic-centre", "/hall", "needsRole"),
        (("clerk",), None, "a hall", "/hall", "format"),
        (("officer",), "*", None, "/department", "format"),
    ],
)
def test_posts_that_there_are_not(roles, department, hall, place, rule):
    assert (place, rule) in {(fault["pointer"], fault["rule"]) for fault in staff_faults(roles, department, hall)}


def test_who_goes_to_another_department_takes_nothing_along():
    before = Post(("clerk", "officer"), CIVIL, "civic-centre")
    after = before.granted(["officer"], MARKET, None)
    assert after == Post(("officer",), MARKET, None)
    assert after.has_left(before)


def test_who_supervises_is_an_officer_first_and_ends_with_that():
    post = Post().granted(["supervisor", "officer"], CIVIL, None)
    assert post == Post(("officer", "supervisor"), CIVIL)
    assert post.revoked(["supervisor"]) == Post(("officer",), CIVIL)
    assert post.revoked(["officer"]) == Post()


def test_another_role_or_hall_is_no_leaving():
    before = Post(("clerk",), None, "civic-centre")
    for after in (before.granted(["officer"], CIVIL, None), before.granted([], None, "harbour")):
        assert set(before.roles) <= set(after.roles)
        assert not after.has_left(before)


def test_with_the_last_role_everything_is_gone():
    before = Post(("clerk", "officer"), CIVIL, "civic-centre")
    assert before.revoked(["clerk"]) == Post(("officer",), CIVIL, "civic-centre"), "an officer works for a region"
    assert staff_faults(("officer",), CIVIL, "civic-centre") == []
    assert before.revoked(before.roles) == Post()
    assert before.revoked(before.roles).has_left(before)


@pytest.mark.parametrize("require", [require_operator, require_auditor])
@pytest.mark.parametrize(
    "actor",
    [
        Actor("", ""),
        Actor("a", "web"),
        Actor("a", "hall", "hall", roles=("clerk",)),
        Actor("a", "web", roles=("officer",), department=CIVIL),
        Actor("a", "web", roles=("operator", "auditor"), act="somebody"),
        Actor("program", "program", roles=("operator", "auditor")),
    ],
    ids=["nobody", "citizen", "clerk", "officer", "acting", "program"],
)
def test_managing_staff_and_auditing_are_for_those_alone(require, actor):
    with pytest.raises(NotPermitted):
        require(actor)


def test_an_entry_of_before_there_were_halls_keeps_its_hash():
    look = Look("account", "viewer", "web", "officer", CIVIL, "web", "case", None, "handling")
    entry = Entry("6d1a4e0a-6b0c-4b6f-8a55-1f5b8a0f6f3e", datetime(2026, 1, 2, tzinfo=UTC), look)
    assert not entry.canonical.keys() & {"hall", "detail"}
    assert FIRST.followed_by(entry).hash.hex() == "620fa68d45705c633a7190d2c3600617ad1c752f27c5c43c30b6c70a5942eae6"
