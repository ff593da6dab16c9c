"""The authorization endpoint (RFC 6749, section 3.1; OpenID Connect Core, section 3.1.2), where a person takes part.

The gateway shows the pages; this says which page it is, or where the browser goes.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidRequestError
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError

from services.identity import store
from services.identity.assurance import IN_PERSON
from services.identity.domain import BrowserSession, is_login_fresh, needs_consent
from services.identity.oauth import authorization_request, pushed_requests, response_modes
from services.identity.oauth.authorization_request import AuthorizationRequest
from services.identity.oauth.http import HttpRequest, ProviderRequest
from services.identity.oauth.server import Provider
from services.identity.sealing import hash_secret

Page = dict[str, Any]


class DemandUnmet(OAuth2Error):
    """OpenID Connect Core Error Code unmet_authentication_requirements 1.0, for an essential `acr` (Core, 5.5.1.1)."""

    error = "unmet_authentication_requirements"
    description = "The account has none of the levels of assurance that are asked for."


def answer_authorization(provider: Provider, url: str, session_secret: str | None, decision: str | None) -> Page:
    """One of the pages `login`, `step_up`, `consent` and `error` (never redirected), or a `response_modes.answer`."""
    brought = ProviderRequest(HttpRequest("GET", url, {}))
    request = brought
    try:
        brought.payload.require_well_formed()
        if pushed_requests.is_pushed(brought):
            request = pushed_requests.open_pushed(provider, brought)
        asked = authorization_request.read(provider, request, brought.payload.fingerprint)
        _require_pushed(asked, brought)
        return _answer(provider, asked, brought, hash_secret(session_secret or ""), decision)
    except OAuth2Error as error:
        return _refuse(provider, request, brought, error)


def _require_pushed(asked: AuthorizationRequest, brought: ProviderRequest) -> None:
    """RFC 9126, section 6: "only accepts authorization request data via PAR", of those that say so."""
    if asked.client.require_par and not pushed_requests.is_pushed(brought):
        raise _told(asked, InvalidRequestError("This client must push its requests (RFC 9126)."))


def _answer(
    provider: Provider, asked: AuthorizationRequest, brought: ProviderRequest, secret_hash: str, decision: str | None
) -> Page:
    try:
        signed_in = _fresh_session(provider, asked, secret_hash)
        if signed_in is None:
            return {"page": "login"} | asked.page
        if decision != "deny" and (step := _step_up(asked, signed_in, decision)) is not None:
            return asked.page | {"page": "step_up", "level": step, "is_required": asked.request.claims.must_reach}
        if decision != "deny" and not _is_agreed(provider, asked, signed_in, decision):
            return _consent_page(asked, signed_in)
        if asked.limits_login:
            # the same address opened again later is a new request, and demands its sign-in anew
            store.spend_sign_in(provider.session, secret_hash, asked.request_id)
        if decision == "deny":
            raise AccessDeniedError
        code = asked.grant.create_authorization_response(asked.grant.redirect_uri, signed_in)
    except OAuth2Error as error:
        raise _told(asked, error) from None
    return _return(provider, asked.request, brought, asked.grant.redirect_uri, [("code", code)])


def _fresh_session(provider: Provider, asked: AuthorizationRequest, secret_hash: str) -> BrowserSession | None:
    """None: the person must sign in, which `prompt=none` does not let us ask for."""
    # locked, so that of two requests that race with one sign-in the second finds it spent
    signed_in = store.use_browser_session(provider.session, secret_hash, provider.now, lock=asked.limits_login)
    is_fresh = signed_in is not None and is_login_fresh(asked.wish, signed_in, asked.request_id, provider.now)
    if signed_in is not None and is_fresh and _is_wanted(provider, asked, signed_in):
        return signed_in
    if asked.wish.is_silent:
        raise LoginRequiredError
    return None


def _is_wanted(provider: Provider, asked: AuthorizationRequest, signed_in: BrowserSession) -> bool:
    """Whether they are whom the client asks for, by the name that it knows."""
    claims = asked.request.claims
    if claims.subject not in (None, provider.issuer.subjects.seen_by(asked.client, signed_in.account.subject)):
        if signed_in.signed_in_for == asked.request_id:
            # asked to sign in, it was somebody else again
            raise LoginRequiredError
        return False
    return True


def _step_up(asked: AuthorizationRequest, signed_in: BrowserSession, decision: str | None) -> int | None:
    """The level that the person shall be asked to rise to, or None to go on as they are.

    `acr_values` are a wish (OpenID Connect Core, section 3.1.2.1): a person who is asked once may go on without. An
    essential `acr` is not (section 5.5.1.1).
    """
    claims = asked.request.claims
    step = claims.step_from(signed_in.level)
    if step is None:
        return None
    can_ask = step <= IN_PERSON and not asked.wish.is_silent
    if claims.must_reach and not can_ask:
        raise DemandUnmet
    return step if can_ask and (claims.must_reach or decision is None) else None


def _is_agreed(
    provider: Provider, asked: AuthorizationRequest, signed_in: BrowserSession, decision: str | None
) -> bool:
    """False: the person must be asked. A new consent is added to what was given before."""
    session, subject, client = provider.session, signed_in.account.subject, asked.client
    granted = store.get_consent(session, subject, client.id)
    if not needs_consent(client, asked.wish, asked.scopes, granted):
        return True
    if decision == "allow":
        store.save_consent(session, subject, client.id, asked.scopes | granted, provider.now)
        return True
    if asked.wish.is_silent:
        raise ConsentRequiredError
    return False


def _consent_page(asked: AuthorizationRequest, signed_in: BrowserSession) -> Page:
    scopes = asked.request.scope.split()
    return asked.page | {
        "page": "consent",
        "client": asked.client.name,
        "scopes": [*scopes, *sorted(asked.scopes - set(scopes))],
        "username": signed_in.account.username,
    }


def _told(asked: AuthorizationRequest, error: OAuth2Error) -> OAuth2Error:
    """An error that goes to the client's address."""
    error.redirect_uri, error.state = asked.grant.redirect_uri, asked.request.payload.state
    return error


def _refuse(provider: Provider, request: ProviderRequest, brought: ProviderRequest, error: OAuth2Error) -> Page:
    """RFC 6749, section 4.1.2.1: an unknown client or a wrong address is told to the person, not to the address."""
    if not error.redirect_uri:
        return {"page": "error", "error": error.error, "description": error.get_error_description()}
    told = [pair for pair in error.get_body() if pair[0] != "state"]
    return _return(provider, request, brought, error.redirect_uri, told)


def _return(
    provider: Provider,
    request: ProviderRequest,
    brought: ProviderRequest,
    redirect_uri: str,
    answered: list[tuple[str, str]],
) -> Page:
    """The answer to the client, with which a pushed request is used up."""
    if pushed_requests.is_pushed(brought):
        pushed_requests.spend(provider, brought)
    state = request.payload.state
    # RFC 9207, section 2: "including error responses"
    answered = [*answered, *([("state", state)] if state else []), ("iss", provider.issuer.url)]
    return response_modes.answer(request.payload, redirect_uri, answered)
