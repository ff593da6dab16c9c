"""Notices of what changes in how an account is proved, recoveries, and what happens at a time."""

from alembic import op

from chassis.tables import create_schedule, drop_schedule

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    create_schedule(op)
    op.execute(
        """
        CREATE TABLE security_notices (
            id text PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts (subject),
            change text NOT NULL,
            told_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            used_at timestamptz,
            code_hash text UNIQUE,
            recovery text
        )
        """
    )
    op.execute("CREATE INDEX ix_security_notices_subject ON security_notices (subject)")
    op.execute("CREATE INDEX ix_security_notices_expires_at ON security_notices (expires_at)")
    op.execute(
        """
        CREATE TABLE security_notice_addresses (
            notice text REFERENCES security_notices (id) ON DELETE CASCADE,
            kind text,
            is_former boolean,
            subject text NOT NULL REFERENCES accounts (subject),
            sealed bytea NOT NULL,
            blind_index bytea NOT NULL,
            key_id text NOT NULL,
            confirmed_at timestamptz,
            PRIMARY KEY (notice, kind, is_former)
        )
        """
    )
    op.execute("CREATE INDEX ix_security_notice_addresses_subject ON security_notice_addresses (subject)")
    op.execute(
        """
        CREATE TABLE recovery_attempts (
            secret_hash text PRIMARY KEY,
            subject text REFERENCES accounts (subject),
            way text NOT NULL,
            challenge text NOT NULL,
            other_challenge text,
            proofs text[] NOT NULL,
            begun_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_recovery_attempts_subject ON recovery_attempts (subject)")
    op.execute("CREATE INDEX ix_recovery_attempts_expires_at ON recovery_attempts (expires_at)")
    op.execute(
        """
        CREATE TABLE recoveries (
            id text PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts (subject),
            way text NOT NULL,
            loses_factors boolean NOT NULL,
            begun_at timestamptz NOT NULL,
            ready_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            UNIQUE (subject, way)
        )
        """
    )
    op.execute("CREATE INDEX ix_recoveries_expires_at ON recoveries (expires_at)")


def downgrade() -> None:
    op.execute("DROP TABLE recoveries, recovery_attempts, security_notice_addresses, security_notices")
    drop_schedule(op)
