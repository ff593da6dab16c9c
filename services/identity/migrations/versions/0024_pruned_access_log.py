"""The access log is kept for some years: what is cut off its beginning leaves a row, and goes by that row only."""

from alembic import op

revision = "0024"
down_revision = "0023"

STATEMENTS = (
    """
    CREATE TABLE access_log_cuts (
        number integer PRIMARY KEY CHECK (number > 0),
        first bigint NOT NULL,
        last bigint NOT NULL UNIQUE CHECK (last >= first),
        hash bytea NOT NULL,
        before timestamptz NOT NULL,
        cut_at timestamptz NOT NULL,
        digest bytea NOT NULL,
        sealed bytea NOT NULL
    )
    """,
    # its seal is made anew with the key; nothing else about it ever changes
    """
    CREATE TRIGGER access_log_cuts_stay_as_they_are BEFORE UPDATE ON access_log_cuts FOR EACH ROW
    WHEN (to_jsonb(NEW) - 'sealed' <> to_jsonb(OLD) - 'sealed')
    EXECUTE FUNCTION refuse_change_of_access_log()
    """,
    """
    CREATE TRIGGER access_log_cuts_stay BEFORE DELETE OR TRUNCATE ON access_log_cuts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_access_log()
    """,
    "DROP TRIGGER access_log_stays ON access_log",
    """
    CREATE TRIGGER access_log_stays BEFORE TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_access_log()
    """,
    # once a statement, whatever it removes
    """
    CREATE FUNCTION refuse_removal_of_access_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM gone WHERE position IS NULL OR position > (SELECT coalesce(max(last), 0) FROM access_log_cuts)
        ) THEN
            RAISE EXCEPTION 'the access log is append-only' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER access_log_is_cut_only AFTER DELETE ON access_log REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal_of_access_log()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Of a log that was cut nothing is left to verify it by; so nothing was."""
    op.execute("DROP TRIGGER access_log_is_cut_only ON access_log")
    op.execute("DROP FUNCTION refuse_removal_of_access_log")
    op.execute("DROP TRIGGER access_log_stays ON access_log")
    op.execute(
        """
        CREATE TRIGGER access_log_stays BEFORE DELETE OR TRUNCATE ON access_log
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_access_log()
        """
    )
    op.execute("DROP TABLE access_log_cuts")
