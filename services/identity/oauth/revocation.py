"""Token revocation (RFC 7009). A refresh token takes its whole family along, an access token only itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint as BaseEndpoint

from services.identity.oauth import store
from services.identity.oauth.http import ProviderRequest
from services.identity.sealing import hash_secret


@dataclass(frozen=True, slots=True)
class RevocableToken:
    """`family_id` of a refresh token, or the `jti` and expiry of an access token."""

    client_id: str
    family_id: str | None = None
    jti: str | None = None
    expires_at: datetime | None = None

    def check_client(self, client: Any) -> bool:
        return bool(self.client_id == client.get_client_id())


class RevocationEndpoint(BaseEndpoint):
    def check_params(self, request: ProviderRequest, client: Any) -> None:
        # RFC 7009, section 2.1: the hint may be ignored, and our two kinds of token cannot be confused
        request.payload.require_well_formed()
        if "token" not in request.form:
            raise InvalidRequestError("Missing 'token' in request.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> RevocableToken | None:
        """None for what is unknown or expired: RFC 7009, section 2.2 answers 200 all the same."""
        server = self.server
        if family := store.lock_family_of_refresh_token(server.session, hash_secret(token_string)):
            return RevocableToken(family.client_id, family_id=family.id)
        claims = server.issuer.read_access_token(token_string, server.now)
        if claims is None:
            return None
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        return RevocableToken(claims["client_id"], jti=claims["jti"], expires_at=expires_at)

    def revoke_token(self, token: RevocableToken, request: ProviderRequest) -> None:
        session = self.server.session
        if token.family_id is not None:
            store.revoke_family(session, token.family_id, self.server.now)
        if token.jti is not None and token.expires_at is not None:
            store.revoke_access_token(session, token.jti, token.expires_at)
