"""An escalation is told to whoever has the role, each once, and to operators where nobody has."""

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from contracts.envelope import Envelope
from contracts.events import CaseEscalated
from services.notify import queries, store
from services.notify.directory import DirectoryUnavailable
from services.notify.escalations import commands

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ESCALATED = CaseEscalated(
    "N-1", "elderly-card", "civil-affairs", "330100", "benefit", "wang", "2026-03-02", 1, "supervisor", "parks"
)


class Staff:
    """Who has a role in a department, as identity would say it; `is_away` while it says nothing."""

    def __init__(self):
        self.people = {}
        self.is_away = False

    def add(self, role, department=None):
        subject = str(uuid.uuid4())
        self.people.setdefault((role, department), []).append(subject)
        return subject

    def __call__(self, role, department, region):
        if self.is_away:
            raise DirectoryUnavailable("away")
        assert region == (ESCALATED.region if department else None)
        return self.people.get((role, department), [])


@pytest.fixture
def staff():
    return Staff()


@pytest.fixture
def told(notify_database):
    """What somebody's inbox says, and how many mails wait for them."""
    with notify_database.transaction() as session:
        session.execute(text("DELETE FROM escalations"))

    def told(subject):
        with notify_database.transaction() as session:
            page = queries.list_inbox(session, subject, None, 20)
            mails = session.execute(
                text("SELECT count(*) FROM deliveries WHERE recipient = :who AND channel = 'mail'"), {"who": subject}
            ).scalar_one()
        shown = queries.present_inbox(page, lambda _: {"en": "Elderly concession card"}, "https://hall.example")
        return [(each["event"], each["subject"]["en"]) for each in shown["items"]], mails

    return told


def escalate(database, event=ESCALATED, times=1):
    envelope = Envelope(str(uuid.uuid4()), 3, AT, "-", "system", event)
    for _ in range(times):
        with database.transaction() as session:
            commands.note(session, envelope)


def tell(database, staff, *, is_later=False):
    if is_later:
        with database.transaction() as session:
            session.execute(text("UPDATE escalations SET next_attempt_at = now()"))
    commands.tell_due(database, staff, 60)


def waiting(database):
    with database.transaction() as session:
        return session.execute(text("SELECT count(*) FROM escalations")).scalar_one()


def test_each_supervisor_of_the_department_that_has_the_case_is_told_once_whatever_the_replicas_do(
    notify_database, staff, told
):
    here = [staff.add("supervisor", "parks") for _ in range(2)]
    elsewhere = [staff.add("supervisor", "civil-affairs"), staff.add("operator")]
    for _ in range(5):
        escalate(notify_database, times=2)
    start = threading.Barrier(3)

    def turn(_):
        start.wait()
        tell(notify_database, staff)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(turn, range(3)))
    message = ("case.escalated", "Overdue, and now yours to look after: Elderly concession card (N-1)")
    for subject in here:
        messages, mails = told(subject)
        assert (Counter(messages), mails) == ({message: 5}, 5)
    assert [told(subject) for subject in elsewhere] == [([], 0), ([], 0)]
    assert waiting(notify_database) == 0


def test_what_comes_again_after_it_was_told_is_told_to_nobody_a_second_time(notify_database, staff, told):
    subject = staff.add("supervisor", "parks")
    escalate(notify_database)
    with notify_database.transaction() as session:
        [again] = [dict(row) for row in session.execute(text("SELECT * FROM escalations")).mappings()]
    tell(notify_database, staff)
    with notify_database.transaction() as session:
        store.tell(session, store.Notice(str(again["event_id"]), "case.escalated", subject, AT), store.CHANNELS)
    messages, mails = told(subject)
    assert (len(messages), mails) == (1, 1)


def test_a_department_without_a_supervisor_is_told_of_to_operators_who_hear_which(notify_database, staff, told):
    operator = staff.add("operator")
    escalate(notify_database)
    tell(notify_database, staff)
    [(event, subject)], mails = told(operator)
    assert (event, mails) == ("case.escalated-unattended", 1)
    assert "nobody in parks" in subject


def test_the_operators_level_is_theirs_wherever_the_case_is(notify_database, staff, told):
    operator = staff.add("operator")
    staff.add("supervisor", "parks")
    escalate(notify_database, replace(ESCALATED, level=2, role="operator"))
    # of a version that did not say who has the case in hand
    escalate(notify_database, replace(ESCALATED, level=2, role="operator", handler="-"))
    tell(notify_database, staff)
    messages, mails = told(operator)
    assert ([event for event, _ in messages], mails) == (["case.escalated-further"] * 2, 2)


def test_while_it_cannot_be_asked_or_nobody_is_there_nothing_is_lost(notify_database, staff, told):
    escalate(notify_database)
    staff.is_away = True
    tell(notify_database, staff)
    staff.is_away = False
    tell(notify_database, staff)
    assert waiting(notify_database) == 1, "it waits a little"
    tell(notify_database, staff, is_later=True)
    assert waiting(notify_database) == 1, "nobody is there"
    subject = staff.add("supervisor", "parks")
    tell(notify_database, staff, is_later=True)
    assert len(told(subject)[0]) == 1
