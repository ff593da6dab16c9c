"""What is done with all that persons have said of themselves."""

from __future__ import annotations

from typing import Any

from chassis.database import Database
from services.identity.persons import store
from services.identity.persons.tables import identifiers
from services.identity.persons.vault import Vault
from services.identity.security_notices.tables import security_notice_addresses

_AT_A_TIME = 500
"""Rows that stay locked together: a sign-in that needs one of them waits for some tenths of a second at most."""


def reseal(database: Database, vault: Vault) -> tuple[int, int]:
    """Seal everything under the present key, a batch a transaction. How many were sealed, and how many do not open.

    Safe to stop and to repeat, beside everything else: processes with either key read both, and what one writes with
    the old key after the batch has passed is found by the next run.
    """
    while _seal_plain_mails(database, vault):
        pass
    done = closed = 0
    for table in (identifiers, security_notice_addresses):
        after: tuple[Any, ...] | None = None
        is_first = True
        while is_first or after is not None:
            with database.transaction() as session:
                sealed, unopened, after = store.reseal(session, vault, table, after, _AT_A_TIME)
            done, closed, is_first = done + sealed, closed + unopened, False
    return done, closed


def _seal_plain_mails(database: Database, vault: Vault) -> int:
    with database.transaction() as session:
        return store.seal_plain_mails(session, vault, _AT_A_TIME)
