"""Token families, DPoP, pairwise subjects, the life of signing keys."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE signing_keys ADD alg text NOT NULL DEFAULT 'ES256', ADD current_from timestamptz")
    op.execute("UPDATE signing_keys SET current_from = created_at")
    op.execute("ALTER TABLE signing_keys ALTER current_from SET NOT NULL")
    op.execute("CREATE TABLE sealed_secrets (name text PRIMARY KEY, sealed bytea NOT NULL)")
    op.execute("ALTER TABLE refresh_tokens ADD successor bytea")
    op.execute("ALTER TABLE token_families ADD dpop_jkt text")
    op.execute("ALTER TABLE authorization_codes ADD dpop_jkt text")
    op.execute("CREATE TABLE dpop_proofs (id text PRIMARY KEY, expires_at timestamptz NOT NULL)")
    op.execute("CREATE INDEX ix_dpop_proofs_expires_at ON dpop_proofs (expires_at)")


def downgrade() -> None:
    op.execute("DROP TABLE dpop_proofs, sealed_secrets")
    op.execute("ALTER TABLE authorization_codes DROP dpop_jkt")
    op.execute("ALTER TABLE token_families DROP dpop_jkt")
    op.execute("ALTER TABLE refresh_tokens DROP successor")
    op.execute("DELETE FROM signing_keys WHERE alg <> 'ES256'")
    op.execute("ALTER TABLE signing_keys DROP alg, DROP current_from")
