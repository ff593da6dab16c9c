"""The tables of outbox and inbox, as each service's migrations make them in the service's own database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from chassis import history


class Operations(Protocol):
    """The part of `alembic.op` that is used here."""

    def execute(self, sqltext: str) -> None: ...

    def get_bind(self) -> Any: ...


def create_outbox(op: Operations) -> None:
    """Events with their state in one commit. `position` is given when the broker confirmed; rows stay as history."""
    op.execute(
        """
        CREATE TABLE outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            event_id uuid NOT NULL UNIQUE,
            subject text NOT NULL,
            sequence bigint NOT NULL CHECK (sequence > 0),
            routing_key text NOT NULL,
            body text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            position bigint UNIQUE,
            UNIQUE (subject, sequence)
        )
        """
    )
    # the relay reads only what is unsent, so its speed does not depend on how much history there is
    op.execute("CREATE INDEX outbox_unsent ON outbox (id) WHERE position IS NULL")
    op.execute(
        """
        CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('outbox', ''); RETURN NULL; END $$
        """
    )
    _notify_of_inserts(op)


def add_other_keys(op: Operations) -> None:
    """Routing keys under which an event is heard besides its own."""
    op.execute("ALTER TABLE outbox ADD COLUMN other_keys text[]")


def drop_other_keys(op: Operations) -> None:
    op.execute("ALTER TABLE outbox DROP COLUMN other_keys")


def drop_outbox(op: Operations) -> None:
    op.execute("DROP TABLE outbox")
    op.execute("DROP FUNCTION notify_outbox")


def partition_outbox(op: Operations) -> None:
    """The outbox as a history by month. Rows, their ids and the count of ids go over."""
    op.execute("DROP TRIGGER outbox_inserted ON outbox")
    op.execute("DROP INDEX outbox_unsent")
    op.execute("ALTER TABLE outbox RENAME TO outbox_whole")
    op.execute(
        """
        CREATE TABLE outbox (
            id bigint GENERATED ALWAYS AS IDENTITY,
            event_id uuid NOT NULL,
            subject text NOT NULL,
            sequence bigint NOT NULL CHECK (sequence > 0),
            routing_key text NOT NULL,
            body text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            position bigint
        ) PARTITION BY RANGE (created_at)
        """
    )
    # the relay reads only what is unsent, so its speed does not depend on how much history there is
    op.execute("CREATE INDEX outbox_unsent ON outbox (id) WHERE position IS NULL")
    # how far the history was dropped: positions go on from there even if nothing is left of it
    op.execute("CREATE TABLE history (dropped bigint NOT NULL)")
    op.execute("INSERT INTO history VALUES (0)")
    _make_partitions(op)
    op.execute(_TAKE_OVER)
    op.execute(_GO_ON_COUNTING)
    op.execute("DROP TABLE outbox_whole")
    _notify_of_inserts(op)


_TAKE_OVER = """
INSERT INTO outbox (id, event_id, subject, sequence, routing_key, body, created_at, position) OVERRIDING SYSTEM VALUE
SELECT id, event_id, subject, sequence, routing_key, body, created_at, position FROM outbox_whole
"""
_GO_ON_COUNTING = """
SELECT setval(pg_get_serial_sequence('outbox', 'id'), nextval(pg_get_serial_sequence('outbox_whole', 'id')), false)
"""


def _make_partitions(op: Operations) -> None:
    today = datetime.now(UTC).date()
    oldest = op.get_bind().exec_driver_sql("SELECT min(created_at AT TIME ZONE 'UTC')::date FROM outbox_whole").scalar()
    for month in history.months(oldest or today, history.after(today, history.MONTHS_AHEAD)):
        for statement in history.make_partition(month):
            op.execute(statement)


def join_outbox(op: Operations) -> None:
    """Undo `partition_outbox`; what was dropped by then stays dropped."""
    op.execute("ALTER TABLE outbox RENAME TO outbox_whole")
    op.execute("DROP TRIGGER outbox_inserted ON outbox_whole")
    op.execute("DROP FUNCTION notify_outbox")
    op.execute("DROP INDEX outbox_unsent")
    create_outbox(op)
    op.execute(_TAKE_OVER)
    op.execute(_GO_ON_COUNTING)
    op.execute("DROP TABLE outbox_whole, history")


def _notify_of_inserts(op: Operations) -> None:
    op.execute(
        "CREATE TRIGGER outbox_inserted AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox()"
    )


def create_replays(op: Operations) -> None:
    """What the relay has to send again; and how each queue stood at the last look that saw it whole.

    All events up to `position` had come into it, and `waiting` messages were in it or in hand. Of what it heard up to
    `handled`, all but the `except_last` last were done.
    """
    op.execute(
        """
        CREATE TABLE replays (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            queue text NOT NULL,
            position bigint NOT NULL CHECK (position >= 0),
            until bigint,
            is_repeat boolean NOT NULL DEFAULT false,
            reason text NOT NULL,
            requested_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz,
            CHECK (is_repeat = (until IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX replays_open ON replays (requested_at) WHERE finished_at IS NULL")
    op.execute(
        """
        CREATE TABLE queue_positions (
            queue text PRIMARY KEY,
            position bigint NOT NULL,
            waiting bigint NOT NULL,
            looked_at timestamptz NOT NULL,
            handled bigint NOT NULL DEFAULT 0,
            except_last bigint NOT NULL DEFAULT 0
        )
        """
    )


def drop_replays(op: Operations) -> None:
    op.execute("DROP TABLE replays, queue_positions")


def create_inbox(op: Operations) -> None:
    """How far each subject of each source is handled, and which events wait for a predecessor."""
    op.execute(
        """
        CREATE TABLE inbox_cursor (
            source text NOT NULL,
            subject text NOT NULL,
            sequence bigint NOT NULL,
            PRIMARY KEY (source, subject)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE inbox_parked (
            source text NOT NULL,
            subject text NOT NULL,
            sequence bigint NOT NULL,
            body text NOT NULL,
            parked_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (source, subject, sequence)
        )
        """
    )


def drop_inbox(op: Operations) -> None:
    op.execute("DROP TABLE inbox_parked")
    op.execute("DROP TABLE inbox_cursor")


def create_recently(op: Operations) -> None:
    """What was done a short while ago (`chassis.recently`)."""
    op.execute("CREATE TABLE recently (key bytea PRIMARY KEY, until timestamptz NOT NULL)")


def drop_recently(op: Operations) -> None:
    op.execute("DROP TABLE recently")


def create_schedule(op: Operations) -> None:
    """What has to happen at a time. A row is gone once it has happened; `next_at` is later where it failed."""
    op.execute(
        """
        CREATE TABLE schedule (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL,
            key text NOT NULL,
            due_at timestamptz NOT NULL,
            next_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            data text NOT NULL,
            traceparent text,
            correlation_id text,
            UNIQUE (name, key)
        )
        """
    )
    op.execute("CREATE INDEX schedule_next ON schedule (name, next_at)")
    op.execute("CREATE INDEX schedule_overdue ON schedule (name, due_at)")


def drop_schedule(op: Operations) -> None:
    op.execute("DROP TABLE schedule")


def create_rate_limits(op: Operations) -> None:
    """What `chassis.limits` counts. One that is full again has no row, or one that says no more than that."""
    op.execute(
        """
        CREATE TABLE rate_limits (
            rule text NOT NULL,
            key_hash text NOT NULL,
            full_at timestamptz NOT NULL,
            PRIMARY KEY (rule, key_hash)
        )
        """
    )
    op.execute("CREATE INDEX rate_limits_full ON rate_limits (full_at)")


def drop_rate_limits(op: Operations) -> None:
    op.execute("DROP TABLE rate_limits")
