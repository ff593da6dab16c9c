"""The tables in store.py are those that the migrations make."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

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
