"""Who may act for whom; accounts that nobody signs in to."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ALTER COLUMN password_hash DROP NOT NULL")
    op.execute(
        """
        CREATE TABLE mandates (
            id uuid PRIMARY KEY,
            kind text NOT NULL CHECK (kind IN ('authorisation', 'guardianship')),
            principal text NOT NULL REFERENCES accounts,
            agent text REFERENCES accounts CHECK (agent <> principal),
            named text,
            item text,
            number text,
            created_at timestamptz NOT NULL,
            accepted_at timestamptz,
            ends_at timestamptz NOT NULL,
            ended_at timestamptz,
            ended_by text,
            confirmed_by text,
            CHECK ((kind = 'authorisation') = ((item IS NULL) <> (number IS NULL))),
            CHECK ((kind = 'guardianship') = (confirmed_by IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX mandates_of_principal ON mandates (principal, created_at)")
    op.execute("CREATE INDEX mandates_of_agent ON mandates (agent, created_at)")


def downgrade() -> None:
    op.execute("DROP TABLE mandates")
    op.execute("ALTER TABLE accounts ALTER COLUMN password_hash SET NOT NULL")
