"""The entrypoints for what delivers one-time codes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from services.identity.base import IdentityBase
from services.identity.codes import commands, queries


class CodeEntrypoints(IdentityBase):
    @rpc
    def get_codes(self, challenges: list[str]) -> dict[str, dict[str, Any]]:
        with self.database.transaction() as transaction:
            return queries.get_codes(transaction, self.actor, self._code_keys(), challenges, datetime.now(UTC))

    @rpc
    def confirm_codes_sent(self, challenges: list[str]) -> None:
        with self.database.transaction() as transaction:
            commands.confirm_sent(transaction, self.actor, challenges)
