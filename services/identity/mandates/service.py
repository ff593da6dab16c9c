"""The entrypoints of mandates and guardianships."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from contracts.errors import SessionEnded
from services.identity.base import IdentityBase
from services.identity.mandates import commands as mandate_commands
from services.identity.mandates import queries as mandate_queries
from services.identity.mandates.acting import act_for
from services.identity.oauth.server import Provider


class MandateEntrypoints(IdentityBase):
    @rpc
    def get_acting(self, secret: str, mandate: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            found = act_for(provider, self._web_sessions(transaction), secret, mandate)
        # after the commit, as of `get_web_session`
        if found is None:
            raise SessionEnded
        return found

    @rpc
    def list_mandates(self) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return mandate_queries.list_mandates(transaction, self.actor, datetime.now(UTC))

    @rpc
    def grant_mandate(self, agent: str, item: str | None, number: str | None, until: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            return mandate_commands.grant(
                transaction, self._vault(), self.actor, agent, item=item, number=number, until=until, now=now
            )

    @rpc
    def accept_mandate(self, mandate: str) -> None:
        with self.database.transaction() as transaction:
            mandate_commands.accept(transaction, self.actor, mandate, datetime.now(UTC))

    @rpc
    def end_mandate(self, mandate: str) -> None:
        with self.database.transaction() as transaction:
            mandate_commands.end(transaction, self.actor, mandate, datetime.now(UTC))

    @rpc
    def confirm_guardianship(
        self, ward_id_number: str, guardian_id_number: str, ward_name: str | None = None, until: str | None = None
    ) -> dict[str, Any]:
        seen = mandate_commands.Guardianship(ward_id_number, ward_name, guardian_id_number, until)
        with self.database.transaction() as transaction:
            return mandate_commands.confirm_guardianship(
                transaction, self._vault(), self.actor, seen, datetime.now(UTC)
            )
