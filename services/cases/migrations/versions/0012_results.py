"""Results: the documents that decisions make. What one says of a person is sealed."""

from alembic import op

revision = "0012"
down_revision = "0011"

# nobody may find out what somebody holds without being asked for that person, so the code is kept hashed
RESULTS = """
CREATE TABLE results (
    id uuid PRIMARY KEY,
    number text NOT NULL REFERENCES cases,
    serial smallint NOT NULL CHECK (serial >= 1),
    paper text NOT NULL,
    form text NOT NULL CHECK (form IN ('certificate', 'decision')),
    decision text NOT NULL CHECK (decision IN ('approved', 'refused')),
    holder text NOT NULL,
    item text NOT NULL,
    item_version integer NOT NULL,
    department text NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_on date NOT NULL,
    valid_until date CHECK (valid_until >= issued_on),
    status text NOT NULL CHECK (status IN ('valid', 'superseded', 'revoked')),
    ended_at timestamptz,
    end_reason text,
    code_hash bytea NOT NULL UNIQUE,
    content bytea NOT NULL,
    UNIQUE (number, serial),
    CHECK ((status = 'valid') = (ended_at IS NULL)),
    CHECK (form = 'decision' OR decision = 'approved')
);
CREATE INDEX results_held ON results (holder, issued_at DESC, id);
CREATE UNIQUE INDEX results_valid ON results (number) WHERE status = 'valid';
"""


def upgrade() -> None:
    op.execute(RESULTS)


def downgrade() -> None:
    op.execute("DROP TABLE results")
