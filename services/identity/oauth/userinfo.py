"""The UserInfo endpoint (OpenID Connect Core, section 5.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import Endpoint, InvalidRequestError
from authlib.oauth2.rfc6750.errors import InsufficientScopeError, InvalidTokenError

from services.identity import store as identity_store
from services.identity.domain import Account
from services.identity.oauth import store
from services.identity.oauth.claims import opened_by, values_of
from services.identity.oauth.claims_request import ClaimsRequest
from services.identity.oauth.http import ProviderRequest
from services.identity.oauth.tokens import family_of


class TokenMissing(OAuth2Error):
    """RFC 6750, section 3.1: without any authentication, "SHOULD NOT include an error code"."""

    status_code = 401

    def get_body(self) -> list[tuple[str, str]]:
        return []

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), ("WWW-Authenticate", "Bearer")]


class ScopeMissing(InsufficientScopeError):
    def get_headers(self) -> list[tuple[str, str]]:
        challenge = 'Bearer error="insufficient_scope", scope="openid"'
        return [*super().get_headers(), ("WWW-Authenticate", challenge)]


class UserInfoEndpoint(Endpoint):
    ENDPOINT_NAME = "userinfo"

    def create_endpoint_response(self, request: ProviderRequest) -> tuple[int, Any, list[tuple[str, str]]]:
        claims = self.server.issuer.read_access_token(_bearer_token(request), self.server.now)
        if claims is None or self._is_revoked(claims):
            raise InvalidTokenError
        scopes = claims["scope"].split()
        if "openid" not in scopes:
            raise ScopeMissing
        account = identity_store.get_account(self.server.session, claims["sub"])
        if account is None:
            raise InvalidTokenError
        family = store.get_family(self.server.session, family_of(claims) or "")
        by_name = ClaimsRequest.of(family.claims if family else None).userinfo
        return 200, claims_of(account, scopes, by_name), default_json_headers

    def _is_revoked(self, claims: dict[str, Any]) -> bool:
        session = self.server.session
        if store.is_access_token_revoked(session, claims["jti"]):
            return True
        family_id = family_of(claims)
        if family_id is None:
            return False
        family = store.get_family(session, family_id)
        return family is None or family.revoked_at is not None


def claims_of(account: Account, scopes: list[str], by_name: Iterable[str] = ()) -> dict[str, str]:
    return {"sub": account.subject} | values_of(account, [*opened_by(scopes), *by_name])


def _bearer_token(request: ProviderRequest) -> str:
    """RFC 6750, section 2.1 and 2.2: in the header or in a form, in one of them."""
    scheme, _, in_header = request.headers.get("Authorization", "").partition(" ")
    in_form = request.form.get("access_token")
    if scheme and in_form:
        raise InvalidRequestError("The access token was sent in two ways.")
    token = in_header.strip() if scheme.lower() == "bearer" else in_form
    if not token:
        raise TokenMissing
    return token
