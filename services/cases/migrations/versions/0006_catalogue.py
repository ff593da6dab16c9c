"""The catalogue: every version of every service item, and which one is published."""

from alembic import op

revision = "0006"
down_revision = "0005"

# `digest` is of the content without its version, so that what has not changed is known. `revision` rises with every
# change and is what a replica looks at; whoever publishes locks its row.
CATALOGUE = """
CREATE TABLE item_versions (
    code text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    origin text NOT NULL CHECK (origin IN ('file', 'import')),
    content jsonb NOT NULL,
    digest bytea NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (code, version)
);
CREATE TABLE published_items (
    code text PRIMARY KEY,
    version integer NOT NULL,
    FOREIGN KEY (code, version) REFERENCES item_versions
);
CREATE TABLE catalogue_revision (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    revision bigint NOT NULL
);
INSERT INTO catalogue_revision (revision) VALUES (0);

CREATE FUNCTION refuse_change_of_item() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a version of an item stays as it was published'; END $$;

CREATE TRIGGER item_versions_stay BEFORE UPDATE OR DELETE ON item_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_item();
"""


def upgrade() -> None:
    op.execute(CATALOGUE)


def downgrade() -> None:
    op.execute("DROP TABLE published_items, item_versions, catalogue_revision")
    op.execute("DROP FUNCTION refuse_change_of_item")
