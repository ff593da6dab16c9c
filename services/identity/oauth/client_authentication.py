"""How a client proves who it is (RFC 6749, section 2.3)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import unquote_plus

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from services.identity.domain import Client
from services.identity.oauth.client import RegisteredClient
from services.identity.oauth.http import ProviderRequest
from services.identity.sealing import is_secret


class ClientNotAuthentic(InvalidClientError):
    """RFC 6749, section 5.2: 401 with a challenge if the header was used; a 401 needs one always (RFC 9110, 15.5.2)."""

    status_code = 401
    description = "Client authentication failed."

    def get_headers(self) -> list[tuple[str, str]]:
        return [*OAuth2Error.get_headers(self), ("WWW-Authenticate", 'Basic realm="onehall"')]


FindClient = Callable[[str], RegisteredClient | None]


def authenticate_client(find_client: FindClient, request: ProviderRequest) -> RegisteredClient:
    """Raise `ClientNotAuthentic`; sets `request.auth_method`."""
    method, client_id, secret = _credentials(request)
    client = find_client(client_id) if client_id else None
    if client is None or not _is_authentic(client.registration, method, secret):
        raise ClientNotAuthentic
    request.auth_method = method
    return client


def _credentials(request: ProviderRequest) -> tuple[str, str | None, str | None]:
    posted_id, posted_secret = request.form.get("client_id"), request.form.get("client_secret")
    header = request.headers.get("Authorization")
    if header is None:
        return "client_secret_post" if posted_secret else "none", posted_id, posted_secret
    client_id, secret = _read_basic(header)
    # RFC 6749, section 2.3: "MUST NOT use more than one authentication method in each request"
    if posted_secret or (posted_id and client_id and posted_id != client_id):
        raise InvalidRequestError("More than one way of client authentication was used.")
    return "client_secret_basic", client_id, secret


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


def _is_authentic(client: Client, method: str, secret: str | None) -> bool:
    if method not in client.auth_methods:
        return False
    if client.secret_hash is None:
        return method == "none"
    return secret is not None and is_secret(secret, client.secret_hash)
