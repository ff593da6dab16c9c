"""Which notice a code is of. Wrong codes are counted for the address that they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Database
from contracts.errors import NotFound
from services.identity.limits import guard
from services.identity.limits import store as limit_store
from services.identity.limits.domain import RECOVERY_ADDRESS
from services.identity.limits.guard import LimitKeys
from services.identity.security_notices import store
from services.identity.security_notices.codes import NoticeKeys


@dataclass(frozen=True, slots=True)
class Lookup:
    database: Database
    keys: NoticeKeys
    limits: LimitKeys

    def require(self, code: str, now: datetime) -> Any:
        """The live notice's row. Raise `NotFound` for a code that is used, too old or none, and `TooManyAttempts`."""
        buckets = self.limits.of_address(RECOVERY_ADDRESS)
        with self.database.transaction() as session:
            guard.require_tries(session, buckets, now)
            found = store.find(session, self.keys.hashes(code), now)
            if found is not None:
                limit_store.put_back(session, buckets)
        # after the commit, because a wrong code counts
        if found is None:
            raise NotFound("notice")
        return found
