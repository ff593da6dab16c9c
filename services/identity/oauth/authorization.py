"""The authorization endpoint (RFC 6749, section 3.1; OpenID Connect Core, section 3.1.2), where a person takes part.

The gateway shows the pages; this says which page it is, or where the browser goes.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidRequestError, OAuth2Payload
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    LoginRequiredError,
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from services.identity import store
from services.identity.domain import (
    AUTHORIZATION_CODE,
    BrowserSession,
    Wish,
    is_login_fresh,
    needs_consent,
    parse_wish,
)
from services.identity.oauth import resources
from services.identity.oauth.http import HttpRequest, ProviderRequest
from services.identity.oauth.server import Provider
from services.identity.sealing import hash_secret

_NOT_SUPPORTED = {
    "request": RequestNotSupportedError,
    "request_uri": RequestURINotSupportedError,
    "registration": RegistrationNotSupportedError,
}

Page = dict[str, Any]


def answer_authorization(provider: Provider, url: str, session_secret: str | None, decision: str | None) -> Page:
    """One of the pages `login`, `consent`, `error` (never redirected), or `redirect` with its `location`."""
    request = ProviderRequest(HttpRequest("GET", url, {}))
    secret_hash = hash_secret(session_secret or "")
    try:
        request.payload.require_well_formed()
        grant = provider.get_consent_grant(request)
    except OAuth2Error as error:
        return _refuse(provider, request, error)
    try:
        wish = _wish(request.payload)
        signed_in = _fresh_session(provider, request, wish, secret_hash)
        if signed_in is None:
            return {"page": "login", "redirect_uri": grant.redirect_uri}
        if decision != "deny" and not _is_agreed(provider, request, wish, signed_in, decision):
            return _consent_page(request, signed_in)
        if wish.limits_login:
            # the same address opened again later is a new request, and demands its sign-in anew
            store.spend_sign_in(provider.session, secret_hash, request.payload.fingerprint)
        if decision == "deny":
            raise AccessDeniedError
        return _redirect(provider.create_authorization_response(request, grant_user=signed_in, grant=grant))
    except OAuth2Error as error:
        error.redirect_uri, error.state = grant.redirect_uri, request.payload.state
        return _refuse(provider, request, error)


def _wish(parameters: OAuth2Payload) -> Wish:
    for name, error in _NOT_SUPPORTED.items():
        if name in parameters.data:
            raise error
    resources.require_served(parameters, AUTHORIZATION_CODE)
    if parameters.data.get("response_mode", "query") != "query":
        raise InvalidRequestError("Only the 'response_mode' query is supported.")
    try:
        return parse_wish(parameters.data.get("prompt"), parameters.data.get("max_age"))
    except ValueError:
        raise InvalidRequestError("Invalid 'prompt' or 'max_age' in request.") from None


def _fresh_session(provider: Provider, request: ProviderRequest, wish: Wish, secret_hash: str) -> BrowserSession | None:
    """None: the person must sign in, which `prompt=none` does not let us ask for."""
    # locked, so that of two requests that race with one sign-in the second finds it spent
    signed_in = store.use_browser_session(provider.session, secret_hash, provider.now, lock=wish.limits_login)
    if signed_in is not None and is_login_fresh(wish, signed_in, request.payload.fingerprint, provider.now):
        return signed_in
    if wish.is_silent:
        raise LoginRequiredError
    return None


def _is_agreed(
    provider: Provider, request: ProviderRequest, wish: Wish, signed_in: BrowserSession, decision: str | None
) -> bool:
    """False: the person must be asked. A new consent is added to what was given before."""
    session, subject, client = provider.session, signed_in.account.subject, request.client.registration
    scopes, granted = frozenset(request.scope.split()), store.get_consent(session, subject, client.id)
    if not needs_consent(client, wish, scopes, granted):
        return True
    if decision == "allow":
        store.save_consent(session, subject, client.id, scopes | granted, provider.now)
        return True
    if wish.is_silent:
        raise ConsentRequiredError
    return False


def _consent_page(request: ProviderRequest, signed_in: BrowserSession) -> Page:
    return {
        "page": "consent",
        "client": request.client.registration.name,
        "scopes": request.scope.split(),
        "username": signed_in.account.username,
    }


def _refuse(provider: Provider, request: ProviderRequest, error: OAuth2Error) -> Page:
    """RFC 6749, section 4.1.2.1: an unknown client or a wrong address is told to the person, not to the address."""
    if not error.redirect_uri:
        return {"page": "error", "error": error.error, "description": error.get_error_description()}
    return _redirect(provider.handle_error_response(request, error))


def _redirect(answer: dict[str, Any]) -> Page:
    return {"page": "redirect", "location": dict(answer["headers"])["Location"]}
