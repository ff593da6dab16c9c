"""Inbox messages, mail deliveries, preferences."""

from __future__ import annotations

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    tables.create_inbox(op)
    op.execute(
        """
        CREATE TABLE preferences (
            subject text PRIMARY KEY,
            locale text NOT NULL,
            channels text[] NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE messages (
            id uuid PRIMARY KEY,
            event_id uuid NOT NULL,
            event text NOT NULL,
            recipient text NOT NULL,
            number text,
            item text,
            at timestamptz NOT NULL,
            read_at timestamptz,
            UNIQUE (event_id, recipient)
        )
        """
    )
    op.execute("CREATE INDEX messages_of_recipient ON messages (recipient, at DESC, id DESC)")
    op.execute(
        """
        CREATE TABLE deliveries (
            id uuid PRIMARY KEY,
            event_id uuid NOT NULL,
            event text NOT NULL,
            recipient text NOT NULL,
            channel text NOT NULL,
            number text,
            item text,
            status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
            attempts integer NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            next_attempt_at timestamptz NOT NULL DEFAULT now(),
            locked_until timestamptz,
            last_error text,
            sent_at timestamptz,
            UNIQUE (event_id, recipient, channel)
        )
        """
    )
    # what is due is found among what is pending, so its cost does not grow with what was ever sent
    op.execute("CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE status = 'pending'")


def downgrade() -> None:
    op.execute("DROP TABLE deliveries")
    op.execute("DROP TABLE messages")
    op.execute("DROP TABLE preferences")
    tables.drop_inbox(op)
