"""What a client says of itself (RFC 7591, section 2; OpenID Connect Dynamic Client Registration, section 2).

What a stranger may ask for is less than what an operator may give: a person's own scopes and grants, never first-party.
"""

from __future__ import annotations

import re
from typing import Any

from authlib.oauth2 import OAuth2Error

from contracts.errors import InvalidInput
from services.identity.domain import (
    AUTH_METHODS,
    AUTHORIZATION_CODE,
    KEY_AUTH_METHODS,
    REFRESH_TOKEN,
    SECRET_AUTH_METHODS,
    SIGNING_ALGORITHMS,
    SUBJECT_TYPES,
    Client,
    is_logout_uri,
    is_registrable_uri,
    is_text,
    require_valid_client,
)
from services.identity.oauth import client_keys

SCOPES = ("openid", "profile", "email", "offline_access", "cases")
GRANTS = (AUTHORIZATION_CODE, REFRESH_TOKEN)
RESPONSE_TYPES = ("code",)

MAX_URIS, MAX_URI, MAX_NAME = 10, 2_000, 100

_NOT_TAKEN = (
    *("jwks_uri", "sector_identifier_uri"),
    *("software_statement", "default_max_age", "default_acr_values", "request_object_signing_alg"),
    *("id_token_encrypted_response_alg", "userinfo_encrypted_response_alg", "authorization_signed_response_alg"),
)
"""What would change how we serve the client, and does not; the first two would make us fetch addresses of strangers.

Section 2: all that is unknown is ignored.
"""

# RFC 9700, section 4.1.3 and RFC 8252, section 7.3: without TLS to the same machine only; `onehall:` is our own app's
_OPEN_ADDRESS = re.compile(r"http://(?!(?:127\.0\.0\.1|\[::1\]|localhost)(?:[:/?]|\Z))|onehall:")


class MetadataInvalid(OAuth2Error):
    """Section 3.2.2."""

    error = "invalid_client_metadata"


class RedirectUriInvalid(OAuth2Error):
    """Section 3.2.2."""

    error = "invalid_redirect_uri"


def read_metadata(document: dict[str, Any]) -> dict[str, Any]:
    """Fields of `Client`, with the defaults of section 2. Raise `MetadataInvalid` or `RedirectUriInvalid`."""
    refused = [name for name in _NOT_TAKEN if name in document]
    if refused:
        raise MetadataInvalid(f"Not taken here: {' '.join(refused)}. Leave it out.")
    _require(document.get("response_types", list(RESPONSE_TYPES)) == list(RESPONSE_TYPES), "response_types", "[code]")
    _choice(document, "application_type", ("web", "native"), "web")
    return {
        "name": _name(document),
        "auth_methods": _auth_methods(document),
        "redirect_uris": _redirect_uris(document),
        "post_logout_uris": _uris(document, "post_logout_redirect_uris"),
        "grants": _grants(document),
        "scopes": _scopes(document),
        "jwks": _jwks(document),
        "id_token_alg": _choice(document, "id_token_signed_response_alg", SIGNING_ALGORITHMS, SIGNING_ALGORITHMS[0]),
        "userinfo_alg": _choice(document, "userinfo_signed_response_alg", SIGNING_ALGORITHMS, None),
        "subject_type": _choice(document, "subject_type", SUBJECT_TYPES, SUBJECT_TYPES[0]),
        "require_par": _flag(document, "require_pushed_authorization_requests"),
        "requires_dpop": _flag(document, "dpop_bound_access_tokens"),
        "backchannel_logout_uri": _logout_uri(document),
    }


def require_consistent(client: Client) -> None:
    """The rules that hold for every client. Raise `MetadataInvalid`."""
    try:
        require_valid_client(client)
    except InvalidInput as invalid:
        fields = sorted({str(fault["pointer"]).strip("/") for fault in invalid.faults})
        raise MetadataInvalid(f"These do not go together, or are not possible: {' '.join(fields)}.") from None


def metadata_of(client: Client) -> dict[str, Any]:
    """By the names of the standards, as far as they have them. What is not set is left out."""
    said = {
        "client_id": client.id,
        "client_name": client.name,
        "token_endpoint_auth_method": client.auth_methods[0],
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_uris),
        "grant_types": list(client.grants),
        "response_types": list(RESPONSE_TYPES) if AUTHORIZATION_CODE in client.grants else [],
        "scope": " ".join(client.scopes),
        "jwks": client.jwks,
        "id_token_signed_response_alg": client.id_token_alg,
        "userinfo_signed_response_alg": client.userinfo_alg,
        "subject_type": client.subject_type,
        "require_pushed_authorization_requests": client.require_par,
        "dpop_bound_access_tokens": client.requires_dpop,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        # every logout token of ours has a `sid`, whether the client requires it or not
        "backchannel_logout_session_required": True if client.backchannel_logout_uri else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _require(is_right: bool, name: str, rule: str) -> None:
    if not is_right:
        raise MetadataInvalid(f"{name} must be {rule}.")


def _choice(document: dict[str, Any], name: str, choices: tuple[str, ...], default: str | None) -> str | None:
    value: str | None = document.get(name, default)
    _require(value == default or value in choices, name, f"one of: {' '.join(choices)}")
    return value


def _flag(document: dict[str, Any], name: str) -> bool:
    value = document.get(name, False)
    _require(isinstance(value, bool), name, "true or false")
    return bool(value)


def _name(document: dict[str, Any]) -> str:
    name = document.get("client_name", "")
    is_name = isinstance(name, str) and len(name) <= MAX_NAME and (name == "" or is_text(name))
    _require(is_name, "client_name", f"text of {MAX_NAME} characters at most")
    return str(name)


def _auth_methods(document: dict[str, Any]) -> tuple[str, ...]:
    """The default is `client_secret_basic`; who did not say it is not refused the other way to send a secret."""
    chosen = _choice(document, "token_endpoint_auth_method", AUTH_METHODS, None)
    return SECRET_AUTH_METHODS if chosen is None else (chosen,)


def _redirect_uris(document: dict[str, Any]) -> tuple[str, ...]:
    try:
        uris = _uris(document, "redirect_uris")
    except MetadataInvalid as invalid:
        raise RedirectUriInvalid(invalid.description) from None
    if not uris:
        raise RedirectUriInvalid("redirect_uris must hold the addresses that answers go to.")
    return uris


def _uris(document: dict[str, Any], name: str) -> tuple[str, ...]:
    uris = document.get(name, [])
    is_list = isinstance(uris, list) and len(uris) <= MAX_URIS and all(map(_is_strangers_uri, uris))
    rule = f"a list of {MAX_URIS} at most: https, or http at this machine, or an app's own scheme; no fragment"
    _require(is_list, name, rule)
    return tuple(dict.fromkeys(uris))


def _is_strangers_uri(uri: Any) -> bool:
    if not isinstance(uri, str) or len(uri) > MAX_URI:
        return False
    return is_registrable_uri(uri) and _OPEN_ADDRESS.match(uri) is None


def _logout_uri(document: dict[str, Any]) -> str | None:
    """Back-Channel Logout 1.0, section 2.2."""
    _flag(document, "backchannel_logout_session_required")
    uri: str | None = document.get("backchannel_logout_uri")
    is_right = uri is None or (isinstance(uri, str) and is_logout_uri(uri))
    rule = "an https address, or http at this machine's loopback address; no fragment, no user, no port below 1024"
    _require(is_right, "backchannel_logout_uri", rule)
    return uri


def _grants(document: dict[str, Any]) -> tuple[str, ...]:
    grants = _words(document.get("grant_types", [AUTHORIZATION_CODE]), "grant_types", GRANTS)
    _require(AUTHORIZATION_CODE in grants, "grant_types", f"with {AUTHORIZATION_CODE} among them")
    return grants


def _scopes(document: dict[str, Any]) -> tuple[str, ...]:
    scope = document.get("scope", "openid")
    _require(isinstance(scope, str), "scope", "text, words with spaces between")
    return _words(scope.split(), "scope", SCOPES)


def _words(words: Any, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    _require(isinstance(words, list) and all(word in known for word in words), name, f"of: {' '.join(known)}")
    return tuple(dict.fromkeys(words))


def _jwks(document: dict[str, Any]) -> dict[str, Any] | None:
    jwks: dict[str, Any] | None = document.get("jwks")
    if jwks is None:
        _require(document.get("token_endpoint_auth_method") not in KEY_AUTH_METHODS, "jwks", "there, to sign with")
        return None
    try:
        return client_keys.usable_keys(jwks)
    except client_keys.ClientKeysInvalid as invalid:
        raise MetadataInvalid(f"jwks: {invalid}.") from None
