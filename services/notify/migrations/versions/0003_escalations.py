"""Escalations, which are told to whoever has a role."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE escalations (
            event_id uuid PRIMARY KEY,
            number text NOT NULL,
            item text NOT NULL,
            department text NOT NULL,
            role text NOT NULL,
            at timestamptz NOT NULL,
            next_attempt_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE INDEX escalations_next ON escalations (next_attempt_at)")
    op.execute("ALTER TABLE messages ADD COLUMN department text")
    op.execute("ALTER TABLE deliveries ADD COLUMN department text")


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE event LIKE 'case.escalated%'")
    op.execute("DELETE FROM deliveries WHERE event LIKE 'case.escalated%'")
    op.execute("ALTER TABLE deliveries DROP COLUMN department")
    op.execute("ALTER TABLE messages DROP COLUMN department")
    op.execute("DROP TABLE escalations")
