"""Pushed requests, client assertions, initial access tokens; the claims that a client asked for by name."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = (
    """
    CREATE TABLE pushed_requests (
        uri_hash text PRIMARY KEY,
        client_id text NOT NULL REFERENCES clients,
        parameters text NOT NULL,
        is_opened boolean NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE client_assertions (
        client_id text NOT NULL REFERENCES clients,
        jti_hash text NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (client_id, jti_hash)
    )
    """,
    """
    CREATE TABLE initial_access_tokens (
        token_hash text PRIMARY KEY,
        uses_left integer NOT NULL CHECK (uses_left >= 0),
        expires_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    for table in TABLES:
        op.execute(table)
    op.execute("ALTER TABLE authorization_codes ADD claims jsonb")
    op.execute("ALTER TABLE token_families ADD claims jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE token_families DROP claims")
    op.execute("ALTER TABLE authorization_codes DROP claims")
    op.execute("DROP TABLE initial_access_tokens, client_assertions, pushed_requests")
