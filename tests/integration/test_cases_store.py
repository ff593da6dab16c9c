"""The tables in store.py are those that the migrations make."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.cases.store import metadata


# of partial indexes, when Alembic reads them back; indexes are not compared here
@pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")
def test_the_tables_are_as_migrated(cases_database):
    with cases_database.transaction() as session:
        context = MigrationContext.configure(
            session,
            opts={
                "compare_type": True,
                "include_object": lambda thing, name, kind, reflected, other: (
                    name in metadata.tables if kind == "table" else kind == "column"
                ),
            },
        )
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO kept VALUES (NULL, :written)",
        "INSERT INTO kept VALUES (1, :written), (1, :written)",
        "INSERT INTO kept VALUES (-1, :written)",
        "SELECT CAST(:written AS date)",
    ],
)
def test_a_statement_that_the_database_refuses_repeats_nothing_that_somebody_wrote(cases_database, statement):
    with cases_database.transaction() as session:
        session.execute(
            text("CREATE TEMPORARY TABLE kept (number int PRIMARY KEY CHECK (number > 0), text text) ON COMMIT DROP")
        )
        with pytest.raises(DBAPIError) as refused, session.begin_nested():
            session.execute(text(statement), {"written": "by a citizen"})
    assert refused.value.orig.pgcode
    assert "by a citizen" not in "".join(map(str, (refused.value, refused.value.orig)))
