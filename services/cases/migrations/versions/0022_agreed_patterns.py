"""An agreement on all events of others is one on their shared history, not on what they are asked for as sources."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute(
        "UPDATE subscriptions SET patterns = ARRAY("
        "SELECT pattern FROM unnest(patterns) AS pattern WHERE pattern NOT LIKE 'evidence.*.%'"
        ") WHERE agreement IS NOT NULL AND EXISTS ("
        "SELECT FROM unnest(patterns) AS pattern WHERE pattern LIKE 'evidence.*.%')"
    )


def downgrade() -> None:
    """Nothing heard more than it was to."""
