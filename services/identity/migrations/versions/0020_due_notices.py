"""Logout notices are looked for by client, so that each gets its places."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("CREATE INDEX logout_notices_due ON logout_notices (client_id, next_attempt_at, id)")
    op.execute("DROP INDEX ix_logout_notices_next_attempt_at")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_logout_notices_next_attempt_at ON logout_notices (next_attempt_at)")
    op.execute("DROP INDEX logout_notices_due")
