"""What somebody reported goes with their account."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    # of accounts that were closed meanwhile
    op.execute("DELETE FROM look_reports WHERE account IN (SELECT subject FROM accounts WHERE closed_at IS NOT NULL)")
    op.execute("DELETE FROM look_reports WHERE account NOT IN (SELECT subject FROM accounts)")
    op.execute(
        "ALTER TABLE look_reports ADD CONSTRAINT look_reports_account_fkey"
        " FOREIGN KEY (account) REFERENCES accounts (subject)"
    )
    op.execute("CREATE INDEX look_reports_of_account ON look_reports (account)")


def downgrade() -> None:
    op.execute("DROP INDEX look_reports_of_account")
    op.execute("ALTER TABLE look_reports DROP CONSTRAINT look_reports_account_fkey")
