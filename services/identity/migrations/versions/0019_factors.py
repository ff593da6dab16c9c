"""Second factors, and sign-ins that wait for one."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE totp_factors (
            subject text PRIMARY KEY REFERENCES accounts (subject),
            secret bytea NOT NULL,
            last_step bigint NOT NULL,
            added_at timestamptz NOT NULL,
            used_at timestamptz
        )
        """
    )
    op.execute(
        """
        CREATE TABLE passkeys (
            id text PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts (subject),
            name text NOT NULL,
            public_key bytea NOT NULL,
            sign_count bigint NOT NULL,
            is_backed_up boolean NOT NULL,
            transports text[] NOT NULL,
            added_at timestamptz NOT NULL,
            used_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX ix_passkeys_subject ON passkeys (subject)")
    op.execute(
        """
        CREATE TABLE code_factors (
            subject text REFERENCES accounts (subject),
            kind text,
            added_at timestamptz NOT NULL,
            PRIMARY KEY (subject, kind)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE recovery_codes (
            subject text REFERENCES accounts (subject),
            code_hash text,
            used_at timestamptz,
            PRIMARY KEY (subject, code_hash)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE pending_sign_ins (
            secret_hash text PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts (subject),
            channel text NOT NULL,
            amr text[] NOT NULL,
            request text,
            must_enrol boolean NOT NULL,
            begun_at timestamptz NOT NULL,
            attempts integer NOT NULL,
            code_challenge text
        )
        """
    )
    op.execute("CREATE INDEX ix_pending_sign_ins_subject ON pending_sign_ins (subject)")
    op.execute(
        """
        CREATE TABLE ceremonies (
            secret_hash text PRIMARY KEY,
            purpose text NOT NULL,
            subject text,
            challenge bytea NOT NULL,
            expires_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE ceremonies, pending_sign_ins, recovery_codes, code_factors")
    op.execute("DROP TABLE passkeys, totp_factors")
