"""Figures of cases by month, and how far the history of events was counted for them."""

from alembic import op

revision = "0020"
down_revision = "0019"

# what was published before is counted by a timer, from the first position on
FIGURES = """
CREATE TABLE case_figures (
    department text NOT NULL,
    month date NOT NULL,
    item text NOT NULL,
    channel text NOT NULL,
    event text NOT NULL,
    days smallint NOT NULL,
    kept smallint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (department, month, item, channel, event, days, kept)
);
CREATE TABLE case_figures_counted (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    position bigint NOT NULL
);
INSERT INTO case_figures_counted (position) VALUES (0);
"""


def upgrade() -> None:
    op.execute(FIGURES)


def downgrade() -> None:
    op.execute("DROP TABLE case_figures, case_figures_counted")
