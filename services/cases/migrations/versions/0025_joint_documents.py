"""A file of a joint case is handed in once, for every part that asks for it; its case is one of these parts."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("ALTER TABLE attachments ADD joint text REFERENCES joint_cases")
    op.execute("CREATE INDEX attachments_of_joint ON attachments (joint) WHERE joint IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE attachments DROP joint")
