"""Figures of evidence: what a source was asked for in a time, out of the index alone."""

from alembic import op

revision = "0027"
down_revision = "0026"

# Writes wait while it is built. For many millions of rows, make it before the upgrade with CREATE INDEX CONCURRENTLY.
INDEX = """
CREATE INDEX IF NOT EXISTS evidence_asked ON evidence (source, asked_at)
INCLUDE (paper, item, status, was_late, answered_at) WHERE asked_at IS NOT NULL AND origin IS NULL
"""


def upgrade() -> None:
    op.execute(INDEX)


def downgrade() -> None:
    op.execute("DROP INDEX evidence_asked")
