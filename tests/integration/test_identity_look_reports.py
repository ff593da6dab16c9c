"""A citizen reports an entry of their log, an auditor answers it, and the citizen reads the answer."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from contracts import access
from contracts.actors import Actor
from contracts.errors import (
    ActionNotAllowed,
    InvalidInput,
    NotFound,
    NotPermitted,
    ServiceUnavailable,
    TooManyAttempts,
)
from services.identity.access_log import checks, retention, sealing, store
from services.identity.access_log import queries as log_queries
from services.identity.access_log.domain import Entry, Look
from services.identity.limits.domain import LOOK_REPORT
from services.identity.limits.guard import LimitKeys
from services.identity.look_reports import commands, queries
from services.identity.look_reports.domain import MOST_REASON, PURPOSE
from services.identity.persons import leaving
from services.identity.sealing import Seal
from services.identity.staff.domain import Hand
from tests.integration.identity_driver import COOKIE_KEY, PASSWORD

SEAL, LOG_SEAL, LIMITS = Seal(COOKIE_KEY, PURPOSE), Seal(COOKIE_KEY, sealing.PURPOSE), LimitKeys(COOKIE_KEY)
WITHIN = timedelta(days=15)
REASON = "I know nobody at this department. 张三 would not have asked."
ANSWER = "It was a clerk who read another number aloud; the look was of nobody else's doing."
AUDITOR = Actor("an-auditor", "web", roles=("auditor",))


@pytest.fixture
def citizen(driver):
    return Actor(driver.register().subject, "web")


@pytest.fixture
def entry(driver, citizen):
    """The id of a look at the citizen's data."""
    return look_at(driver, citizen.subject)


def look_at(driver, account, viewer="an-officer"):
    entry = str(uuid.uuid4())
    look = Look(account, viewer, "web", "officer", "civil-affairs", "web", access.CASE, "OH-1", access.HANDLING)
    with driver.database.transaction() as session:
        store.append(session, [Entry(entry, driver.now, look)])
    return entry


def report(driver, actor, entry, reason=REASON):
    with driver.database.transaction() as session:
        commands.report_look(session, SEAL, LIMITS, actor, entry, reason, driver.now, WITHIN)


def answer(driver, report_id, actor=AUDITOR, said=ANSWER):
    with driver.database.transaction() as session:
        commands.answer_report(session, SEAL, actor, report_id, said, driver.now)


def own_entry(driver, citizen, entry):
    with driver.database.transaction() as session:
        how = {"number": None, "cursor": None, "limit": 100, "now": driver.now}
        page = queries.add_reports(session, SEAL, log_queries.list_entries(session, citizen, None, **how))
    return next(each for each in page["items"] if each["id"] == entry)


def listed(driver, state="open", actor=AUDITOR):
    with driver.database.transaction() as session:
        return queries.list_reports(session, actor, state, None, 100, driver.now)["items"]


def report_of(driver, entry):
    with driver.database.transaction() as session:
        return str(session.execute(text("SELECT id FROM look_reports WHERE entry = :e"), {"e": entry}).scalar_one())


def events_of(driver, account):
    said = text("SELECT split_part(routing_key, '.-', 1) FROM outbox WHERE subject = :s ORDER BY sequence")
    with driver.database.transaction() as session:
        return [row[0] for row in session.execute(said, {"s": account})]


def test_a_report_is_answered_and_the_citizen_reads_it_and_is_told(driver, citizen, entry):
    report(driver, citizen, entry)
    waiting = own_entry(driver, citizen, entry)["report"]
    assert (waiting["state"], waiting["reason"], waiting["answer"]) == ("open", REASON, None)
    report_id = report_of(driver, entry)
    assert report_id in {each["id"] for each in listed(driver)}
    answer(driver, report_id)
    answered = own_entry(driver, citizen, entry)["report"]
    assert (answered["state"], answered["answer"]) == ("answered", ANSWER)
    assert events_of(driver, citizen.subject)[-2:] == ["account.look-reported", "account.look-answered"]
    assert report_id not in {each["id"] for each in listed(driver)}
    assert report_id in {each["id"] for each in listed(driver, "answered")}


def test_what_is_written_is_in_no_event_and_in_no_column_in_the_clear(driver, citizen, entry):
    report(driver, citizen, entry)
    answer(driver, report_of(driver, entry))
    with driver.database.transaction() as session:
        rows = session.execute(text("SELECT t::text FROM outbox t UNION ALL SELECT t::text FROM look_reports t"))
        assert not any("张三" in row or "read another number" in row for row in rows.scalars())


def test_an_auditor_who_reads_it_is_in_the_citizens_log(driver, citizen, entry):
    report(driver, citizen, entry)
    with driver.database.transaction() as session:
        shown = queries.get_report(session, SEAL, AUDITOR, report_of(driver, entry), driver.now)
    assert (shown["viewer"], shown["reason"], shown["may_answer"]) == ("an-officer", REASON, True)
    with driver.database.transaction() as session:
        rows = store.list_of(session, citizen.subject, None, None, 10)
    assert ("auditor", "access-log", "complaint") in {(row.role, row.what, row.purpose) for row in rows}


def test_an_entry_is_reported_once_and_stays_as_it_was_said(driver, citizen, entry):
    report(driver, citizen, entry)
    report(driver, citizen, entry, "Something else altogether.")
    assert own_entry(driver, citizen, entry)["report"]["reason"] == REASON
    assert events_of(driver, citizen.subject).count("account.look-reported") == 1


def test_a_report_is_answered_once(driver, citizen, entry):
    report(driver, citizen, entry)
    report_id = report_of(driver, entry)
    answer(driver, report_id)
    with pytest.raises(ActionNotAllowed):
        answer(driver, report_id, said="Another answer altogether.")
    assert own_entry(driver, citizen, entry)["report"]["answer"] == ANSWER


@pytest.mark.parametrize("reason", ["", "  short  ", "x" * (MOST_REASON + 1), "with a \x00 in it, and more"])
def test_what_says_too_little_or_too_much_changes_nothing(driver, citizen, entry, reason):
    with pytest.raises(InvalidInput):
        report(driver, citizen, entry, reason)
    assert own_entry(driver, citizen, entry)["report"] is None


@pytest.mark.parametrize("which", ["another's", "none", "no id"])
def test_nobody_reports_what_is_not_theirs(driver, citizen, entry, which):
    other = Actor(driver.register().subject, "web")
    named = {"another's": entry, "none": str(uuid.uuid4()), "no id": "x' --"}[which]
    with pytest.raises(NotFound):
        report(driver, other, named)


@pytest.mark.parametrize("more", [{"act": "somebody"}, {"client": None}], ids=["agent", "program"])
def test_a_person_reports_for_themselves_only(driver, citizen, entry, more):
    actor = Actor(citizen.subject, more.pop("client", "web") or citizen.subject, **more)
    with pytest.raises(NotPermitted):
        report(driver, actor, entry)


@pytest.mark.parametrize("role", ["clerk", "officer", "operator"])
def test_only_auditors_see_and_answer(driver, citizen, entry, role):
    report(driver, citizen, entry)
    other, report_id = Actor("somebody", "web", roles=(role,)), report_of(driver, entry)
    with pytest.raises(NotPermitted):
        listed(driver, actor=other)
    with pytest.raises(NotPermitted), driver.database.transaction() as session:
        queries.get_report(session, SEAL, other, report_id, driver.now)
    with pytest.raises(NotPermitted):
        answer(driver, report_id, other)


@pytest.mark.parametrize("which", ["own look", "own report"])
def test_nobody_answers_what_is_about_them(driver, citizen, which):
    auditor = Actor("an-auditor" if which == "own look" else citizen.subject, "web", roles=("auditor",))
    entry = look_at(driver, citizen.subject, viewer="an-auditor")
    report(driver, citizen, entry)
    with pytest.raises(NotPermitted):
        answer(driver, report_of(driver, entry), auditor)


def test_reports_are_limited_and_a_refused_one_is_none(driver, citizen):
    for _ in range(LOOK_REPORT.burst):
        report(driver, citizen, look_at(driver, citizen.subject))
    last = look_at(driver, citizen.subject)
    with pytest.raises(TooManyAttempts):
        report(driver, citizen, last)
    assert own_entry(driver, citizen, last)["report"] is None


def test_a_report_that_nobody_answers_is_late(driver, citizen, entry):
    report(driver, citizen, entry)
    report_id = report_of(driver, entry)
    assert not next(each for each in listed(driver) if each["id"] == report_id)["is_late"]
    driver.now += WITHIN + timedelta(seconds=1)
    assert next(each for each in listed(driver) if each["id"] == report_id)["is_late"]


def test_a_report_goes_with_its_entry(driver, citizen, entry):
    report(driver, citizen, entry)
    sealing.seal_new_entries(driver.database, LOG_SEAL)
    retention.prune(driver.database, LOG_SEAL, 3, driver.now.replace(year=driver.now.year + 5))
    with driver.database.transaction() as session:
        found = text("SELECT count(*) FROM look_reports WHERE entry = :e")
        assert session.execute(found, {"e": entry}).scalar_one() == 0


# What else auditors see


def test_an_auditor_sees_who_changed_whom(driver):
    member, operator = driver.register(), driver.register(roles=("operator",))
    look = Hand(operator.subject, "web", "web").look(
        member.subject, access.STAFF, role="operator", purpose=access.ADMINISTRATION, detail="disabled"
    )
    with driver.database.transaction() as session:
        store.append(session, [Entry(str(uuid.uuid4()), driver.now, look)])
        page = log_queries.list_staff_changes(session, AUDITOR, None, 100, driver.now)
    mine = [each for each in page["items"] if each["account"] == member.username]
    assert [(each["by"], each["detail"]) for each in mine] == [(operator.username, "disabled")]
    with pytest.raises(NotPermitted), driver.database.transaction() as session:
        log_queries.list_staff_changes(
            session, Actor(operator.subject, "web", roles=("operator",)), None, 5, driver.now
        )


def test_the_chain_is_walked_once_a_day_and_auditors_read_how_it_was_found(driver, entry):
    sealing.seal_new_entries(driver.database, LOG_SEAL)
    driver.after(days=2)
    found = checks.check_daily(driver.database, LOG_SEAL, driver.now)
    assert found is not None
    assert found.fault is None
    assert checks.check_daily(driver.database, LOG_SEAL, driver.now) is None
    with driver.database.transaction() as session:
        chain = checks.get_chain(session, LOG_SEAL)
    assert (chain["fault"], chain["end"]) == (None, str(found.end))
    assert (chain["checked"]["position"], chain["checked"]["fault"]) == (found.end.position, None)


def test_a_walk_that_did_not_come_to_its_end_is_begun_again_within_the_hour(driver, entry, monkeypatch):
    driver.after(days=5)
    with monkeypatch.context() as patch:
        patch.setattr(checks, "verify", _away)
        with pytest.raises(ServiceUnavailable):
            checks.check_daily(driver.database, LOG_SEAL, driver.now)
    assert checks.check_daily(driver.database, LOG_SEAL, driver.now) is None, "somebody may be at it"
    driver.after(hours=1)
    assert checks.check_daily(driver.database, LOG_SEAL, driver.now) is not None


def _away(*_):
    raise ServiceUnavailable


def test_what_was_reported_is_among_ones_own_data_and_goes_with_the_account(driver, citizen, entry):
    report(driver, citizen, entry)
    with driver.database.transaction() as session:
        [mine] = queries.list_own(session, SEAL, citizen.subject)
    assert (mine["entry"], mine["reason"], mine["answer"]) == (entry, REASON, None)
    leaving.close_account(driver.database, lambda call, *given: call(*given), citizen, PASSWORD, driver.now)
    with driver.database.transaction() as session:
        assert queries.list_own(session, SEAL, citizen.subject) == []
