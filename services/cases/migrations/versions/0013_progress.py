"""Progress without signing in: whose code was changed or withdrawn, and how often it was guessed."""

from alembic import op

from chassis.tables import create_rate_limits, drop_rate_limits

revision = "0013"
down_revision = "0012"

# a case without a row has its first code: nothing is written for those that were filed before
ACCESS = """
CREATE TABLE progress_access (
    number text PRIMARY KEY REFERENCES cases,
    renewals integer NOT NULL CHECK (renewals >= 0),
    is_open boolean NOT NULL
);
"""


def upgrade() -> None:
    op.execute(ACCESS)
    create_rate_limits(op)


def downgrade() -> None:
    drop_rate_limits(op)
    op.execute("DROP TABLE progress_access")
