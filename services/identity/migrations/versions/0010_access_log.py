"""The access log, which the database itself keeps append-only; the inbox that brings it other services' looks."""

from alembic import op

from chassis.tables import create_inbox, create_recently, drop_inbox, drop_recently

revision = "0010"
down_revision = "0009"

TABLES = (
    """
    CREATE TABLE access_log (
        id uuid PRIMARY KEY,
        at timestamptz NOT NULL,
        account text NOT NULL,
        viewer text NOT NULL,
        client text NOT NULL,
        role text NOT NULL,
        department text,
        channel text NOT NULL,
        what text NOT NULL,
        number text,
        purpose text NOT NULL,
        position bigint UNIQUE CHECK (position > 0),
        hash bytea,
        CHECK ((position IS NULL) = (hash IS NULL))
    )
    """,
    "CREATE INDEX access_log_of_account ON access_log (account, at, id)",
    # the one that seals finds what is new among what is new, however long the log is
    "CREATE INDEX access_log_unsealed ON access_log (at, id) WHERE hash IS NULL",
    "CREATE TABLE access_log_head (is_only boolean PRIMARY KEY CHECK (is_only), sealed bytea NOT NULL)",
)
GUARDS = (
    """
    CREATE FUNCTION refuse_change_of_access_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the access log is append-only' USING ERRCODE = 'restrict_violation'; END $$
    """,
    # an entry gets its place in the chain, once; nothing else about it ever changes
    """
    CREATE TRIGGER access_log_is_sealed_only BEFORE UPDATE ON access_log FOR EACH ROW
    WHEN (OLD.hash IS NOT NULL OR NEW.hash IS NULL
          OR to_jsonb(NEW) - 'position' - 'hash' <> to_jsonb(OLD) - 'position' - 'hash')
    EXECUTE FUNCTION refuse_change_of_access_log()
    """,
    """
    CREATE TRIGGER access_log_stays BEFORE DELETE OR TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_access_log()
    """,
    """
    CREATE TRIGGER access_log_head_stays BEFORE DELETE OR TRUNCATE ON access_log_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_access_log()
    """,
)


def upgrade() -> None:
    for statement in (*TABLES, *GUARDS):
        op.execute(statement)
    create_inbox(op)
    create_recently(op)


def downgrade() -> None:
    drop_recently(op)
    drop_inbox(op)
    op.execute("DROP TABLE access_log, access_log_head")
    op.execute("DROP FUNCTION refuse_change_of_access_log")
