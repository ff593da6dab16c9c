"""The UserInfo endpoint (OpenID Connect Core, section 5.3)."""

from __future__ import annotations

from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import Endpoint, InvalidRequestError
from authlib.oauth2.rfc6750.errors import InsufficientScopeError, InvalidTokenError

from services.identity import store as identity_store
from services.identity.domain import Client
from services.identity.oauth import dpop
from services.identity.oauth.claims import opened_by, values_of
from services.identity.oauth.claims_request import ClaimsRequest
from services.identity.oauth.http import ProviderRequest
from services.identity.oauth.presented import LiveToken, find_live
from services.identity.oauth.telling import note_told


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
        live = self._live_token(request)
        account = identity_store.get_account(self.server.session, live.subject)
        client = self.server.query_client(live.claims["client_id"])
        if account is None or client is None:
            raise InvalidTokenError
        by_name = ClaimsRequest.of(live.family.claims if live.family else None).userinfo
        opened = opened_by(live.claims["scope"].split())
        people = self.server.issuer.people
        told = values_of(account, people, [*opened, *by_name])
        if live.family is not None:
            note_told(people, client.registration, live.family, told, self.server.now)
        return self._answer(client.registration, {"sub": live.claims["sub"]} | told)

    def _live_token(self, request: ProviderRequest) -> LiveToken:
        scheme, token = _presented_token(request)
        live = find_live(self.server, token)
        if live is None:
            raise InvalidTokenError
        dpop.require_proof(self.server, request, scheme, token, live.jkt)
        if "openid" not in live.claims["scope"].split():
            raise ScopeMissing
        return live

    def _answer(self, client: Client, told: dict[str, str]) -> tuple[int, Any, list[tuple[str, str]]]:
        if client.userinfo_alg is None:
            return 200, told, default_json_headers
        # section 5.3.2: "SHOULD contain the Claims iss (issuer) and aud (audience) as members"
        about = told | {"aud": client.id}
        signed = self.server.issuer.sign(about, typ="JWT", now=self.server.now, alg=client.userinfo_alg)
        return 200, signed, [("Content-Type", "application/jwt"), ("Cache-Control", "no-store")]


def _presented_token(request: ProviderRequest) -> tuple[str, str]:
    """The scheme in small letters, and the token: in the header or in a form, in one of them.

    RFC 6750, section 2.1 and 2.2; RFC 9449, section 7.1.
    """
    scheme, _, in_header = request.headers.get("Authorization", "").partition(" ")
    in_form = request.form.get("access_token")
    if scheme and in_form:
        raise InvalidRequestError("The access token was sent in two ways.")
    token = in_header.strip() if scheme.lower() in ("bearer", "dpop") else in_form
    if not token:
        raise TokenMissing
    return scheme.lower() or "bearer", token
