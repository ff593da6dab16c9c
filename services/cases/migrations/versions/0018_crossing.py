"""Cases that were filed in another region than decides them: at which hall, and where their papers are."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD filed_hall text, ADD papers text")


def downgrade() -> None:
    op.execute("ALTER TABLE cases DROP filed_hall, DROP papers")
