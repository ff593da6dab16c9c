"""What was given out of results: the digest of each PDF, and who took one, through which channel, when."""

from alembic import op

revision = "0021"
down_revision = "0020"

DOCUMENTS = """
CREATE TABLE result_documents (
    result uuid NOT NULL REFERENCES results,
    language text NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    made_at timestamptz NOT NULL,
    PRIMARY KEY (result, sha256)
);
CREATE TABLE result_downloads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    result uuid NOT NULL REFERENCES results,
    at timestamptz NOT NULL,
    channel text NOT NULL,
    actor text NOT NULL,
    actor_subject text NOT NULL,
    language text NOT NULL,
    hall text
);
CREATE INDEX result_downloads_of ON result_downloads (result, at DESC);
"""


def upgrade() -> None:
    op.execute(DOCUMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE result_downloads; DROP TABLE result_documents")
