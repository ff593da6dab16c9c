"""Where staff works; accounts that are disabled; changes of staff in the access log."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ADD hall text, ADD disabled_at timestamptz")
    # who works here, and who is disabled, are few among all
    op.execute("CREATE INDEX accounts_of_staff ON accounts (username) WHERE roles <> '{}' OR disabled_at IS NOT NULL")
    op.execute("ALTER TABLE access_log ADD hall text, ADD detail text")
    op.execute("CREATE INDEX access_log_of_staff ON access_log (at, id) WHERE what = 'staff'")


def downgrade() -> None:
    op.execute("DROP INDEX access_log_of_staff")
    op.execute("ALTER TABLE access_log DROP hall, DROP detail")
    op.execute("DROP INDEX accounts_of_staff")
    op.execute("ALTER TABLE accounts DROP hall, DROP disabled_at")
