"""Registers of evidence, what they are asked, and agreements with sources outside government."""

from alembic import op

revision = "0014"
down_revision = "0013"

REGISTRIES = """
CREATE TABLE registries (
    name text PRIMARY KEY,
    owner text NOT NULL,
    is_department boolean NOT NULL,
    url text NOT NULL,
    client_id text NOT NULL,
    kinds text[] NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    rests_until timestamptz
);
CREATE TABLE registry_questions (
    id uuid PRIMARY KEY,
    registry text NOT NULL REFERENCES registries,
    kind text NOT NULL,
    item text NOT NULL,
    keys bytea,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    until timestamptz NOT NULL,
    asked_at timestamptz NOT NULL,
    outcome text,
    finished_at timestamptz,
    CHECK ((outcome IS NULL) = (finished_at IS NULL) AND (outcome IS NULL) = (keys IS NOT NULL))
);
CREATE INDEX registry_questions_due ON registry_questions (registry, next_attempt_at) WHERE outcome IS NULL;
CREATE INDEX registry_questions_over ON registry_questions (finished_at) WHERE outcome IS NOT NULL;
CREATE TABLE source_agreements (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source text NOT NULL,
    reference text NOT NULL,
    documents jsonb NOT NULL,
    items text[] NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (source, reference)
);
"""


def upgrade() -> None:
    op.execute(REGISTRIES)


def downgrade() -> None:
    op.execute("DROP TABLE source_agreements, registry_questions, registries")
