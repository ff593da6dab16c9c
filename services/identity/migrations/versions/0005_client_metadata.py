"""What clients may say of themselves (RFC 7591, OpenID Connect Dynamic Client Registration)."""

from alembic import op

revision = "0005"
down_revision = "0004"

COLUMNS = """
    ADD jwks jsonb,
    ADD require_par boolean NOT NULL DEFAULT false,
    ADD id_token_alg text NOT NULL DEFAULT 'ES256' CHECK (id_token_alg IN ('ES256', 'RS256')),
    ADD userinfo_alg text CHECK (userinfo_alg IN ('ES256', 'RS256')),
    ADD access_token_seconds integer CHECK (access_token_seconds > 0),
    ADD refresh_token_seconds integer CHECK (refresh_token_seconds > 0),
    ADD requires_dpop boolean NOT NULL DEFAULT false,
    ADD subject_type text NOT NULL DEFAULT 'public' CHECK (subject_type IN ('public', 'pairwise')),
    ADD sector text,
    ADD backchannel_logout_uri text,
    ADD registration_hash text
"""


def upgrade() -> None:
    op.execute(f"ALTER TABLE clients {COLUMNS}")


def downgrade() -> None:
    names = [line.split()[1] for line in COLUMNS.strip().splitlines()]
    op.execute("ALTER TABLE clients " + ", ".join(f"DROP {name}" for name in names))
