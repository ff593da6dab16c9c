"""The table in store.py is the one that the migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.rating.store import metadata


def test_the_table_is_as_migrated(rating_database):
    with rating_database.transaction() as session:
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
