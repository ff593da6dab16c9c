"""Ratings, outbox and inbox."""

from alembic import op

from chassis.tables import create_inbox, create_outbox, drop_inbox, drop_outbox

revision = "0001"
down_revision = None

RATINGS = """
CREATE TABLE ratings (
    number text PRIMARY KEY,
    item text NOT NULL,
    department text NOT NULL,
    region text NOT NULL,
    kind text NOT NULL,
    applicant text NOT NULL,
    invited_at timestamptz,
    score smallint CHECK (score BETWEEN 1 AND 5),
    comment text CHECK (length(comment) <= 1000),
    channel text,
    rated_at timestamptz,
    sequence integer NOT NULL CHECK (sequence > 0),
    CHECK ((score IS NULL) = (rated_at IS NULL)),
    CHECK (invited_at IS NOT NULL OR rated_at IS NOT NULL)
);
CREATE INDEX ratings_by_item ON ratings (department, item, score) WHERE score IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(RATINGS)
    create_outbox(op)
    create_inbox(op)


def downgrade() -> None:
    drop_inbox(op)
    drop_outbox(op)
    op.execute("DROP TABLE ratings")
