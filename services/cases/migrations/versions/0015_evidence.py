"""Evidence that is fetched for cases, and the consents that it is fetched with."""

from alembic import op

revision = "0015"
down_revision = "0014"

# what it says of a person, and what it was found by, are sealed
EVIDENCE = """
CREATE TABLE evidence (
    id uuid PRIMARY KEY,
    number text NOT NULL REFERENCES cases,
    document text NOT NULL,
    paper text NOT NULL,
    source_kind text NOT NULL CHECK (source_kind IN ('department', 'organisation')),
    source text NOT NULL,
    applicant text NOT NULL,
    item text NOT NULL,
    status text NOT NULL CHECK (status IN (
        'wanted', 'asked', 'provided', 'used', 'declined', 'not-found', 'needs-citizen', 'overdue', 'ended'
    )),
    sequence integer NOT NULL,
    asks smallint NOT NULL,
    consented_at timestamptz,
    consented_until timestamptz,
    asked_at timestamptz,
    due_at timestamptz,
    answered_at timestamptz,
    valid_until date,
    origin text CHECK (origin IN ('certificate', 'evidence')),
    origin_id text,
    was_late boolean NOT NULL,
    content bytea,
    UNIQUE (number, document),
    CHECK (status NOT IN ('asked', 'overdue') OR due_at IS NOT NULL)
);
CREATE INDEX evidence_waiting ON evidence (source_kind, source, due_at, id) WHERE status IN ('asked', 'overdue');
CREATE INDEX evidence_of_applicant ON evidence (applicant, consented_at DESC, id);
CREATE TABLE evidence_consents (
    id uuid PRIMARY KEY,
    evidence uuid NOT NULL REFERENCES evidence,
    applicant text NOT NULL,
    given_by text NOT NULL,
    channel text NOT NULL,
    given_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('withdrawn', 'asked-anew', 'case-ended')),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX evidence_consents_open ON evidence_consents (evidence) WHERE ended_at IS NULL;
"""


# who hears every type hears these from now on, too
HEARD = """
UPDATE subscriptions SET patterns = patterns || more.evidence
FROM (
    SELECT id, array_agg(replace(pattern, 'case.*.', 'evidence.*.')) AS evidence
    FROM subscriptions, unnest(patterns) AS pattern WHERE pattern LIKE 'case.*.%' GROUP BY id
) more
WHERE more.id = subscriptions.id
"""


def upgrade() -> None:
    op.execute(EVIDENCE)
    op.execute(HEARD)


def downgrade() -> None:
    op.execute("DROP TABLE evidence_consents")
    op.execute("DROP TABLE evidence")
