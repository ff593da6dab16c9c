"""The provider, put together. `GRANTS` and `ENDPOINTS` are the one list of what is enabled; discovery reads it too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidRequestError,
    UnsupportedResponseTypeError,
)

from chassis.database import Session
from services.identity import store
from services.identity.domain import SCOPES, Client
from services.identity.oauth import client_assertion, dpop, http, resources, tokens
from services.identity.oauth.client import RegisteredClient
from services.identity.oauth.client_authentication import authenticate_client
from services.identity.oauth.client_limits import ClientLimits
from services.identity.oauth.grants.authorization_code import AuthorizationCodeGrant
from services.identity.oauth.grants.client_credentials import ClientCredentialsGrant
from services.identity.oauth.grants.device_code import DeviceCodeGrant
from services.identity.oauth.grants.refresh_token import RefreshTokenGrant
from services.identity.oauth.grants.token_exchange import TokenExchangeGrant
from services.identity.oauth.http import Answer, HttpRequest, ProviderRequest
from services.identity.oauth.id_token import IdToken
from services.identity.oauth.introspection import IntrospectionEndpoint
from services.identity.oauth.pkce import S256Required
from services.identity.oauth.revocation import RevocationEndpoint
from services.identity.oauth.store import use_assertion
from services.identity.oauth.tokens import Issuer
from services.identity.oauth.userinfo import UserInfoEndpoint
from services.identity.sealing import hash_secret

GRANTS: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (AuthorizationCodeGrant, (S256Required(), IdToken())),
    (RefreshTokenGrant, (IdToken(),)),
    (ClientCredentialsGrant, ()),
    (DeviceCodeGrant, (IdToken(),)),
    (TokenExchangeGrant, ()),
)
ENDPOINTS = (RevocationEndpoint, IntrospectionEndpoint, UserInfoEndpoint)


class Provider(AuthorizationServer):
    """One request's provider: all it reads and writes happens in the transaction of `session`, at `now`."""

    def __init__(self, session: Session, issuer: Issuer, now: datetime, limits: ClientLimits | None = None) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.session = session
        self.issuer = issuer
        self.now = now
        self.limits = limits
        self.dpop_jkt: str | None = None  # of the key that the client has proved at the token endpoint
        for grant, extensions in GRANTS:
            self.register_grant(grant, extensions)
        for endpoint in ENDPOINTS:
            self.register_endpoint(endpoint)

    def query_client(self, client_id: str) -> RegisteredClient | None:
        client = store.get_client(self.session, client_id)
        return RegisteredClient(client) if client and client.is_live(self.now) else None

    def authenticate_client(self, request: ProviderRequest, methods: Any, endpoint: str = "token") -> RegisteredClient:
        """Which methods a client may use is said in its registration, the same at each endpoint."""
        request.payload.require_well_formed()
        client = authenticate_client(self.query_client, self._accept_assertion, request, self.limits)
        if endpoint == "token":
            self.dpop_jkt = dpop.prove_key(self, request, client.registration)
        return client

    def _accept_assertion(self, client: Client, assertion: str) -> bool:
        """RFC 9126, section 2 adds the endpoint for pushed requests to the audiences of OpenID Connect."""
        url = self.issuer.url
        audiences = frozenset((url, f"{url}/oauth/token", f"{url}/oauth/par"))
        try:
            jti, expires_at = client_assertion.read_assertion(client, assertion, audiences, self.now)
        except client_assertion.AssertionInvalid:
            return False
        return use_assertion(self.session, client.id, hash_secret(jti), expires_at)

    def get_authorization_grant(self, request: ProviderRequest) -> Any:
        """RFC 6749, section 4.1.2.1: a missing response_type is invalid_request; errors go to a checked address."""
        for grant_class, extensions in self._authorization_grants:
            if grant_class.check_authorization_endpoint(request):
                return _with_extensions(grant_class(request, self), extensions)
        client = self.query_client(request.payload.client_id or "")
        uri = request.payload.redirect_uri
        checked_uri = uri if uri and client and client.check_redirect_uri(uri) else None
        if request.payload.response_type is None:
            raise InvalidRequestError("Missing 'response_type' in request.", redirect_uri=checked_uri)
        raise UnsupportedResponseTypeError(request.payload.response_type, redirect_uri=checked_uri)

    def get_token_grant(self, request: ProviderRequest) -> Any:
        request.payload.require_well_formed()
        if request.payload.grant_type is None:
            raise InvalidRequestError("Missing 'grant_type' in request.")
        grant = super().get_token_grant(request)
        resources.require_served(request.payload, grant.GRANT_TYPE)
        return grant

    def generate_token(
        self,
        grant_type: str,
        client: RegisteredClient,
        user: tokens.Grantee | None = None,
        scope: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> dict[str, Any]:
        registered, jkt = client.registration, self.dpop_jkt
        if user is None:
            return tokens.issue_client_token(self.issuer, registered, scope or "", self.now, jkt)
        return tokens.issue_tokens(self.session, self.issuer, registered, user, scope or "", self.now, jkt)

    def save_token(self, token: dict[str, Any], request: ProviderRequest) -> None:
        """Done as they were made: a refresh token is a row, an access token is none."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: HttpRequest | ProviderRequest) -> ProviderRequest:
        return request if isinstance(request, ProviderRequest) else ProviderRequest(request)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        return http.answer(status, body, headers)


def _with_extensions(grant: Any, extensions: tuple[Any, ...]) -> Any:
    for extension in extensions:
        extension(grant)
    return grant
