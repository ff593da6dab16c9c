"""The entrypoints of the provider: authorization, protocol requests, its keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.rpc import rpc
from chassis.timer import timer
from services.identity import queries
from services.identity.base import IdentityBase
from services.identity.oauth import authorization, end_session, protocol
from services.identity.oauth import store as oauth_store
from services.identity.oauth.client_limits import ClientLimits
from services.identity.oauth.http import HttpRequest
from services.identity.oauth.keys import load_keys, rotate
from services.identity.oauth.server import Provider


class ProtocolEntrypoints(IdentityBase):
    @rpc
    def answer_authorization(self, url: str, session: str | None, decision: str | None) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return authorization.answer_authorization(provider, url, session, decision)

    @rpc
    def answer_end_session(self, parameters: str, session: str | None, decision: str | None) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return end_session.answer_end_session(provider, parameters, session, decision)

    @rpc
    def answer_protocol(self, endpoint: str, method: str, url: str, headers: Any, body: str) -> dict[str, Any]:
        request = HttpRequest.of(method, url, headers, body)
        with self.database.transaction() as transaction:
            now = datetime.now(UTC)
            limits = ClientLimits(transaction, self._limit_keys(), now)
            provider = Provider(transaction, self._issuer(transaction), now, limits)
            return protocol.answer_protocol(provider, endpoint, request)

    @rpc
    def get_subject(self, access_token: str) -> str:
        """Whose token it is, also where it does not say so (pairwise subjects). Raise `SessionEnded` for a dead one."""
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return queries.get_subject(provider, access_token)

    @rpc
    def use_proof(self, proof: str, expires_at: float) -> bool:
        """False if the gateway, whichever process, has asked it of this proof (RFC 9449) before."""
        with self.database.transaction() as transaction:
            return oauth_store.use_proof(transaction, proof, datetime.fromtimestamp(expires_at, UTC))

    @timer(interval=600)
    def rotate_signing_keys(self) -> None:
        """Making an RSA key holds everybody up for some tenths of a second, once in a quarter."""
        longest, now = timedelta(days=self.settings.signing_key_days), datetime.now(UTC)
        with self.database.transaction() as transaction:
            seal = self._seal("signing-keys")
            load_keys(transaction, seal, now)
            rotate(transaction, seal, now, older_than=longest)
