"""Registrations under way, questions to the registry, notices of claims, closed accounts."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE registrations (
            secret_hash text PRIMARY KEY,
            addresses bytea NOT NULL,
            locale text NOT NULL,
            challenges jsonb NOT NULL,
            proved text[] NOT NULL,
            expires_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_registrations_expires_at ON registrations (expires_at)")
    op.execute(
        """
        CREATE TABLE registry_checks (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts,
            asked_at timestamptz NOT NULL,
            outcome text
        )
        """
    )
    op.execute("CREATE INDEX ix_registry_checks_subject ON registry_checks (subject)")
    op.execute(
        "CREATE TABLE claim_notices (subject text PRIMARY KEY REFERENCES accounts, told_at timestamptz NOT NULL)"
    )
    op.execute("ALTER TABLE accounts ADD closed_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE accounts DROP closed_at")
    op.execute("DROP TABLE claim_notices, registry_checks, registrations")
