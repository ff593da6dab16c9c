"""Citizens' visits at the counter."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE visits (
            secret_hash text PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts,
            clerk text NOT NULL REFERENCES accounts,
            family_id text NOT NULL REFERENCES token_families ON DELETE CASCADE,
            scope text NOT NULL,
            began_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_visits_family_id ON visits (family_id)")


def downgrade() -> None:
    op.execute("DROP TABLE visits")
