"""The addresses of notices, sealed anew while ONEHALL_COOKIE_KEY changes."""

from __future__ import annotations

from chassis.database import Database
from services.identity.persons.vault import Vault
from services.identity.sealing import SealedOtherwise
from services.identity.security_notices import store

_AT_A_TIME = 500


def reseal(database: Database, vault: Vault) -> int:
    """Seal all under the present key, a batch a transaction; how many. What does not open is of no use and goes.

    Codes that were sent under the other key are good for as long as that is set.
    """
    done = 0
    while True:
        with database.transaction() as session:
            rows = store.lock_sealed_otherwise(session, vault.key_id, _AT_A_TIME)
            for row in rows:
                try:
                    value = vault.open(row.subject, row.kind, row.sealed, row.key_id)
                except SealedOtherwise:
                    store.remove_address(session, row)
                    continue
                sealed = vault.close(row.subject, row.kind, value)
                store.save_sealed(session, row, sealed.sealed, sealed.index, sealed.key_id)
                done += 1
        if not rows:
            return done
