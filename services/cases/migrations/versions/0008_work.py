"""The work on cases: more states, steps, who handles a case, its clock, internal notes."""

from alembic import op

revision = "0008"
down_revision = "0007"

# Only catalogue entries: a column with a constant default rewrites nothing (PostgreSQL 11 and later), and what the old
# check let through the new one does, so no row is looked at again.
CASES = """
ALTER TABLE cases
    ADD COLUMN step text,
    ADD COLUMN handler text,
    ADD COLUMN assignee text,
    ADD COLUMN asked_at timestamptz,
    ADD COLUMN answer_by date,
    ADD COLUMN delivered_by text,
    ADD COLUMN reopened_at timestamptz,
    ADD COLUMN clock_from date,
    ADD COLUMN promised_left integer,
    ADD COLUMN statutory_left integer,
    ADD COLUMN due_on date,
    ADD COLUMN statutory_due_on date,
    ADD COLUMN due_stage smallint NOT NULL DEFAULT 0,
    ADD COLUMN is_beyond_statute boolean NOT NULL DEFAULT false,
    ADD COLUMN is_due_tentative boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT cases_status_check,
    ADD CONSTRAINT cases_status_check CHECK (status IN (
        'submitted', 'accepted', 'provisionally_accepted', 'correction_requested', 'suspended',
        'not_accepted', 'withdrawn', 'lapsed', 'closed'
    )) NOT VALID;
ALTER TABLE case_history ADD COLUMN details jsonb;
"""

# small: of open cases only
INDEXES = """
CREATE INDEX cases_at_work ON cases (department, due_on, number)
    WHERE handler IS NULL AND status IN (
        'submitted', 'accepted', 'provisionally_accepted', 'correction_requested', 'suspended'
    );
CREATE INDEX cases_passed_on ON cases (handler, due_on, number) WHERE handler IS NOT NULL;
CREATE INDEX cases_tentative ON cases (number) WHERE is_due_tentative;
"""

NOTES = """
CREATE TABLE case_notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL REFERENCES cases,
    at timestamptz NOT NULL,
    author text NOT NULL,
    role text NOT NULL,
    department text,
    text text NOT NULL
);
CREATE INDEX case_notes_of_case ON case_notes (number, id);
"""

# who can be given a case: officers as each call says of its actor
STAFF = """
CREATE TABLE case_staff (
    subject text PRIMARY KEY,
    department text NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX case_staff_of_department ON case_staff (department, seen_at);
"""

FORMER_CASES = """
ALTER TABLE cases
    DROP COLUMN step, DROP COLUMN handler, DROP COLUMN assignee, DROP COLUMN asked_at, DROP COLUMN answer_by,
    DROP COLUMN delivered_by, DROP COLUMN reopened_at, DROP COLUMN clock_from, DROP COLUMN promised_left,
    DROP COLUMN statutory_left, DROP COLUMN due_on, DROP COLUMN statutory_due_on, DROP COLUMN due_stage,
    DROP COLUMN is_beyond_statute, DROP COLUMN is_due_tentative,
    DROP CONSTRAINT cases_status_check,
    ADD CONSTRAINT cases_status_check
        CHECK (status IN ('submitted', 'accepted', 'correction_requested', 'withdrawn', 'closed'));
"""


def upgrade() -> None:
    for statements in (CASES, INDEXES, NOTES, STAFF):
        op.execute(statements)


def downgrade() -> None:
    """Refused by the old check while there are cases in states that it does not know."""
    op.execute("DROP TABLE case_staff, case_notes")
    op.execute("ALTER TABLE case_history DROP COLUMN details")
    op.execute(FORMER_CASES)
