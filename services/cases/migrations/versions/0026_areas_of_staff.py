"""Officers of a region's hall: a case is assigned to who may see it."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    # the digits that a region's code begins with; none is every region
    op.execute("ALTER TABLE case_staff ADD area text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE case_staff DROP area")
