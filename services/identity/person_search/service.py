"""The entrypoint of searches by ID number."""

from __future__ import annotations

from datetime import UTC, datetime

from chassis.rpc import rpc
from services.identity.base import IdentityBase
from services.identity.person_search import commands


class PersonSearchEntrypoints(IdentityBase):
    @rpc
    def find_applicant(self, id_number: str) -> str | None:
        vault, limits = self._vault(), self._limit_keys()
        return commands.find_applicant(self.database, vault, limits, self.actor, id_number, datetime.now(UTC))
