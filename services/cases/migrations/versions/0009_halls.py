"""At which hall's counter something was done."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE case_history ADD hall text")


def downgrade() -> None:
    op.execute("ALTER TABLE case_history DROP hall")
