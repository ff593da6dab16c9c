"""Events are heard under other routing keys besides their own."""

from alembic import op

from chassis.tables import add_other_keys, drop_other_keys

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    add_other_keys(op)


def downgrade() -> None:
    drop_other_keys(op)
