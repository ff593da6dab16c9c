"""Attachments: what is known of each file that was handed in. The bytes stand elsewhere, under the row's id."""

from alembic import op

revision = "0010"
down_revision = "0009"

# a row that has lost its draft and found no case is nobody's, and what stands under its id is removed
ATTACHMENTS = """
CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    applicant text NOT NULL,
    draft uuid REFERENCES drafts ON DELETE SET NULL,
    number text REFERENCES cases,
    document text NOT NULL,
    name bytea NOT NULL,
    length bigint NOT NULL CHECK (length >= 0),
    received bigint NOT NULL DEFAULT 0 CHECK (received <= length),
    parts jsonb NOT NULL DEFAULT '[]',
    status text NOT NULL DEFAULT 'uploading'
        CHECK (status IN ('uploading', 'received', 'clean', 'refused', 'abandoned')),
    fault text,
    media_type text,
    sha256 bytea,
    channel text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    checking_until timestamptz,
    CHECK (draft IS NULL OR number IS NULL)
);
CREATE INDEX attachments_of_draft ON attachments (draft) WHERE draft IS NOT NULL;
CREATE INDEX attachments_of_case ON attachments (number) WHERE number IS NOT NULL;
CREATE INDEX attachments_unfiled ON attachments (applicant) WHERE number IS NULL OR status = 'uploading';
CREATE INDEX attachments_unchecked ON attachments (created_at) WHERE status = 'received';
CREATE INDEX attachments_unwanted ON attachments (expires_at)
    WHERE status IN ('abandoned', 'uploading', 'refused') OR (number IS NULL AND draft IS NULL);
"""


def upgrade() -> None:
    op.execute(ATTACHMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE attachments")
