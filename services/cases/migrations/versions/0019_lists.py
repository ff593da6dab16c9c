"""Lists: items by an index of their own, and what internal notes are found by."""

from alembic import op

revision = "0019"
down_revision = "0018"

# Writes wait while the first one is built: a second and a half at a million cases. For many more, make it before the
# upgrade with CREATE INDEX CONCURRENTLY (docs/operations.md).
INDEXES = """
CREATE INDEX IF NOT EXISTS cases_of_item ON cases (item, number);
ALTER TABLE case_notes ADD COLUMN words text[];
CREATE INDEX case_notes_words ON case_notes USING gin (words);
CREATE INDEX case_notes_unread ON case_notes (id) WHERE words IS NULL;
"""


def upgrade() -> None:
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute("DROP INDEX cases_of_item")
    op.execute("ALTER TABLE case_notes DROP COLUMN words")
