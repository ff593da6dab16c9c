"""How a client proves who it is (RFC 6749, section 2.3), the same at every endpoint."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from services.identity.domain import KEY_AUTH_METHODS, Client
from services.identity.oauth import client_assertion
from services.identity.oauth.client import RegisteredClient
from services.identity.oauth.client_limits import ClientLimits
from services.identity.oauth.http import ProviderRequest
from services.identity.sealing import is_secret


class ClientNotAuthentic(InvalidClientError):
    """RFC 6749, section 5.2: 401 with a challenge if the header was used; a 401 needs one always (RFC 9110, 15.5.2)."""

    status_code = 401
    description = "Client authentication failed."

    def get_headers(self) -> list[tuple[str, str]]:
        return [*OAuth2Error.get_headers(self), ("WWW-Authenticate", 'Basic realm="onehall"')]


@dataclass(frozen=True, slots=True)
class Credentials:
    """`proof` is a secret or an assertion; there is none from a public client."""

    method: str
    client_id: str | None
    proof: str | None = None


FindClient = Callable[[str], RegisteredClient | None]
AcceptAssertion = Callable[[Client, str], bool]
"""Whether the assertion proves the client, which it does once."""


def authenticate_client(
    find_client: FindClient,
    accept_assertion: AcceptAssertion,
    request: ProviderRequest,
    limits: ClientLimits | None = None,
) -> RegisteredClient:
    """Raise `ClientNotAuthentic`, or `TooManyRequests`; sets `request.auth_method`."""
    given = _credentials(request)
    if limits is not None and given.client_id and given.proof is not None:
        limits.require_client(given.client_id)
    client = find_client(given.client_id) if given.client_id else None
    if client is None or not _is_authentic(client.registration, given, accept_assertion):
        if limits is not None and given.client_id:
            limits.count_wrong_proof(given.client_id)
        raise ClientNotAuthentic
    request.auth_method = given.method
    return client


def _credentials(request: ProviderRequest) -> Credentials:
    form, header = request.form, request.headers.get("Authorization")
    posted_id, secret, assertion = form.get("client_id"), form.get("client_secret"), form.get("client_assertion")
    # RFC 6749, section 2.3: "MUST NOT use more than one authentication method in each request"
    if sum(proof is not None for proof in (header, secret, assertion)) > 1:
        raise InvalidRequestError("More than one way of client authentication was used.")
    if header is not None:
        given = Credentials("client_secret_basic", *_read_basic(header))
    elif assertion is not None:
        given = _read_assertion(form.get("client_assertion_type"), assertion)
    else:
        given = Credentials("client_secret_post" if secret else "none", posted_id, secret)
    # RFC 7523, section 3: client_id is unnecessary, and "MUST identify the same client"
    if posted_id and given.client_id and posted_id != given.client_id:
        raise InvalidRequestError("More than one client is named in the request.")
    return given


def _read_assertion(kind: str | None, assertion: str) -> Credentials:
    if kind != client_assertion.TYPE:
        raise InvalidRequestError(f"The 'client_assertion_type' must be {client_assertion.TYPE}.")
    return Credentials("private_key_jwt", client_assertion.claimed_client(assertion), assertion)


def _read_basic(header: str) -> tuple[str | None, str | None]:
    """RFC 6749, section 2.3.1: both parts are form-encoded before they go into the header."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None, None
    client_id = unquote_plus(client_id)
    return (None if "\0" in client_id else client_id), unquote_plus(secret)


def _is_authentic(client: Client, given: Credentials, accept_assertion: AcceptAssertion) -> bool:
    if given.method not in client.auth_methods:
        return False
    if given.method in KEY_AUTH_METHODS:
        return given.proof is not None and accept_assertion(client, given.proof)
    if client.secret_hash is None:
        return given.method == "none"
    return given.proof is not None and is_secret(given.proof, client.secret_hash)
