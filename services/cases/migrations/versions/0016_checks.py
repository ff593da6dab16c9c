"""Which evidence a register is asked for, and how what it says compares with the form."""

from alembic import op

revision = "0016"
down_revision = "0015"

# a check says of each field whether both say the same, and neither value; the reason is the applicant's, sealed
CHECKS = """
ALTER TABLE registry_questions
    ADD COLUMN evidence uuid NOT NULL REFERENCES evidence,
    ADD COLUMN number text NOT NULL,
    ADD COLUMN asks smallint NOT NULL;
CREATE INDEX registry_questions_of_evidence ON registry_questions (evidence);
CREATE TABLE evidence_checks (
    id uuid PRIMARY KEY,
    evidence uuid NOT NULL REFERENCES evidence,
    compared_at timestamptz NOT NULL,
    outcomes jsonb NOT NULL,
    reason bytea
);
CREATE INDEX evidence_checks_of_evidence ON evidence_checks (evidence, compared_at);
"""


def upgrade() -> None:
    # nothing could be asked before
    op.execute("DELETE FROM registry_questions")
    op.execute(CHECKS)


def downgrade() -> None:
    op.execute("DROP TABLE evidence_checks")
    op.execute("ALTER TABLE registry_questions DROP COLUMN evidence, DROP COLUMN number, DROP COLUMN asks")
