"""The tables of outbox and inbox, as each service's migrations make them in the service's own database."""

from __future__ import annotations

from typing import Protocol


class Operations(Protocol):
    """The part of `alembic.op` that is used here."""

    def execute(self, sqltext: str) -> None: ...


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
    op.execute(
        "CREATE TRIGGER outbox_inserted AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox()"
    )


def drop_outbox(op: Operations) -> None:
    op.execute("DROP TABLE outbox")
    op.execute("DROP FUNCTION notify_outbox")


def create_replays(op: Operations) -> None:
    """What the relay has to send again, and how far every queue had been handled when it was last looked at."""
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
            looked_at timestamptz NOT NULL
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
