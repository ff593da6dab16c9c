"""The provider's endpoints that programs call, by name."""

from __future__ import annotations

from collections.abc import Callable

from authlib.oauth2 import OAuth2Error

from services.identity.oauth import discovery
from services.identity.oauth.http import Answer, HttpRequest, answer
from services.identity.oauth.server import Provider

JSON = ("Content-Type", "application/json")
CACHED = ("Cache-Control", "public, max-age=300")


def _token(provider: Provider, request: HttpRequest) -> Answer:
    return provider.create_token_response(request)


def _revoke(provider: Provider, request: HttpRequest) -> Answer:
    return provider.create_endpoint_response("revocation", request)


def _userinfo(provider: Provider, request: HttpRequest) -> Answer:
    return provider.create_endpoint_response("userinfo", request)


def _jwks(provider: Provider, request: HttpRequest) -> Answer:
    return answer(200, {"keys": list(provider.issuer.keys.public)}, [JSON, CACHED])


def _configuration(provider: Provider, request: HttpRequest) -> Answer:
    return answer(200, discovery.configuration(provider.issuer.url), [JSON, CACHED])


ENDPOINTS: dict[str, tuple[tuple[str, ...], Callable[[Provider, HttpRequest], Answer]]] = {
    "token": (("POST",), _token),
    "revoke": (("POST",), _revoke),
    "userinfo": (("GET", "POST"), _userinfo),
    "jwks": (("GET", "HEAD"), _jwks),
    "configuration": (("GET", "HEAD"), _configuration),
}


def answer_protocol(provider: Provider, endpoint: str, request: HttpRequest) -> Answer:
    methods, handle = ENDPOINTS[endpoint]
    if request.method not in methods:
        return answer(405, "", [("Allow", ", ".join(methods))])
    try:
        return handle(provider, request)
    except OAuth2Error as error:
        # said before Authlib knew which grant or endpoint it is for
        return provider.handle_error_response(request, error)
