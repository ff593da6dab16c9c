"""Proofs that a citizen stands before a clerk."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE presences (
            secret_hash text PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts,
            clerk text NOT NULL REFERENCES accounts,
            way text NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE presences")
