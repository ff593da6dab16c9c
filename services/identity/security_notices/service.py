"""The entrypoints of notices, and of "this was not me"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from services.identity.base import IdentityBase
from services.identity.security_notices import queries, refusing
from services.identity.security_notices.codes import NoticeKeys
from services.identity.security_notices.looking_up import Lookup


class NoticeEntrypoints(IdentityBase):
    @rpc
    def get_security_notices(self, notices: list[str]) -> dict[str, dict[str, Any]]:
        now, keys = datetime.now(UTC), self._notice_keys()
        with self.database.transaction() as transaction:
            return queries.get_security_notices(transaction, self._vault(), keys, self.actor, notices, now)

    @rpc
    def get_security_notice(self, code: str) -> dict[str, Any]:
        return refusing.get_notice(self._lookup(), code, datetime.now(UTC))

    @rpc
    def refuse_change(self, code: str) -> dict[str, Any]:
        return refusing.refuse(self._lookup(), code, datetime.now(UTC))

    @rpc
    def get_own_security_notice(self, session: str, notice: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return refusing.get_own_notice(transaction, self.actor, session, notice, datetime.now(UTC))

    @rpc
    def refuse_own_change(self, session: str, notice: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return refusing.refuse_own(transaction, self.actor, session, notice, datetime.now(UTC))

    def _notice_keys(self) -> NoticeKeys:
        return NoticeKeys(self.settings.cookie_key.get_secret_value(), self._other_key())

    def _lookup(self) -> Lookup:
        return Lookup(self.database, self._notice_keys(), self._limit_keys())
