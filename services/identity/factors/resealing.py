"""The secrets of authenticator apps, sealed anew while ONEHALL_COOKIE_KEY changes."""

from __future__ import annotations

from chassis.database import Database
from services.identity.factors import store
from services.identity.sealing import Seal, SealedOtherwise

_AT_A_TIME = 500


def reseal(database: Database, seal: Seal) -> tuple[int, int]:
    """Seal all under the present key, a batch a transaction. How many were sealed, and how many do not open.

    Safe to stop and to repeat, beside everything else. What waits in a browser for its first code is not kept here, and
    opens with the other key for as long as that is set.
    """
    done = closed = 0
    after: str | None = ""
    while after is not None:
        with database.transaction() as session:
            rows = store.lock_totps(session, after, _AT_A_TIME)
            for row in rows:
                place = row.subject.encode()
                try:
                    store.set_totp_secret(session, row.subject, seal.close(seal.open(bytes(row.secret), place), place))
                    done += 1
                except SealedOtherwise:
                    closed += 1
            after = rows[-1].subject if rows else None
    return done, closed
