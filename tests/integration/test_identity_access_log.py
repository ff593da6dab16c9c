"""The access log: what is noted, once; that nobody changes it; and that a change is found."""

import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from contracts import access
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import InvalidInput, NotPermitted
from contracts.events import DataViewed
from services.identity import queries as identity_queries
from services.identity.access_log import commands, cuts, queries, retention, sealing, store
from services.identity.access_log.domain import Cut, Entry, Link, Look, kept_since
from services.identity.sealing import Seal
from tests.integration.identity_driver import COOKIE_KEY

SEAL = Seal(COOKIE_KEY, sealing.PURPOSE)
OTHER_SEAL = Seal(COOKIE_KEY.replace("a", "b"), sealing.PURPOSE)
OFFICER = "an-officer"
NUMBER = "202611240000012"
SWAPPED = """
UPDATE access_log SET position = :last + 9 WHERE position = :last - 3;
UPDATE access_log SET position = :last - 3 WHERE position = :last - 2;
UPDATE access_log SET position = :last - 2 WHERE position = :last + 9
"""
ADDED = """
INSERT INTO access_log SELECT gen_random_uuid(), at, account, viewer, client, role, department, channel, what, number,
    purpose, :last + 1, hash FROM access_log WHERE position = :last
"""


def look_at(account, **changes):
    look = Look(account, OFFICER, "web", "officer", "civil-affairs", "web", access.CASE, NUMBER, access.HANDLING)
    return replace(look, **changes)


@pytest.fixture
def account(driver):
    return driver.register().subject


@pytest.fixture
def entries(driver, account):
    def list_entries(actor=None, subject=None, **more):
        asked = {"number": None, "cursor": None, "limit": None} | more
        with driver.database.transaction() as session:
            citizen = Actor(account, "web")
            return queries.list_entries(session, actor or citizen, subject, now=driver.now, **asked)

    return list_entries


class Within:
    """The database inside one transaction, which is undone: a chain that is tampered with is nobody else's."""

    def __init__(self, session):
        self.session = session

    @contextmanager
    def transaction(self):
        with self.session.begin_nested():
            yield self.session


@pytest.fixture
def chain(driver, account):
    """Five sealed entries behind whatever is there, and nothing that guards them."""
    with driver.database.transaction() as session:
        for minute in range(5):
            entry = Entry(str(uuid.uuid4()), driver.now + timedelta(minutes=minute), look_at(account))
            store.append(session, [entry])
        sealing.seal_new_entries(Within(session), SEAL)
        session.execute(text("ALTER TABLE access_log DISABLE TRIGGER USER"))
        session.execute(text("ALTER TABLE access_log_head DISABLE TRIGGER USER"))
        yield session
        session.rollback()


def verify(session, known=None, seal=SEAL):
    return sealing.verify(Within(session), seal, known)


def last_position(session):
    return session.execute(text("SELECT max(position) FROM access_log")).scalar_one()


# What is noted


def test_a_look_that_another_service_tells_of_is_one_entry_however_often_it_is_told(driver, account, entries):
    viewed = DataViewed(
        str(uuid.uuid4()), account, OFFICER, "web", "officer", "civil-affairs", access.CASE, NUMBER, access.HANDLING
    )
    envelope = Envelope(str(uuid.uuid4()), 1, driver.now, "web", "officer", viewed)
    for _ in range(2):
        with driver.database.transaction() as session:
            commands.take_over_look(session, envelope)
    [entry] = entries()["items"]
    told = {"role": "officer", "department": "civil-affairs", "channel": "web", "what": "case", "purpose": "handling"}
    assert {name: entry[name] for name in told} == told
    assert (entry["number"], entry["client"]) == (NUMBER, "政务服务网")
    assert "viewer" not in entry


def test_a_look_again_within_ten_minutes_is_the_same_look(driver, account, entries):
    for minutes in (0, 5, 6):
        driver.after(minutes=minutes)
        with driver.database.transaction() as session:
            commands.note_look(session, look_at(account), driver.now)
    assert len(entries()["items"]) == 2


def test_what_another_person_looks_at_is_another_look(driver, account, entries):
    looks = [look_at(account), look_at(account, viewer="another"), look_at(account, what=access.HISTORY)]
    with driver.database.transaction() as session:
        commands.note_looks(session, looks, driver.now)
    assert len(entries()["items"]) == 3


def test_a_look_that_is_undone_leaves_no_entry_and_may_be_noted_again(driver, account, entries):
    with driver.database.transaction() as session:
        commands.note_look(session, look_at(account), driver.now)
        session.rollback()
    assert entries()["items"] == []
    with driver.database.transaction() as session:
        commands.note_look(session, look_at(account), driver.now)
    assert len(entries()["items"]) == 1


def test_addresses_that_the_platform_asks_for_to_send_are_an_entry_a_day(driver, account, entries):
    notify = Actor("notify", "notify", scopes=("contacts",))
    for hours in (0, 1, 24):
        driver.after(hours=hours)
        with driver.database.transaction() as session:
            identity_queries.get_contacts(session, driver.vault, notify, [account, "unknown"], driver.now)
    assert [(entry["role"], entry["what"], entry["purpose"]) for entry in entries()["items"]] == [
        ("program", "contact", "delivery")
    ] * 2


def test_a_strangers_client_that_reads_the_profile_is_an_entry_and_the_platforms_own_is_none(signed_in):
    for client in ("rp-test", "web", "rp-test"):
        assert signed_in.userinfo(signed_in.tokens(client)["access_token"]).status == 200
    with signed_in.database.transaction() as session:
        [row] = store.list_of(session, signed_in.account.subject, None, None, 10)
    assert (row.viewer, row.role, row.what, row.client_name) == (
        "rp-test",
        "client",
        "profile",
        "Relying party of the tests",
    )


# Who reads it


def test_the_log_is_read_page_by_page_and_by_case(driver, account, entries):
    with driver.database.transaction() as session:
        for minute in range(5):
            commands.note_act(session, look_at(account), driver.now + timedelta(minutes=minute))
        commands.note_act(session, look_at(account, number="202611240000020"), driver.now)
    seen, cursor = [], None
    while True:
        page = entries(limit=2, cursor=cursor)
        seen += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert len({entry["id"] for entry in seen}) == 6
    assert [entry["at"] for entry in seen] == sorted((entry["at"] for entry in seen), reverse=True)
    assert len(entries(number="202611240000020")["items"]) == 1


@pytest.mark.parametrize("cursor", ["", "x", "W10=", "WzEsMl0=", "ü", "W" * 200])
def test_a_cursor_that_is_not_ours_is_refused(entries, cursor):
    with pytest.raises(InvalidInput):
        entries(cursor=cursor)


def test_an_auditor_reads_anybodys_and_that_is_an_entry_too(driver, account, entries):
    auditor = Actor("an-auditor", "web", roles=("auditor",))
    with driver.database.transaction() as session:
        commands.note_act(session, look_at(account), driver.now)
    assert OFFICER in {entry["viewer"] for entry in entries(auditor, account)["items"]}
    mine = entries()["items"]
    assert ("auditor", "access-log", "audit") in {(entry["role"], entry["what"], entry["purpose"]) for entry in mine}


@pytest.mark.parametrize(
    "actor",
    [
        Actor("", ""),
        Actor("another", "web"),
        Actor("an-officer", "web", roles=("officer",), department="civil-affairs"),
        Actor("an-operator", "web", roles=("operator",)),
        Actor("dept", "dept", scopes=("cases",), roles=("auditor",)),
    ],
    ids=["nobody", "citizen", "officer", "operator", "program"],
)
def test_nobody_else_reads_anothers_log(entries, account, actor):
    with pytest.raises(NotPermitted):
        entries(actor, account)


# That it stays


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE access_log SET viewer = 'nobody'",
        "UPDATE access_log SET hash = NULL, position = NULL",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
        "DELETE FROM access_log_head",
        "TRUNCATE access_log_head",
    ],
)
def test_the_database_refuses_to_change_the_log(driver, account, change):
    with driver.database.transaction() as session:
        commands.note_act(session, look_at(account), driver.now)
    sealing.seal_new_entries(driver.database, SEAL)
    with pytest.raises(IntegrityError), driver.database.transaction() as session:
        session.execute(text(change))


def test_a_whole_chain_is_said_to_be_whole_and_its_end_is_known_again(chain):
    report = verify(chain)
    assert (report.fault, report.unsealed, report.end.position) == (None, 0, last_position(chain))
    assert verify(chain, Link.parse(str(report.end))).fault is None


def test_many_batches_are_one_chain(driver, account, monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 3)
    with driver.database.transaction() as session:
        for _ in range(8):
            commands.note_act(session, look_at(account), driver.now)
        assert sealing.seal_new_entries(Within(session), SEAL) >= 8
        assert (verify(session).fault, verify(session).end.position) == (None, last_position(session))
        session.rollback()


def test_two_that_seal_at_once_make_one_chain(driver, account):
    with driver.database.transaction() as session:
        commands.note_act(session, look_at(account), driver.now)
    with driver.database.transaction() as one:
        assert store.try_lock(one)
        assert sealing.seal_new_entries(driver.database, SEAL) == 0
    assert sealing.seal_new_entries(driver.database, SEAL) >= 1
    assert sealing.verify(driver.database, SEAL).fault is None


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("UPDATE access_log SET viewer = 'nobody' WHERE position = :last - 3", "entry {third} was altered"),
        ("UPDATE access_log SET at = at - interval '1 day' WHERE position = :last - 3", "entry {third} was altered"),
        ("DELETE FROM access_log WHERE position = :last - 3", "entry {third} is missing"),
        (SWAPPED, "entry {third} was altered"),
        ("DELETE FROM access_log WHERE position = :last", "entries {last} to {last} are missing at the end"),
        ("DELETE FROM access_log WHERE position > :last - 4", "entries {third} to {last} are missing at the end"),
        (ADDED, "entry {next} stands behind the sealed end"),
        ("DELETE FROM access_log_head", "the sealed end is missing"),
        ("UPDATE access_log_head SET sealed = substr(sealed, 1, 20) || '\\x00'::bytea || substr(sealed, 22)", "open"),
    ],
    ids=["altered", "redated", "removed", "swapped", "last", "tail", "added", "end-removed", "end-altered"],
)
def test_the_first_place_where_the_chain_was_changed_is_named(chain, change, place):
    last = last_position(chain)
    for statement in change.split(";"):
        chain.execute(text(statement), {"last": last} if ":last" in statement else {})
    fault = verify(chain).fault
    assert fault is not None
    assert place.format(third=last - 3, last=last, next=last + 1) in fault


def test_a_chain_that_was_made_anew_without_the_key_does_not_end_well(chain):
    last = last_position(chain)
    chain.execute(text("UPDATE access_log SET viewer = 'nobody' WHERE position = :last"), {"last": last})
    (stored, entry), before = store.load_sealed(chain, last - 1, 1)[0], store.load_sealed(chain, last - 2, 1)[0][0]
    forged = before.followed_by(entry)
    assert forged.hash != stored.hash
    chain.execute(
        text("UPDATE access_log SET hash = :hash WHERE position = :last"), {"last": last, "hash": forged.hash}
    )
    assert verify(chain).fault == f"entry {last} is not the one that was sealed as the end"


def test_a_log_that_was_set_back_as_a_whole_is_found_by_an_end_that_was_kept(chain, driver, account):
    older, sealed = last_position(chain), store.load_head(chain)[0]
    commands.note_act(chain, look_at(account), driver.now)
    sealing.seal_new_entries(Within(chain), SEAL)
    kept = verify(chain).end
    chain.execute(text("DELETE FROM access_log WHERE position > :older"), {"older": older})
    store.save_head(chain, sealed)
    assert verify(chain).fault is None
    assert verify(chain, kept).fault == (
        f"entries {kept.position} to {kept.position}, which were there before, are missing at the end"
    )


def test_nothing_is_sealed_behind_an_end_that_is_gone(chain, driver, account):
    chain.execute(text("DELETE FROM access_log_head"))
    commands.note_act(chain, look_at(account), driver.now)
    assert sealing.seal_new_entries(Within(chain), SEAL) == 0
    assert store.count_unsealed(chain) == 1


# How long it is kept


YEARS = 5


@pytest.fixture
def old_chain(chain, driver, account):
    """The chain as it is when its last two entries are the only ones that are young enough; with that moment."""
    now = driver.now.replace(year=driver.now.year + YEARS + 1)
    for _ in range(2):
        store.append(chain, [Entry(str(uuid.uuid4()), now, look_at(account))])
        sealing.seal_new_entries(Within(chain), SEAL)
    chain.execute(text("ALTER TABLE access_log ENABLE TRIGGER USER"))
    return chain, now


def test_what_is_too_old_is_cut_off_and_the_rest_is_whole(old_chain, account):
    session, now = old_chain
    end = verify(session).end
    first = session.execute(text("SELECT min(position) FROM access_log")).scalar_one()
    assert retention.prune(Within(session), SEAL, YEARS, now) == end.position - 2 - first + 1
    report = verify(session, end)
    assert (report.fault, report.end, report.unsealed) == (None, end, 0)
    assert (report.cut.last.position, report.cut.before) == (end.position - 2, kept_since(now, YEARS))
    assert session.execute(text("SELECT count(*) FROM access_log")).scalar_one() == 2
    assert retention.prune(Within(session), SEAL, YEARS, now) == 0


def test_it_is_cut_piece_by_piece_and_goes_on_until_nothing_is_left(old_chain, account, monkeypatch):
    session, now = old_chain
    monkeypatch.setattr(retention, "SEGMENT", 3)
    monkeypatch.setattr(retention, "BATCH", 2)
    end = verify(session).end
    retention.prune(Within(session), SEAL, YEARS, now.replace(year=now.year + 1 + YEARS))
    assert session.execute(text("SELECT count(*) FROM access_log")).scalar_one() == 0
    assert (verify(session).fault, verify(session).end) == (None, end)
    commands.note_act(session, look_at(account), now)
    sealing.seal_new_entries(Within(session), SEAL)
    assert (verify(session).fault, verify(session).end.position) == (None, end.position + 1)


def test_entries_are_kept_for_all_of_their_years(old_chain, driver):
    session, _ = old_chain
    count = text("SELECT count(*) FROM access_log")
    before = session.execute(count).scalar_one()
    last_moment = driver.now.replace(year=driver.now.year + YEARS, day=28)
    retention.prune(Within(session), SEAL, YEARS, last_moment)
    assert session.execute(count).scalar_one() >= min(before, 7)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("DELETE FROM access_log_cuts WHERE last = :last - 2", "is missing"),
        ("UPDATE access_log_cuts SET before = before + interval '1 day' WHERE last = :last - 2", "was altered"),
        ("UPDATE access_log_cuts SET hash = digest WHERE last = :last - 2", "was altered"),
        ("DELETE FROM access_log WHERE position = :last - 1", "entry {next} is missing"),
        ("UPDATE access_log SET viewer = 'nobody' WHERE position = :last - 1", "entry {next} was altered"),
    ],
    ids=["cut-removed", "cut-altered", "anchor-altered", "first-removed", "first-altered"],
)
def test_what_is_done_to_a_cut_or_behind_it_is_found(old_chain, change, place):
    session, now = old_chain
    retention.prune(Within(session), SEAL, YEARS, now)
    last = last_position(session)
    for table in ("access_log", "access_log_cuts"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    session.execute(text(change), {"last": last})
    fault = verify(session).fault
    assert fault is not None
    assert place.format(next=last - 1) in fault


def test_who_has_not_the_key_cannot_call_it_a_cut(old_chain):
    session, now = old_chain
    stored = store.load_sealed(session, last_position(session) - 3, 1)[0][0]
    previous = cuts.load_last(session, SEAL)
    forged = Cut.after(previous, stored, kept_since(now, YEARS), now)
    cuts.save(session, OTHER_SEAL, forged)
    assert verify(session).fault == f"cut {forged.number} was not made by us, or was sealed with another key"
    assert retention.prune(Within(session), SEAL, YEARS, now) == 0


def test_what_was_tampered_with_is_not_cut(chain, driver):
    now, last = driver.now.replace(year=driver.now.year + YEARS + 1), last_position(chain)
    chain.execute(text("UPDATE access_log SET viewer = 'nobody' WHERE position = :p"), {"p": last - 3})
    assert retention.prune(Within(chain), SEAL, YEARS, now) == 0
    assert f"entry {last - 3} was altered" in verify(chain).fault


def test_two_that_cut_at_once_make_one_cut(driver):
    now = driver.now.replace(year=driver.now.year + 20)
    with driver.database.transaction() as one:
        assert store.try_lock_cuts(one)
        assert retention.prune(driver.database, SEAL, YEARS, now) == 0


@pytest.mark.parametrize("change", ["DELETE FROM access_log_cuts", "UPDATE access_log_cuts SET last = last + 1"])
def test_the_database_refuses_to_change_a_cut(old_chain, change):
    session, now = old_chain
    retention.prune(Within(session), SEAL, YEARS, now)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text(change))
