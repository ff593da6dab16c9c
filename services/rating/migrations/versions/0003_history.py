"""The outbox as a history of events, a partition a month."""

from alembic import op

from chassis.tables import join_outbox, partition_outbox

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    partition_outbox(op)


def downgrade() -> None:
    join_outbox(op)
