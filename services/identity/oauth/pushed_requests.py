"""Pushed authorization requests (RFC 9126): a client sends its request beforehand, and the browser a reference to it.

A reference must be opened within 75 seconds. It then stays good for as long as a person may take to sign in and agree,
and is used up by the answer.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError

from services.identity.oauth import authorization_request, dpop, store
from services.identity.oauth.http import Answer, HttpRequest, ProviderRequest, answer
from services.identity.oauth.server import Provider
from services.identity.sealing import hash_secret, new_secret

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = timedelta(seconds=75)
SIGN_IN_TIME = timedelta(minutes=15)
MAX_LENGTH = 16_000

_CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")


class RequestUriInvalid(OAuth2Error):
    """OpenID Connect Core, section 3.1.2.6. There is no checked address to tell it to, so a person reads it."""

    error = "invalid_request_uri"
    description = "The request_uri is unknown, of another client, used, or too old. The client must push its request."


def push(provider: Provider, http: HttpRequest) -> Answer:
    """Raise `OAuth2Error` for all that the authorization endpoint would refuse."""
    request = ProviderRequest(http)
    client_id = provider.authenticate_client(request, None, "par").get_client_id()
    _require_pushable(request, client_id)
    reference = new_secret()
    try:
        authorization_request.read(provider, request, reference)
    except OAuth2Error as error:
        # told to the client that asks, not to the address that it asks for
        error.redirect_uri = error.state = None
        raise
    kept = {name: value for name, value in request.payload.pairs if name not in _CREDENTIALS}
    if jkt := dpop.offered_key(provider, request):
        kept["dpop_jkt"] = jkt
    parameters = urlencode(kept | {"client_id": client_id})
    store.add_pushed_request(provider.session, hash_secret(reference), client_id, parameters, provider.now + LIFETIME)
    body = {"request_uri": PREFIX + reference, "expires_in": int(LIFETIME.total_seconds())}
    return answer(201, body, default_json_headers)


def _require_pushable(request: ProviderRequest, client_id: str) -> None:
    parameters = request.payload.data
    # section 2.1: "The request_uri authorization request parameter MUST NOT be provided"
    if "request_uri" in parameters:
        raise InvalidRequestError("A pushed request holds no 'request_uri'.")
    if parameters.get("client_id", client_id) != client_id:
        raise InvalidRequestError("The 'client_id' is not of the client that pushes the request.")
    if sum(len(name) + len(value) for name, value in request.payload.pairs) > MAX_LENGTH:
        raise InvalidRequestError(f"The request is longer than {MAX_LENGTH} characters.")


def is_pushed(request: ProviderRequest) -> bool:
    return request.payload.data.get("request_uri", "").startswith(PREFIX)


def open_pushed(provider: Provider, request: ProviderRequest) -> ProviderRequest:
    """The request that was pushed, instead of what stands beside the reference. Raise `RequestUriInvalid`.

    It stays locked until the transaction ends: of two browsers with one reference, the second finds it used.
    """
    parameters = request.payload.data
    uri_hash, client_id = _hash_of(request), parameters.get("client_id", "")
    until = provider.now + SIGN_IN_TIME
    pushed = store.open_pushed_request(provider.session, uri_hash, client_id, provider.now, until)
    if pushed is None:
        raise RequestUriInvalid
    return ProviderRequest(HttpRequest("GET", f"{request.uri.partition('?')[0]}?{pushed}", {}))


def spend(provider: Provider, request: ProviderRequest) -> None:
    """Section 7.3: "use each request URI only once"; whatever was answered."""
    store.remove_pushed_request(provider.session, _hash_of(request))


def _hash_of(request: ProviderRequest) -> str:
    return hash_secret(request.payload.data["request_uri"].removeprefix(PREFIX))
