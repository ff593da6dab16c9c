"""What need not be done again so soon: a key that was claimed is taken until its time is over.

For what is said once in a while however often it happens. Between the claims of two transactions the second waits for
the first; if that one is undone, the second has the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import text

from chassis.database import Session

# a key that is still taken costs a read and no write; in order, so that two with many keys do not wait for each other
_CLAIM = text(
    """
    INSERT INTO recently (key, until)
    SELECT wanted.key, :until FROM unnest(CAST(:keys AS bytea[])) AS wanted (key)
    WHERE NOT EXISTS (SELECT FROM recently WHERE recently.key = wanted.key AND recently.until > :now)
    ORDER BY wanted.key
    ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE recently.until <= :now
    RETURNING key
    """
)
_PRUNE = text("DELETE FROM recently WHERE until <= :now")


def key_of(*parts: str) -> bytes:
    """Of fixed length, and of no use to whoever reads the table."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()


def claim(session: Session, keys: Iterable[bytes], window: timedelta, now: datetime) -> set[bytes]:
    """Those of the keys that nobody has claimed within `window`; they are taken from now on."""
    values = {"keys": sorted(set(keys)), "until": now + window, "now": now}
    return {bytes(key) for key in session.execute(_CLAIM, values).scalars()} if values["keys"] else set()


def prune(session: Session, now: datetime) -> None:
    session.execute(_PRUNE, {"now": now})
