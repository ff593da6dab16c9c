"""What an authorization request asks for, checked before anybody is bothered with it.

The same for a request that a browser brings and for one that a client pushes (RFC 9126, section 2.1: "validate the
request as it would an authorization request sent to the authorization endpoint").
"""

from __future__ import annotations

from dataclasses import dataclass

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from services.identity.domain import AUTHORIZATION_CODE, Client, Wish, parse_wish
from services.identity.oauth import resources, response_modes
from services.identity.oauth.claims_request import ClaimsRequest, parse_claims
from services.identity.oauth.grants.authorization_code import AuthorizationCodeGrant
from services.identity.oauth.http import ProviderRequest
from services.identity.oauth.id_token_hint import read_hint
from services.identity.oauth.server import Provider

_NOT_SUPPORTED = {
    "request": RequestNotSupportedError,
    "request_uri": RequestURINotSupportedError,
    "registration": RegistrationNotSupportedError,
}


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """`request_id` tells it from every other, whichever way it came."""

    request: ProviderRequest
    grant: AuthorizationCodeGrant
    wish: Wish
    request_id: str

    @property
    def client(self) -> Client:
        client: Client = self.request.client.registration
        return client

    @property
    def scopes(self) -> frozenset[str]:
        """What a person agrees to: what was asked for, and what claims that were asked for by name stand for."""
        return frozenset(self.request.scope.split()) | self.request.claims.scopes

    @property
    def limits_login(self) -> bool:
        """Not every session will do."""
        return self.wish.limits_login or self.request.claims.subject is not None

    @property
    def page(self) -> dict[str, str]:
        """What the sign-in and consent pages need of it: a name to begin with, and languages in order."""
        hints = response_modes.page_hints(self.request.payload, "login_hint", "ui_locales")
        return {"redirect_uri": str(self.grant.redirect_uri)} | hints


def read(provider: Provider, request: ProviderRequest, request_id: str) -> AuthorizationRequest:
    """Raise `OAuth2Error`, with the `redirect_uri` that it may be told to, and the `state`."""
    request.payload.require_well_formed()
    grant = provider.get_consent_grant(request)
    try:
        wish = _wish(request.payload)
        request.claims = _claims(provider, request)
    except OAuth2Error as error:
        error.redirect_uri, error.state = grant.redirect_uri, request.payload.state
        raise
    return AuthorizationRequest(request, grant, wish, request_id)


def _claims(provider: Provider, request: ProviderRequest) -> ClaimsRequest:
    client: Client = request.client.registration
    asked = parse_claims(request.payload).permitted(client.scopes)
    hint = request.payload.data.get("id_token_hint")
    if hint is None:
        return asked
    hinted = read_hint(provider.issuer, client, hint)
    if hinted is None:
        raise InvalidRequestError("The 'id_token_hint' is no ID token of ours for this client.")
    return asked.about(hinted["sub"])


def _wish(parameters: OAuth2Payload) -> Wish:
    response_modes.require_served(parameters)
    for name, error in _NOT_SUPPORTED.items():
        if name in parameters.data:
            raise error
    resources.require_served(parameters, AUTHORIZATION_CODE)
    try:
        return parse_wish(parameters.data.get("prompt"), parameters.data.get("max_age"))
    except ValueError:
        raise InvalidRequestError("Invalid 'prompt' or 'max_age' in request.") from None
