"""The entrypoints of the counter: proofs of presence, and visits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from contracts.errors import SessionEnded
from services.identity.base import IdentityBase
from services.identity.oauth.server import Provider
from services.identity.presence import commands as presence
from services.identity.presence import visits
from services.identity.web_sessions import use_web_session


class PresenceEntrypoints(IdentityBase):
    @rpc
    def prove_presence(self, id_number: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return presence.prove_by_id_number(self.database, self._vault(), self.actor, id_number, now)

    @rpc
    def send_presence_code(self, phone: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            now, keys = datetime.now(UTC), self._code_keys()
            return presence.send_code(transaction, self._vault(), keys, self.actor, phone, now)

    @rpc
    def prove_presence_by_code(self, challenge: str, code: str) -> dict[str, Any]:
        now, keys = datetime.now(UTC), self._code_keys()
        return presence.prove_by_code(self.database, keys, self.actor, challenge, code, now)

    @rpc
    def open_visit(self, session: str, presence_token: str) -> str:
        """`session` is the clerk's at the hall. Raise `SessionEnded`."""
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            found = use_web_session(transaction, self._web_sessions(transaction), session, now)
            provider = Provider(transaction, self._issuer(transaction), now)
            secret = visits.open_visit(provider, found["access_token"], presence_token) if found else None
        if secret is None:
            raise SessionEnded
        return secret

    @rpc
    def get_visit(self, secret: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return visits.get_visit(provider, secret)

    @rpc
    def end_visit(self, secret: str) -> None:
        with self.database.transaction() as transaction:
            visits.end_visit(transaction, secret)
