"""Which looks at a case were told a short while ago."""

from alembic import op

from chassis.tables import create_recently, drop_recently

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_recently(op)


def downgrade() -> None:
    drop_recently(op)
