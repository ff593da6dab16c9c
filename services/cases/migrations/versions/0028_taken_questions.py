"""Until when a question is in the hands of who asks it: so that all replicas count what is under way at a register."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.execute("ALTER TABLE registry_questions ADD taken_until timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE registry_questions DROP taken_until")
