"""What citizens report of the access log; how the chain was found when it was last walked."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    # goes with its entry, when that is cut off
    op.execute(
        """
        CREATE TABLE look_reports (
            id uuid PRIMARY KEY,
            entry uuid NOT NULL UNIQUE,
            account text NOT NULL,
            reason bytea NOT NULL,
            reported_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            answer bytea,
            answered_at timestamptz,
            answered_by text,
            CHECK ((answered_at IS NULL) = (answer IS NULL) AND (answered_at IS NULL) = (answered_by IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX look_reports_open ON look_reports (reported_at, id) WHERE answered_at IS NULL")
    op.execute("CREATE INDEX look_reports_answered ON look_reports (answered_at, id) WHERE answered_at IS NOT NULL")
    op.execute(
        """
        CREATE TABLE access_log_checks (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            checked_at timestamptz NOT NULL,
            position bigint NOT NULL,
            fault text
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE access_log_checks, look_reports")
