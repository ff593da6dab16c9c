"""A name for each session (`sid`), the clients in it, and who is to be told of its end."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("ALTER TABLE browser_sessions ADD sid text, ADD browser text")
    op.execute("UPDATE browser_sessions SET sid = gen_random_uuid()::text")
    op.execute("ALTER TABLE browser_sessions ALTER sid SET NOT NULL, ADD UNIQUE (sid)")
    op.execute("CREATE INDEX ix_browser_sessions_subject ON browser_sessions (subject)")
    for table in ("authorization_codes", "token_families", "web_sessions"):
        op.execute(f"ALTER TABLE {table} ADD sid text")
    op.execute("CREATE INDEX ix_token_families_sid ON token_families (sid)")
    op.execute("CREATE INDEX ix_token_families_subject ON token_families (subject)")
    op.execute("CREATE INDEX ix_web_sessions_sid ON web_sessions (sid)")
    op.execute("CREATE INDEX ix_web_sessions_subject ON web_sessions (subject)")
    op.execute(
        """
        CREATE TABLE client_sessions (
            sid text,
            client_id text REFERENCES clients,
            subject text NOT NULL REFERENCES accounts,
            began_at timestamptz NOT NULL,
            PRIMARY KEY (sid, client_id)
        )
        """
    )
    op.execute("CREATE INDEX ix_client_sessions_subject ON client_sessions (subject)")
    op.execute(
        """
        CREATE TABLE logout_notices (
            id text PRIMARY KEY,
            client_id text NOT NULL REFERENCES clients,
            subject text NOT NULL REFERENCES accounts,
            sid text NOT NULL,
            created_at timestamptz NOT NULL,
            next_attempt_at timestamptz NOT NULL,
            attempts integer NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_logout_notices_next_attempt_at ON logout_notices (next_attempt_at)")


def downgrade() -> None:
    op.execute("DROP TABLE logout_notices, client_sessions")
    op.execute("DROP INDEX ix_token_families_subject")
    for table in ("web_sessions", "token_families", "authorization_codes"):
        op.execute(f"ALTER TABLE {table} DROP sid")
    op.execute("DROP INDEX ix_web_sessions_subject, ix_browser_sessions_subject")
    op.execute("ALTER TABLE browser_sessions DROP browser, DROP sid")
