"""Ratings over a real PostgreSQL: one a case whatever races, invitations, and the public figures."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import text

from chassis import schedule
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import CaseAlreadyRated, CaseNotClosed, InvalidInput, NotFound, NotPermitted
from contracts.events import CaseClosed
from services.rating import commands, queries

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
WEEK = timedelta(days=7)
SERIAL = count(1)


@pytest.fixture
def citizen():
    return Actor(subject=str(uuid.uuid4()), client="kiosk", channel="kiosk")


@pytest.fixture
def case(citizen):
    return create_case(citizen)


def create_case(citizen, **fields):
    return {
        "number": f"case-{next(SERIAL)}-{uuid.uuid4()}",
        "item": "elderly-card",
        "department": "civil-affairs",
        "region": "511602",
        "kind": "public-service",
        "applicant": citizen.subject,
        "status": "closed",
        "decision": "approved",
    } | fields


@pytest.fixture
def rate(rating_database):
    def rate_case(actor, case, score=5, comment=None):
        with rating_database.transaction() as session:
            return commands.rate_case(session, actor, case, score, comment, NOW)

    return rate_case


@pytest.fixture
def close(rating_database):
    def handle_case_closed(case):
        fields = {name: case[name] for name in ("number", "item", "department", "region", "kind", "applicant")}
        closed = CaseClosed(**fields, decision="approved")
        envelope = Envelope(id="e", sequence=4, time=NOW, channel="web", actor="officer", data=closed)
        with rating_database.transaction() as session:
            commands.invite_to_rate(session, envelope, NOW, WEEK)

    return handle_case_closed


@pytest.fixture
def events(rating_database):
    def get_events(case):
        with rating_database.transaction() as session:
            rows = session.execute(
                text("SELECT body FROM outbox WHERE subject = :number ORDER BY id"), {"number": case["number"]}
            )
            return [Envelope.from_json(body) for (body,) in rows]

    return get_events


@pytest.fixture
def read(rating_database):
    def get_rating(actor, number):
        with rating_database.transaction() as session:
            return queries.get_rating(session, actor, number)

    return get_rating


@pytest.fixture
def statistics(rating_database):
    def get_statistics(item=None, department=None):
        with rating_database.transaction() as session:
            return queries.get_statistics(session, item, department)["items"]

    return get_statistics


def facts_of(events):
    return [(event.sequence, event.type, event.channel, event.actor) for event in events]


def test_a_closed_case_is_invited_and_rated(citizen, case, close, rate, events, read):
    close(case)
    with pytest.raises(NotFound):
        read(citizen, case["number"])
    rating = rate(citizen, case, 4, "  很好  ")
    assert rating == {"number": case["number"], "score": 4, "comment": "很好", "at": "2026-03-02T01:30:00Z"}
    assert read(citizen, case["number"]) == rating
    assert facts_of(events(case)) == [
        (1, "rating.invited", "web", "system"),
        (2, "rating.given", "kiosk", "citizen"),
    ]
    given = events(case)[-1]
    assert given.data.score == 4
    assert "很好" not in given.to_json()


def test_a_rating_may_come_before_its_invitation(citizen, case, close, rate, events):
    rate(citizen, case)
    close(case)
    assert facts_of(events(case)) == [(1, "rating.given", "kiosk", "citizen")]


def test_a_case_is_invited_once(case, close, events):
    close(case)
    close(case)
    assert facts_of(events(case)) == [(1, "rating.invited", "web", "system")]


@pytest.fixture
def wait(rating_database):
    def wait(time):
        """What the service does when it is that late."""
        schedule.run_due(rating_database, "rating", commands.REMINDER, commands.remind_to_rate, NOW + time)

    return wait


def test_who_has_not_rated_after_a_week_is_reminded_once(citizen, case, close, rate, events, wait):
    close(case)
    wait(WEEK - timedelta(seconds=1))
    assert facts_of(events(case)) == [(1, "rating.invited", "web", "system")]
    wait(WEEK)
    wait(2 * WEEK)
    rate(citizen, case)
    assert facts_of(events(case)) == [
        (1, "rating.invited", "web", "system"),
        (2, "rating.reminded", "web", "system"),
        (3, "rating.given", "kiosk", "citizen"),
    ]


def test_who_has_rated_is_not_reminded(citizen, close, rate, events, wait):
    rated, rated_before = create_case(citizen), create_case(citizen)
    close(rated)
    rate(citizen, rated)
    rate(citizen, rated_before)
    close(rated_before)
    wait(WEEK)
    assert "rating.reminded" not in {event.type for case in (rated, rated_before) for event in events(case)}


def test_a_reminder_races_with_a_rating(citizen, close, rate, events, wait):
    for _ in range(10):
        case = create_case(citizen)
        close(case)
        with ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(wait, WEEK), pool.submit(rate, citizen, case)]:
                each.result()
        sent = events(case)
        assert [event.sequence for event in sent] == list(range(1, len(sent) + 1))
        assert sent[-1].type == "rating.given"


@pytest.mark.parametrize("invited", [True, False])
def test_a_case_is_rated_once(citizen, case, close, rate, events, read, invited):
    if invited:
        close(case)
    rate(citizen, case, 2)
    with pytest.raises(CaseAlreadyRated) as refusal:
        rate(citizen, case, 5)
    assert refusal.value.args == (case["number"],)
    assert read(citizen, case["number"])["score"] == 2
    assert [event.type for event in events(case)].count("rating.given") == 1


@pytest.mark.parametrize("invited", [True, False])
def test_of_ratings_at_once_one_wins(citizen, case, close, rate, events, invited):
    if invited:
        close(case)
    start = threading.Barrier(5)

    def race(score):
        start.wait()
        try:
            return rate(citizen, case, score)["score"]
        except CaseAlreadyRated:
            return None

    with ThreadPoolExecutor(5) as pool:
        taken = [score for score in pool.map(race, [1, 2, 3, 4, 5]) if score]
    assert len(taken) == 1
    assert [event.data.score for event in events(case) if event.type == "rating.given"] == taken


def test_an_invitation_races_with_a_rating(citizen, close, rate, events):
    for _ in range(10):
        case = create_case(citizen)
        with ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(close, case), pool.submit(rate, citizen, case)]:
                each.result()
        sent = events(case)
        assert [event.sequence for event in sent] == list(range(1, len(sent) + 1))
        assert sent[-1].type == "rating.given"


def test_what_is_refused_leaves_nothing_behind(citizen, case, rate, events):
    stranger = Actor(subject="bob", client="web")
    with pytest.raises(NotFound):
        rate(stranger, case)
    with pytest.raises(CaseNotClosed):
        rate(citizen, case | {"status": "withdrawn"})
    for score, comment in [(0, None), (True, None), (5, "x" * 1001)]:
        with pytest.raises(InvalidInput):
            rate(citizen, case, score, comment)
    assert events(case) == []


def test_a_rating_is_read_by_whom_it_concerns(citizen, case, rate, read):
    rate(citizen, case, 1, "slow")
    officer = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
    assert read(officer, case["number"])["comment"] == "slow"
    for actor in (Actor(subject="bob", client="web"), Actor(subject="", client="")):
        with pytest.raises(NotFound):
            read(actor, case["number"])


@pytest.mark.parametrize("number", ["case-0", "a\0", "\ud800", None, ""], ids=repr)
def test_an_unknown_rating(citizen, read, number):
    with pytest.raises(NotFound):
        read(citizen, number)


def test_my_ratings_are_only_my_own(citizen, case, close, rate, rating_database):
    other = Actor(subject=str(uuid.uuid4()), client="web")
    theirs, unrated = create_case(other), create_case(citizen)
    rate(citizen, case, 4, "quick")
    rate(other, theirs)
    close(unrated)
    numbers = [each["number"] for each in (case, theirs, unrated)]
    with rating_database.transaction() as session:
        found = queries.list_own_ratings(session, citizen, [*numbers, "\0"])
        for actor in (Actor(subject="", client=""), replace(citizen, act="carol")):
            with pytest.raises(NotPermitted):
                queries.list_own_ratings(session, actor, numbers)
        with pytest.raises(InvalidInput):
            queries.list_own_ratings(session, citizen, numbers * 50)
    assert list(found) == [case["number"]]
    assert (found[case["number"]]["score"], found[case["number"]]["comment"]) == (4, "quick")


def test_statistics(citizen, close, rate, statistics):
    department = f"department-{uuid.uuid4()}"
    for item, score in [("card", 1), ("card", 5), ("card", 5), ("permit", 3)]:
        rate(citizen, create_case(citizen, item=item, department=department), score)
    close(create_case(citizen, department=department))
    card = {
        "item": "card",
        "department": department,
        "count": 3,
        "average": 3.67,
        "good_rate": 0.6667,
        "scores": {"1": 1, "2": 0, "3": 0, "4": 0, "5": 2},
    }
    permit = {
        "item": "permit",
        "department": department,
        "count": 1,
        "average": 3.0,
        "good_rate": 1.0,
        "scores": {"1": 0, "2": 0, "3": 1, "4": 0, "5": 0},
    }
    assert statistics(department=department) == [card, permit]
    assert statistics(item="permit", department=department) == [permit]
    assert card in statistics(item="card")
    assert card in statistics()
    assert statistics(department="nobody") == []
    assert statistics(item="a\0") == statistics(department="\ud800") == []


def test_statistics_are_read_from_the_index(rating_database):
    with rating_database.transaction() as session:
        # a table of ten rows is read in any way at all: leave the planner none but the one wanted of a large one
        for way in ("seqscan", "bitmapscan", "hashagg", "sort"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
        rows = session.execute(
            text(
                "EXPLAIN SELECT item, department, score, count(*) FROM ratings WHERE score IS NOT NULL"
                " GROUP BY department, item, score ORDER BY department, item, score"
            )
        )
        plan = "\n".join(row[0] for row in rows)
    assert "Index Only Scan using ratings_by_item" in plan
    assert "Sort" not in plan
