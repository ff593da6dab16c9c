from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import services.identity.service  # noqa: F401 (it imports the tables of every area)
from services.identity.tables import metadata

CHASSIS = ("history", "replays", "queue_positions", "schedule", "recently")


def test_the_migrations_make_the_tables_that_the_code_expects(identity_database):
    with identity_database.transaction() as transaction:
        context = MigrationContext.configure(transaction, opts={"compare_type": True})
        ours = [change for change in compare_metadata(context, metadata) if not _is_chassis(change)]
    assert ours == []


def _is_chassis(change):
    """The outbox with its partitions, and what the relay keeps beside it, belong to the chassis."""
    subject = change[1]
    name = getattr(getattr(subject, "table", subject), "name", "")
    return name.startswith(("outbox", "inbox")) or name in CHASSIS
