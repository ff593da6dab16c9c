"""Messages about how an account is proved."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD COLUMN change text, ADD COLUMN notice text")


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE change IS NOT NULL")
    op.execute("ALTER TABLE messages DROP COLUMN change, DROP COLUMN notice")
