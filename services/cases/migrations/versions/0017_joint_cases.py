"""Joint cases: one form that files several cases, some of them when another is approved."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE joint_cases (
            -- of the same run of numbers as cases: a number names one thing
            number text PRIMARY KEY,
            item text NOT NULL,
            item_version integer NOT NULL,
            applicant text NOT NULL,
            channel text NOT NULL,
            submitted_at timestamptz NOT NULL,
            idempotency_key text,
            request_digest text NOT NULL,
            UNIQUE (applicant, idempotency_key)
        )
    """)
    op.execute("CREATE INDEX joint_cases_of_applicant ON joint_cases (applicant, number DESC)")
    op.execute("""
        CREATE TABLE joint_parts (
            joint text NOT NULL REFERENCES joint_cases,
            position smallint NOT NULL,
            item text NOT NULL,
            item_version integer NOT NULL,
            needs text[] NOT NULL,
            -- what is filed when it begins; the case has it then
            form jsonb,
            number text UNIQUE REFERENCES cases,
            withdrawn_at timestamptz,
            PRIMARY KEY (joint, item),
            CHECK ((form IS NULL) <> (number IS NULL AND withdrawn_at IS NULL)),
            CHECK (number IS NULL OR withdrawn_at IS NULL)
        )
    """)
    op.execute("ALTER TABLE cases ADD joint text REFERENCES joint_cases")


def downgrade() -> None:
    op.execute("ALTER TABLE cases DROP joint")
    op.execute("DROP TABLE joint_parts")
    op.execute("DROP TABLE joint_cases")
