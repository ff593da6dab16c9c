"""Drafts, and what has to happen at a time."""

from alembic import op

from chassis.tables import create_schedule, drop_schedule

revision = "0007"
down_revision = "0006"

DRAFTS = """
CREATE TABLE drafts (
    id uuid PRIMARY KEY,
    applicant text NOT NULL,
    item text NOT NULL,
    item_version integer NOT NULL,
    revision integer NOT NULL,
    channel text NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE draft_handovers (
    draft uuid PRIMARY KEY REFERENCES drafts ON DELETE CASCADE,
    applicant text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX drafts_of_applicant ON drafts (applicant, updated_at);
"""


def upgrade() -> None:
    create_schedule(op)
    op.execute(DRAFTS)


def downgrade() -> None:
    op.execute("DROP TABLE draft_handovers, drafts")
    drop_schedule(op)
