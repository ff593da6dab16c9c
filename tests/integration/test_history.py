"""The outbox as a history by month: kept, dropped, and never in the way."""

import uuid
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import psycopg2
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import text

from chassis import history, tables
from chassis.relay.retention import Retention
from tests.processes import running, wait_until

RELAY = ["chassis.relay", "rating"]
THIS_MONTH = datetime.now(UTC).date().replace(day=1)
OLD = history.after(THIS_MONTH, -7)

OPEN_REPLAYS = "SELECT count(*) FROM replays WHERE finished_at IS NULL"


@pytest.fixture
def cursor(servers):
    with closing(psycopg2.connect(servers.environment["ONEHALL_RATING_DATABASE_URL"])) as connection:
        connection.autocommit = True
        yield connection.cursor()


def partitions(cursor):
    cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox'::regclass")
    return {name for (name,) in cursor}


def make_old_month(cursor, month=OLD):
    for statement in history.make_partition(month):
        cursor.execute(statement)


def file(cursor, month, count=1):
    """Unsent events of that month."""
    cursor.execute(
        "INSERT INTO outbox (event_id, subject, sequence, routing_key, body, created_at)"
        " SELECT gen_random_uuid(), %s || number, 1, 'rating.invited.a.b.c.d', '{}', %s"
        " FROM generate_series(1, %s) AS number",
        (uuid.uuid4().hex, f"{month} 12:00+00", count),
    )


def fetch(cursor, statement):
    cursor.execute(statement)
    return cursor.fetchone()[0]


def all_is_published(cursor):
    return fetch(cursor, "SELECT count(*) FROM outbox WHERE position IS NULL") == 0


def last_position(cursor):
    return fetch(cursor, history.LAST_POSITION)


def test_the_months_to_come_are_made(servers, cursor):
    last = history.partition(history.after(THIS_MONTH, history.MONTHS_AHEAD))
    cursor.execute(f"DROP TABLE {last}")
    with running(RELAY, servers.environment):
        wait_until("the month is made", lambda: last in partitions(cursor))


def test_a_month_older_than_is_kept_is_published_then_dropped_and_positions_go_on(servers, cursor):
    before = last_position(cursor)
    make_old_month(cursor)
    file(cursor, OLD, 3)
    with running(RELAY, servers.environment):
        wait_until("it is published", lambda: all_is_published(cursor))
        wait_until("no queue waits for it", lambda: fetch(cursor, OPEN_REPLAYS) == 0)
    with running(RELAY, servers.environment, ONEHALL_HISTORY_MONTHS="6"):
        wait_until("it is dropped", lambda: history.partition(OLD) not in partitions(cursor))
        assert fetch(cursor, "SELECT dropped FROM history") == before + 3
        file(cursor, THIS_MONTH)
        wait_until("it is published", lambda: all_is_published(cursor))
    assert last_position(cursor) == before + 4


def test_an_old_month_with_an_event_that_is_not_published_is_kept(servers, cursor):
    month = history.after(OLD, -2)
    make_old_month(cursor, month)
    file(cursor, month)
    Retention(servers.environment["ONEHALL_RATING_DATABASE_URL"], months=6).keep()
    assert history.partition(month) in partitions(cursor)


def test_without_a_setting_everything_is_kept(servers, cursor):
    month = history.after(OLD, -1)
    make_old_month(cursor, month)
    file(cursor, month)
    with running(RELAY, servers.environment):
        wait_until("it is published", lambda: all_is_published(cursor))
    with running(RELAY, servers.environment) as relay:
        file(cursor, THIS_MONTH)
        wait_until("it leads", lambda: all_is_published(cursor))
        assert relay.poll() is None
    assert history.partition(month) in partitions(cursor)


def test_a_month_is_made_while_a_transaction_that_filed_is_open(servers, cursor):
    """Attaching a partition waits for nobody who only writes."""
    last = history.partition(history.after(THIS_MONTH, history.MONTHS_AHEAD))
    cursor.execute(f"DROP TABLE {last}")
    with writing(servers), running(RELAY, servers.environment):
        wait_until("the month is made", lambda: last in partitions(cursor))


@contextmanager
def writing(servers):
    """A transaction that has filed an event and does not end."""
    with closing(psycopg2.connect(servers.environment["ONEHALL_RATING_DATABASE_URL"])) as connection:
        file(connection.cursor(), THIS_MONTH)
        yield
        connection.rollback()


def test_an_event_of_the_same_month_cannot_be_there_twice(cursor):
    file(cursor, THIS_MONTH)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        cursor.execute(
            "INSERT INTO outbox (event_id, subject, sequence, routing_key, body)"
            " SELECT gen_random_uuid(), subject, sequence, routing_key, body FROM outbox"
            " ORDER BY id DESC LIMIT 1"
        )
    cursor.execute("DELETE FROM outbox WHERE position IS NULL")


@pytest.fixture
def operations(rating_database):
    """Alembic's, in a schema of their own that is gone at the end."""
    with rating_database.transaction() as session:
        session.execute(text("CREATE SCHEMA scratch"))
        session.execute(text("SET LOCAL search_path TO scratch"))
        yield Operations(MigrationContext.configure(session))
        session.rollback()


_ADD = text(
    "INSERT INTO outbox (event_id, subject, sequence, routing_key, body, created_at, position)"
    " VALUES (gen_random_uuid(), :subject, 1, 'rating.invited.a.b.c.d', '{}', :at, :position) RETURNING id"
)


def test_the_outbox_of_an_earlier_version_goes_over_whole_and_ids_go_on(operations):
    session = operations.get_bind()
    tables.create_outbox(operations)
    for number, month in enumerate((OLD, history.after(OLD), THIS_MONTH), start=1):
        session.execute(_ADD, {"subject": f"case {number}", "at": f"{month} 12:00+00", "position": number})
    session.execute(_ADD, {"subject": "unsent", "at": f"{THIS_MONTH} 12:00+00", "position": None})
    before = session.execute(text("SELECT * FROM outbox ORDER BY id")).all()
    tables.partition_outbox(operations)
    assert session.execute(text("SELECT * FROM outbox ORDER BY id")).all() == before
    new = session.execute(_ADD, {"subject": "new", "at": f"{THIS_MONTH} 12:00+00", "position": None}).scalar_one()
    assert new == before[-1].id + 1
    tables.join_outbox(operations)
    assert session.execute(text("SELECT * FROM outbox ORDER BY id LIMIT 4")).all() == before
