"""The provider's endpoints that programs call, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from authlib.oauth2 import OAuth2Error

from services.identity.oauth import device_authorization, discovery, pushed_requests, registration
from services.identity.oauth.client_limits import LIMITED
from services.identity.oauth.http import Answer, HttpRequest, answer
from services.identity.oauth.server import Provider

JSON = ("Content-Type", "application/json")
CACHED = ("Cache-Control", "public, max-age=300")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` is where the gateway serves it, `name` what discovery calls it by."""

    methods: tuple[str, ...]
    handle: Callable[[Provider, HttpRequest], Answer]
    path: str
    name: str


def _token(provider: Provider, request: HttpRequest) -> Answer:
    return provider.create_token_response(request)


def _revoke(provider: Provider, request: HttpRequest) -> Answer:
    return provider.create_endpoint_response("revocation", request)


def _introspect(provider: Provider, request: HttpRequest) -> Answer:
    return provider.create_endpoint_response("introspection", request)


def _userinfo(provider: Provider, request: HttpRequest) -> Answer:
    return provider.create_endpoint_response("userinfo", request)


def _par(provider: Provider, request: HttpRequest) -> Answer:
    return pushed_requests.push(provider, request)


def _authorize_device(provider: Provider, request: HttpRequest) -> Answer:
    return device_authorization.authorize_device(provider, request)


def _register(provider: Provider, request: HttpRequest) -> Answer:
    return registration.register(provider, request)


def _manage_registration(provider: Provider, request: HttpRequest) -> Answer:
    return registration.manage(provider, request)


def _jwks(provider: Provider, request: HttpRequest) -> Answer:
    return answer(200, {"keys": list(provider.issuer.keys.public)}, [JSON, CACHED])


def _configuration(provider: Provider, request: HttpRequest) -> Answer:
    paths = {endpoint.name: endpoint.path for endpoint in ENDPOINTS.values()}
    return answer(200, discovery.configuration(provider.issuer.url, paths), [JSON, CACHED])


ENDPOINTS = {
    "token": Endpoint(("POST",), _token, "/oauth/token", "token_endpoint"),
    "revoke": Endpoint(("POST",), _revoke, "/oauth/revoke", "revocation_endpoint"),
    "par": Endpoint(("POST",), _par, "/oauth/par", "pushed_authorization_request_endpoint"),
    "device_authorization": Endpoint(
        ("POST",), _authorize_device, device_authorization.PATH, "device_authorization_endpoint"
    ),
    "introspect": Endpoint(("POST",), _introspect, "/oauth/introspect", "introspection_endpoint"),
    "register": Endpoint(("POST",), _register, registration.PATH, "registration_endpoint"),
    "userinfo": Endpoint(("GET", "POST"), _userinfo, "/oauth/userinfo", "userinfo_endpoint"),
    "jwks": Endpoint(("GET", "HEAD"), _jwks, "/oauth/jwks", "jwks_uri"),
}
"""What programs call, by the name that the gateway forwards it under."""

UNLISTED = {
    "configuration": Endpoint(("GET", "HEAD"), _configuration, "/.well-known/openid-configuration", "-"),
    "registration": Endpoint(("GET", "PUT", "DELETE"), _manage_registration, f"{registration.PATH}/-", "-"),
}
"""What clients know otherwise: by convention, or told when they registered."""


def answer_protocol(provider: Provider, endpoint: str, request: HttpRequest) -> Answer:
    called = (ENDPOINTS | UNLISTED)[endpoint]
    if request.method not in called.methods:
        return answer(405, "", [("Allow", ", ".join(called.methods))])
    limits = provider.limits if endpoint in LIMITED else None
    try:
        if limits is not None:
            limits.require_address()
        answered = called.handle(provider, request)
    except OAuth2Error as error:
        # said before Authlib knew which grant or endpoint it is for
        answered = provider.handle_error_response(request, error)
    if limits is not None:
        limits.count_answer(answered)
    return answered
