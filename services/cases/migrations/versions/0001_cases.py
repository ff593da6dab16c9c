"""Cases, their append-only history, outbox and inbox."""

from alembic import op

from chassis.tables import create_inbox, create_outbox, drop_inbox, drop_outbox

revision = "0001"
down_revision = None

# `day`, nine digits that only rise, and the Luhn check digit (ISO/IEC 7812-1, annex B): counted from the right end,
# the first, third, ... digit before the check digit is doubled. MAXVALUE keeps lpad from ever cutting a digit off.
CASE_NUMBERS = """
CREATE SEQUENCE case_serial MAXVALUE 999999999 NO CYCLE;

CREATE FUNCTION next_case_number(day date) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    body text := to_char(day, 'YYYYMMDD') || lpad(nextval('case_serial')::text, 9, '0');
    total integer := 0;
    digit integer;
BEGIN
    FOR place IN 1..length(body) LOOP
        digit := substr(body, place, 1)::integer;
        IF (length(body) - place) % 2 = 0 THEN
            digit := digit * 2 - CASE WHEN digit > 4 THEN 9 ELSE 0 END;
        END IF;
        total := total + digit;
    END LOOP;
    RETURN body || ((10 - total % 10) % 10)::text;
END $$;
"""

CASES = """
CREATE TABLE cases (
    number text PRIMARY KEY,
    item text NOT NULL,
    item_version integer NOT NULL,
    department text NOT NULL,
    region text NOT NULL,
    kind text NOT NULL,
    applicant text NOT NULL CHECK (applicant <> ''),
    channel text NOT NULL,
    submitted_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    status text NOT NULL
        CHECK (status IN ('submitted', 'accepted', 'correction_requested', 'withdrawn', 'closed')),
    status_before_correction text,
    decision text CHECK (decision IN ('approved', 'refused')),
    sequence integer NOT NULL CHECK (sequence > 0),
    form jsonb NOT NULL,
    idempotency_key text,
    request_digest bytea NOT NULL,
    CHECK ((status = 'correction_requested') = (status_before_correction IS NOT NULL)),
    CHECK ((status = 'closed') = (decision IS NOT NULL)),
    UNIQUE (applicant, idempotency_key)
);
CREATE INDEX cases_of_applicant ON cases (applicant, number);
CREATE INDEX cases_of_department ON cases (department, number);
"""

CASE_HISTORY = """
CREATE TABLE case_history (
    number text NOT NULL REFERENCES cases,
    sequence integer NOT NULL CHECK (sequence > 0),
    at timestamptz NOT NULL,
    event text NOT NULL,
    channel text NOT NULL,
    actor text NOT NULL,
    actor_subject text NOT NULL,
    note text,
    PRIMARY KEY (number, sequence)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the case history is append-only'; END $$;

CREATE TRIGGER case_history_is_append_only BEFORE UPDATE OR DELETE ON case_history
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    for statements in (CASE_NUMBERS, CASES, CASE_HISTORY):
        op.execute(statements)
    create_outbox(op)
    create_inbox(op)


def downgrade() -> None:
    drop_inbox(op)
    drop_outbox(op)
    op.execute("DROP TABLE case_history, cases")
    op.execute("DROP FUNCTION refuse_change, next_case_number")
    op.execute("DROP SEQUENCE case_serial")
