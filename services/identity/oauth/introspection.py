"""Token introspection (RFC 7662): what a token is worth now, for whoever must not only trust its signature.

A client may ask about its own tokens, a resource server (a client with the scope `introspect`) about all access tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint as BaseEndpoint

from services.identity.oauth import refreshing
from services.identity.oauth.client_authentication import ClientNotAuthentic
from services.identity.oauth.http import ProviderRequest
from services.identity.oauth.presented import find_live
from services.identity.oauth.tokens import BEARER, DPOP

RESOURCE_SERVER = "introspect"
_TOLD = (
    "iss",
    "sub",
    "aud",
    "client_id",
    "scope",
    "exp",
    "iat",
    "jti",
    "channel",
    "acr",
    "act",
    "authorization_details",
    "cnf",
)
"""Claims of an access token that its introspection tells (RFC 7662, section 2.2; RFC 8693, section 4.1)."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that is active, and what is told of it."""

    client_id: str
    told: dict[str, Any]
    is_refresh_token: bool = False

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


class IntrospectionEndpoint(BaseEndpoint):
    def authenticate_endpoint_client(self, request: ProviderRequest) -> Any:
        client = super().authenticate_endpoint_client(request)
        # section 2.1: "the authorization server MUST also require some form of authorization", against scanning
        if client.registration.is_public:
            raise ClientNotAuthentic
        return client

    def check_params(self, request: ProviderRequest, client: Any) -> None:
        # section 2.1: the hint may be ignored, and our two kinds of token cannot be confused
        if "token" not in request.form:
            raise InvalidRequestError("Missing 'token' in request.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> KnownToken | None:
        live = find_live(self.server, token_string)
        if live is None:
            return self._refresh_token(token_string)
        token_type = BEARER if live.jkt is None else DPOP
        told = {name: live.claims[name] for name in _TOLD if name in live.claims}
        return KnownToken(live.claims["client_id"], told | {"token_type": token_type})

    def _refresh_token(self, secret: str) -> KnownToken | None:
        server = self.server
        found = refreshing.find_unused(server.session, secret, server.now)
        client = server.query_client(found.family.client_id) if found else None
        if found is None or client is None:
            return None
        told = {
            "iss": server.issuer.url,
            "sub": server.issuer.subjects.seen_by(client.registration, found.family.subject),
            "client_id": found.family.client_id,
            "scope": found.family.scope,
            "exp": int(found.expires_at.timestamp()),
        }
        return KnownToken(found.family.client_id, told, is_refresh_token=True)

    def check_permission(self, token: KnownToken, client: Any, request: ProviderRequest) -> bool:
        if token.client_id == client.get_client_id():
            return True
        return RESOURCE_SERVER in client.registration.scopes and not token.is_refresh_token

    def introspect_token(self, token: KnownToken) -> dict[str, Any]:
        return token.told
