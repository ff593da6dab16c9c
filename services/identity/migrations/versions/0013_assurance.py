"""Levels of assurance, who raised them, and how somebody signed in."""

from alembic import op

revision = "0013"
down_revision = "0012"

_SIGN_INS = ("browser_sessions", "authorization_codes", "token_families", "device_authorizations")


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ADD assurance smallint NOT NULL DEFAULT 1 CHECK (assurance BETWEEN 1 AND 3)")
    op.execute(
        """
        CREATE TABLE assurance_changes (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            subject text NOT NULL REFERENCES accounts,
            level smallint NOT NULL,
            method text NOT NULL,
            by text,
            at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_assurance_changes_subject ON assurance_changes (subject)")
    for table in _SIGN_INS:
        op.execute(f"ALTER TABLE {table} ADD amr text[] NOT NULL DEFAULT '{{pwd}}'")


def downgrade() -> None:
    for table in _SIGN_INS:
        op.execute(f"ALTER TABLE {table} DROP amr")
    op.execute("DROP TABLE assurance_changes")
    op.execute("ALTER TABLE accounts DROP assurance")
