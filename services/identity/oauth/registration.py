"""Dynamic client registration (RFC 7591) and its management (RFC 7592).

Who may register has an initial access token of an operator's. The client gets a token of its own for what it has
registered, and a new one with every change.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6750.errors import InvalidTokenError

from services.identity import store
from services.identity.domain import SECRET_AUTH_METHODS, Client, is_text
from services.identity.oauth import registration_store
from services.identity.oauth.client_metadata import MetadataInvalid, metadata_of, read_metadata, require_consistent
from services.identity.oauth.http import Answer, HttpRequest, answer
from services.identity.oauth.server import Provider
from services.identity.oauth.userinfo import TokenMissing
from services.identity.sealing import hash_secret, is_secret, new_secret

PATH = "/oauth/register"
MAX_LENGTH = 64_000

_OURS = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")


def register(provider: Provider, request: HttpRequest) -> Answer:
    """RFC 7591, section 3. A request that is refused uses up nothing of the token."""
    token_hash = hash_secret(_bearer_token(request))
    if not registration_store.lock_initial_access_token(provider.session, token_hash, provider.now):
        raise InvalidTokenError
    fields = read_metadata(_document(request))
    client_id = f"dyn-{secrets.token_hex(12)}"
    client, secrets_shown = _with_secrets(Client(client_id, fields.pop("name") or client_id, **fields))
    require_consistent(client)
    store.add_client(provider.session, client)
    registration_store.spend_initial_access_token(provider.session, token_hash)
    return _information(provider, 201, client, secrets_shown)


def manage(provider: Provider, request: HttpRequest) -> Answer:
    """RFC 7592, section 2: read (GET), update (PUT), delete (DELETE)."""
    client = _require_own(provider, request)
    match request.method:
        case "PUT":
            return _update(provider, request, client)
        case "DELETE":
            _retire(provider, client)
            return answer(204, "", [("Cache-Control", "no-store")])
        case _:
            # section 3 wants the tokens in each answer; ours are kept as hashes, so the one that was sent is told
            token = {"registration_access_token": _bearer_token(request)}
            return _information(provider, 200, client, token)


def _update(provider: Provider, request: HttpRequest, client: Client) -> Answer:
    """RFC 7592, section 2.2: the client sends all of its metadata; what it leaves out is as if it was never said."""
    document = _document(request)
    if document.get("client_id") != client.id:
        raise MetadataInvalid("client_id must be the registered one.")
    if any(name in document for name in _OURS):
        raise MetadataInvalid(f"These are given by the server, leave them out: {' '.join(_OURS)}.")
    secret = document.get("client_secret")
    if secret is not None and not (client.secret_hash and is_secret(str(secret), client.secret_hash)):
        raise MetadataInvalid("client_secret must be the present one, or left out.")
    fields = read_metadata(document)
    changed, secrets_shown = _with_secrets(replace(client, **fields | {"name": fields["name"] or client.id}))
    require_consistent(changed)
    store.save_client(provider.session, changed)
    return _information(provider, 200, changed, secrets_shown)


def _retire(provider: Provider, client: Client) -> None:
    """RFC 7592, section 2.3. The row stays without all that it could act by: people's access logs name it."""
    nobody = replace(client, secret_hash=None, jwks=None, auth_methods=("none",), registration_hash=None)
    store.save_client(provider.session, nobody)
    store.set_client_end(provider.session, client.id, is_disabled=True, ends_at=client.ends_at)
    registration_store.end_grants(provider.session, client.id, provider.now)


def _with_secrets(client: Client) -> tuple[Client, dict[str, Any]]:
    """The client with a new registration access token, and a secret if it needs one and has none. Both are shown."""
    token = new_secret()
    shown: dict[str, Any] = {"registration_access_token": token}
    secret_hash = client.secret_hash
    if client.auth_methods[0] not in SECRET_AUTH_METHODS:
        secret_hash = None
    elif secret_hash is None:
        shown |= {"client_secret": new_secret(), "client_secret_expires_at": 0}
        secret_hash = hash_secret(shown["client_secret"])
    return replace(client, secret_hash=secret_hash, registration_hash=hash_secret(token)), shown


def _require_own(provider: Provider, request: HttpRequest) -> Client:
    """RFC 7592, section 2.1: for a client that does not exist, 401 as well."""
    client_id = unquote(urlsplit(request.url).path.removeprefix(f"{PATH}/"))
    token = _bearer_token(request)
    client = registration_store.lock_client(provider.session, client_id) if is_text(client_id) else None
    if client is None or not client.is_live(provider.now) or client.registration_hash is None:
        raise InvalidTokenError
    if not is_secret(token, client.registration_hash):
        raise InvalidTokenError
    return client


def _information(provider: Provider, status: int, client: Client, secrets_shown: dict[str, Any]) -> Answer:
    """RFC 7591, section 3.2.1 and RFC 7592, section 3."""
    where = {"registration_client_uri": f"{provider.issuer.url}{PATH}/{client.id}"}
    return answer(status, metadata_of(client) | where | secrets_shown, default_json_headers)


def _bearer_token(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing
    return token.strip()


def _document(request: HttpRequest) -> dict[str, Any]:
    if len(request.body) > MAX_LENGTH:
        raise MetadataInvalid(f"The document is longer than {MAX_LENGTH} characters.")
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        raise MetadataInvalid("The body is no JSON.") from None
    if not isinstance(document, dict):
        raise MetadataInvalid("The body is no JSON object.")
    # RFC 7592, section 2.2: null is the same as left out
    return {name: value for name, value in document.items() if value is not None}
