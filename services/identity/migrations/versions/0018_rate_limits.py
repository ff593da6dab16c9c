"""Buckets of tries."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
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


def downgrade() -> None:
    op.execute("DROP TABLE rate_limits")
