"""One-time codes."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE one_time_codes (
            challenge text PRIMARY KEY,
            purpose text NOT NULL,
            subject text,
            kind text,
            locale text,
            address_hash text NOT NULL,
            address bytea,
            code_hash text,
            code bytea,
            attempts integer NOT NULL,
            issued_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            used_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX one_time_codes_address ON one_time_codes (address_hash, issued_at)")
    op.execute("CREATE INDEX one_time_codes_subject ON one_time_codes (subject, issued_at) WHERE subject IS NOT NULL")
    op.execute("CREATE INDEX one_time_codes_issued ON one_time_codes (issued_at)")


def downgrade() -> None:
    op.execute("DROP TABLE one_time_codes")
