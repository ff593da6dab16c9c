"""Figures of a department's cases: what happened is counted once, and open cases as they stand."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted
from services.cases import commands
from services.cases import store as case_store
from services.cases.catalogue.files import shipped
from services.cases.statistics import queries, store
from tests.seals import RESULTS

CATALOGUE = shipped()
NOW = datetime.now(UTC).replace(microsecond=0)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OPERATOR = Actor(subject="olga", client="web", roles=("operator",))


class Office:
    """A department of its own in a transaction that is undone, with its cases and their events as published."""

    def __init__(self, session):
        self.session = session
        self.name = f"figures-{uuid.uuid4().hex[:8]}"
        self.officer = Actor(subject="dan", client="web", roles=("officer",), department=self.name)
        self.citizen = Actor(subject=str(uuid.uuid4()), client="app", channel="app")
        self.item = "elderly-card"
        start = session.execute(text("SELECT coalesce(max(position), 0) + 1000000 FROM outbox")).scalar_one()
        session.execute(text("UPDATE case_figures_counted SET position = :start"), {"start": start})
        self.position = start

    def file(self, at=NOW):
        form = CATALOGUE.get(self.item).description["example"]
        filing = commands.prepare_filing(CATALOGUE, self.citizen, self.item, form, None)
        filing = replace(filing, department=self.name)
        return commands.submit_case(self.session, CATALOGUE, filing, at)["number"]

    def act(self, number, action, at=NOW, note=None):
        asked = {"note": note, "form": None, "result_seal": RESULTS}
        commands.act_on_case(self.session, CATALOGUE, self.handler(number), number, action, now=at, **asked)

    def handler(self, number):
        """An officer of whichever department the item's steps have it with."""
        return replace(self.officer, department=case_store.load_case(self.session, number).handled_by)

    def publish(self, at=None):
        """As the relay does: positions in the order of ids; at a time of its own, if it is said."""
        rows = self.session.execute(
            text("SELECT id FROM outbox WHERE position IS NULL AND routing_key LIKE '%.' || :d || '.%' ORDER BY id"),
            {"d": self.name},
        ).scalars()
        for row in list(rows):
            self.position += 1
            self.session.execute(
                text("UPDATE outbox SET position = :position, created_at = coalesce(:at, created_at) WHERE id = :id"),
                {"position": self.position, "id": row, "at": at},
            )

    def count(self):
        while store.count_batch(self.session):
            pass

    def figures(self, actor=None, **asked):
        return queries.get_statistics(self.session, CATALOGUE, actor or self.officer, NOW, **asked)


@pytest.fixture
def office(cases_database):
    with cases_database.transaction() as session:
        yield Office(session)
        session.rollback()


def test_what_happened_is_counted_by_month_item_and_channel(office):
    for _ in range(3):
        office.file()
    decided = office.file(NOW - timedelta(days=4))
    office.act(decided, "accept")
    office.act(decided, "approve")
    office.publish()
    office.count()
    office.session.execute(text("UPDATE cases SET handler = NULL WHERE department = :d"), {"d": office.name})
    figures = office.figures()
    assert figures["total"]["filed"] == 4
    assert figures["total"]["approved"] == figures["total"]["decided"] == 1
    assert (figures["total"]["median_days"], figures["total"]["within_promised"]) == (4, 1)
    assert len(figures["months"]) == 12
    assert figures["months"][-1]["filed"] == 4
    assert [(each["channel"], each["filed"]) for each in figures["channels"]] == [("app", 4)]
    assert [(each["item"], each["filed"]) for each in figures["items"]] == [("elderly-card", 4)]
    assert figures["now"]["open"] == figures["now"]["status"]["submitted"] == 3


def test_nothing_is_counted_twice_or_before_it_is_published(office):
    office.file()
    office.count()
    assert office.figures()["total"]["filed"] == 0
    office.publish()
    for _ in range(3):
        office.count()
    assert office.figures()["total"]["filed"] == 1


def test_small_batches_count_the_same(office, monkeypatch):
    monkeypatch.setattr(store, "A_BATCH", 2)
    for _ in range(5):
        office.act(office.file(), "accept")
    office.publish()
    office.count()
    assert office.figures()["total"]["filed"] == 5


def test_a_limit_that_passed_before_the_decision_counts_against_it_and_a_reopened_case_begins_anew(office):
    number = office.file(NOW - timedelta(days=30))
    office.act(number, "accept", NOW - timedelta(days=29))
    case = case_store.load_case(office.session, number)
    for sequence, limit in ((case.sequence + 1, "promised"), (case.sequence + 2, "statutory")):
        office.session.execute(
            text(
                "INSERT INTO case_history (number, sequence, at, event, channel, actor, actor_subject, details)"
                " VALUES (:n, :s, :at, 'case.overdue', 'web', 'system', 'system',"
                " jsonb_build_object('limit', CAST(:l AS text)))"
            ),
            {"n": number, "s": sequence, "at": NOW, "l": limit},
        )
    office.session.execute(text("UPDATE cases SET sequence = sequence + 2 WHERE number = :n"), {"n": number})
    office.act(number, "refuse", note="no")
    office.publish()
    office.count()
    first = office.figures()["total"]
    assert (first["within_promised"], first["within_statutory"], first["median_days"]) == (0, 0, 30)
    reopening = case_store.load_case(office.session, number)
    commands.act_on_case(
        office.session,
        CATALOGUE,
        office.handler(number),
        number,
        "reopen",
        note="after a review",
        form=None,
        result_seal=RESULTS,
        now=NOW,
        versions=[reopening.sequence],
    )
    office.act(number, "approve", NOW)
    office.publish()
    office.count()
    second = office.figures()["total"]
    assert (second["decided"], second["within_promised"], second["median_days"]) == (2, 0.5, 0)
    assert second["reopened"] == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "2026"},
        {"since": "2026-13"},
        {"until": "x"},
        {"since": "2026-02", "until": "2026-01"},
        {"since": "1900-01"},
        {"until": "0000-01"},
        {"department": 5},
    ],
)
def test_a_period_that_is_none_is_named(office, asked):
    with pytest.raises(InvalidInput):
        office.figures(**asked)


def test_figures_are_the_departments_own_and_operators_see_all(office):
    office.file()
    office.publish()
    office.count()
    program = Actor(subject="p", client="p", department=office.name, scopes=("cases",))
    assert office.figures(program)["total"]["filed"] == 1
    assert office.figures(OPERATOR, department=office.name)["total"]["filed"] == 1
    assert office.figures(OPERATOR)["total"]["filed"] >= 1
    assert office.figures(OPERATOR)["department"] is None
    others = [CLERK, office.citizen, replace(office.officer, act="b"), replace(program, scopes=())]
    for actor in others:
        with pytest.raises(NotPermitted):
            office.figures(actor)
    with pytest.raises(NotPermitted):
        office.figures(department="market-regulation")


def ask(office, paper, asked_at, *, answered=None, **columns):
    """One request of a source, `answered` so many hours after it was asked."""
    status = "used" if answered is not None else "asked"
    values = {"id": str(uuid.uuid4()), "number": office.file(), "paper": paper, "source": office.name, "at": asked_at}
    values |= {"status": status, "late": False, "origin": None, **columns}
    values["answered"] = None if answered is None else asked_at + timedelta(hours=answered)
    office.session.execute(
        text(
            "INSERT INTO evidence (id, number, document, paper, source_kind, source, applicant, item, status, sequence,"
            " asks, asked_at, due_at, answered_at, origin, was_late) VALUES (CAST(:id AS uuid), :number, :paper,"
            " :paper, 'department', :source, 'alice', 'elderly-card', :status, 1, 1, :at, :at, :answered, :origin,"
            " :late)"
        ),
        values,
    )


def test_a_source_reads_how_it_answers_evidence(office):
    day = datetime(2026, 3, 10, 2, tzinfo=UTC)
    for hours in (1, 2, 30):
        ask(office, "household", day, answered=hours)
    ask(office, "household", day, answered=100, late=True)
    ask(office, "marriage", day, status="overdue", late=True)
    ask(office, "marriage", day)
    ask(office, "marriage", day, status="wanted")
    # nobody was asked; and of other months: midnight is China's
    ask(office, "marriage", day, answered=1, origin="certificate")
    ask(office, "marriage", datetime(2026, 2, 28, 15, 59, tzinfo=UTC), answered=1)
    ask(office, "marriage", datetime(2026, 3, 31, 16, 0, tzinfo=UTC), answered=1)
    found = office.figures(since="2026-03", until="2026-03")["evidence"]
    papers = {row.pop("paper"): row for row in found.pop("papers")}
    assert found == {
        "asked": 7, "in_time": 3, "late": 2, "unanswered": 1, "waiting": 1, "median_seconds": 2 * 3600
    }  # fmt: skip
    assert (papers["household"]["late"], papers["household"]["unanswered"]) == (1, 0)
    assert (papers["marriage"]["asked"], papers["marriage"]["median_seconds"]) == (3, None)
    assert papers["marriage"]["source"] == office.name
    nothing = office.figures(item="residence-permit")["evidence"]
    assert (nothing["asked"], nothing["papers"], nothing["median_seconds"]) == (0, [], None)
    assert office.figures(OPERATOR, since="2026-03", until="2026-03")["evidence"]["asked"] >= 7
