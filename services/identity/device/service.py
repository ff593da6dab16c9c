"""The entrypoint of the page on which a device is approved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from services.identity.base import IdentityBase
from services.identity.device import approval
from services.identity.oauth.server import Provider


class DeviceEntrypoints(IdentityBase):
    @rpc
    def answer_device(self, session: str | None, user_code: str | None, decision: str | None) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return approval.answer_device(provider, session, user_code, decision)
