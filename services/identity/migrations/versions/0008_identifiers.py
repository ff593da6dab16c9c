"""ID numbers, phones and mail addresses, sealed. Identity takes the plain mails over (docs/adr/0015)."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE identifiers (
            subject text NOT NULL REFERENCES accounts,
            kind text NOT NULL,
            sealed bytea NOT NULL,
            blind_index bytea NOT NULL,
            key_id text NOT NULL,
            confirmed_at timestamptz,
            PRIMARY KEY (subject, kind)
        )
        """
    )
    op.execute("CREATE INDEX ix_identifiers_blind_index ON identifiers (blind_index)")
    op.execute("CREATE INDEX ix_identifiers_key_id ON identifiers (key_id)")
    op.execute("CREATE UNIQUE INDEX one_account_each ON identifiers (kind, blind_index) WHERE confirmed_at IS NOT NULL")
    op.execute("ALTER TABLE accounts ALTER email DROP NOT NULL")
    # small while there is something to take over, and nothing afterwards
    op.execute("CREATE INDEX accounts_plain_email ON accounts (subject) WHERE email IS NOT NULL")


def downgrade() -> None:
    """What is sealed stays behind: without the key it cannot be written back."""
    op.execute("DROP INDEX accounts_plain_email")
    op.execute("UPDATE accounts SET email = '' WHERE email IS NULL")
    op.execute("ALTER TABLE accounts ALTER email SET NOT NULL")
    op.execute("DROP TABLE identifiers")
