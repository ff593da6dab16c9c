"""Who corrected or withdrew a part of a joint case while it waited: it has no case, so no history of its own."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE joint_part_history (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            joint text NOT NULL,
            item text NOT NULL,
            at timestamptz NOT NULL,
            event text NOT NULL,
            channel text NOT NULL,
            actor text NOT NULL,
            actor_subject text NOT NULL,
            hall text,
            FOREIGN KEY (joint, item) REFERENCES joint_parts
        )
    """)
    op.execute("CREATE INDEX joint_part_history_of_part ON joint_part_history (joint, item)")


def downgrade() -> None:
    op.execute("DROP TABLE joint_part_history")
