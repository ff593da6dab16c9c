"""Events are heard under other routing keys besides their own."""

from alembic import op

from chassis.tables import add_other_keys, drop_other_keys

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    add_other_keys(op)


def downgrade() -> None:
    drop_other_keys(op)
