"""What officers are called, for the list of whom a case can be given to."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE case_staff ADD COLUMN name text")


def downgrade() -> None:
    op.execute("ALTER TABLE case_staff DROP COLUMN name")
