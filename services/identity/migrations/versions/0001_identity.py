"""Accounts, clients, sessions, consents, codes, tokens and keys; the outbox."""

from __future__ import annotations

from alembic import op

from chassis.tables import create_outbox, drop_outbox

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE accounts (
        subject text PRIMARY KEY,
        username text NOT NULL UNIQUE,
        password_hash text NOT NULL,
        name text NOT NULL,
        email text NOT NULL,
        locale text NOT NULL,
        roles text[] NOT NULL,
        department text,
        sequence bigint NOT NULL,
        registered_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE clients (
        id text PRIMARY KEY,
        name text NOT NULL,
        secret_hash text,
        auth_methods text[] NOT NULL,
        redirect_uris text[] NOT NULL,
        post_logout_uris text[] NOT NULL,
        grants text[] NOT NULL,
        scopes text[] NOT NULL,
        first_party boolean NOT NULL,
        channel text NOT NULL,
        department text
    )
    """,
    """
    CREATE TABLE browser_sessions (
        secret_hash text PRIMARY KEY,
        subject text NOT NULL REFERENCES accounts,
        channel text NOT NULL,
        signed_in_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        signed_in_for text
    )
    """,
    """
    CREATE TABLE consents (
        subject text NOT NULL REFERENCES accounts,
        client_id text NOT NULL REFERENCES clients,
        scopes text[] NOT NULL,
        given_at timestamptz NOT NULL,
        PRIMARY KEY (subject, client_id)
    )
    """,
    """
    CREATE TABLE authorization_codes (
        code_hash text PRIMARY KEY,
        client_id text NOT NULL REFERENCES clients,
        subject text NOT NULL REFERENCES accounts,
        redirect_uri text NOT NULL,
        scope text NOT NULL,
        nonce text,
        code_challenge text NOT NULL,
        signed_in_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE token_families (
        id text PRIMARY KEY,
        client_id text NOT NULL REFERENCES clients,
        subject text NOT NULL REFERENCES accounts,
        scope text NOT NULL,
        signed_in_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        code_hash text UNIQUE,
        revoked_at timestamptz
    )
    """,
    """
    CREATE TABLE refresh_tokens (
        token_hash text PRIMARY KEY,
        family_id text NOT NULL REFERENCES token_families ON DELETE CASCADE,
        expires_at timestamptz NOT NULL,
        spent_at timestamptz
    )
    """,
    "CREATE INDEX ix_refresh_tokens_family_id ON refresh_tokens (family_id)",
    """
    CREATE TABLE revoked_access_tokens (
        jti text PRIMARY KEY,
        expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        public_jwk jsonb NOT NULL,
        private_key bytea NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE web_sessions (
        secret_hash text PRIMARY KEY,
        client_id text NOT NULL REFERENCES clients,
        subject text NOT NULL REFERENCES accounts,
        family_id text NOT NULL REFERENCES token_families ON DELETE CASCADE,
        tokens bytea NOT NULL,
        access_token_expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_web_sessions_family_id ON web_sessions (family_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    create_outbox(op)


def downgrade() -> None:
    drop_outbox(op)
    op.execute(
        "DROP TABLE web_sessions, signing_keys, revoked_access_tokens, refresh_tokens, token_families,"
        " authorization_codes, consents, browser_sessions, clients, accounts"
    )
