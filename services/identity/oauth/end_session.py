"""The end session endpoint (OpenID Connect RP-Initiated Logout 1.0): a client asks that the person be signed out.

The gateway shows the pages; this says which page it is, or where the browser goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError

from services.identity import store
from services.identity.domain import BrowserSession, Client
from services.identity.oauth import response_modes
from services.identity.oauth.http import Parameters
from services.identity.oauth.id_token_hint import read_any_hint
from services.identity.oauth.server import Provider
from services.identity.sealing import hash_secret
from services.identity.sessions import commands as sessions

PARAMETERS = (
    *("id_token_hint", "logout_hint", "client_id"),
    *("post_logout_redirect_uri", "state", "ui_locales"),
)

SIGN_OUT, STAY = "sign-out", "stay"
"""What a person may decide."""

Page = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """`hint` are the claims of an ID token that the client had. `location` is where the browser goes afterwards."""

    client: Client | None
    hint: dict[str, Any] | None
    redirect_uri: str | None
    location: str | None
    page: dict[str, Any]


def answer_end_session(provider: Provider, parameters: str, secret: str | None, decision: str | None) -> Page:
    """`parameters` are form-encoded; `decision` must be the person's own, and nobody else's for them.

    One of the pages `confirm`, `stayed`, `signed-out` (with a `location` to offer if the client was not proved),
    `redirect` (with the `location` to go to), and `error`, with which nothing has changed.
    """
    given = Parameters(parameters)
    try:
        given.require_well_formed()
        asked = _read(provider, given)
    except OAuth2Error as error:
        return {"page": "error", "error": error.error, "description": error.get_error_description()}
    signed_in = store.use_browser_session(provider.session, hash_secret(secret or ""), provider.now)
    if signed_in is None or secret is None:
        return _gone(asked, is_sure=asked.hint is not None)
    if decision == STAY:
        return asked.page | {"page": "stayed"}
    # section 2: "if the ID Token's sub and sid are not of the current session, the OP should treat it as suspect"
    if decision != SIGN_OUT and not _is_meant(provider, asked, signed_in):
        return asked.page | {"page": "confirm", "username": signed_in.account.username, "fields": _fields(given)}
    sessions.sign_out(provider.session, secret, provider.now)
    return _gone(asked, is_sure=True)


def _read(provider: Provider, given: Parameters) -> Asked:
    hint = _hint(provider, given.data.get("id_token_hint"))
    client = _client(provider, given.data.get("client_id"), hint)
    uri = given.data.get("post_logout_redirect_uri")
    # section 3.1: "MUST have been previously registered", compared as text (RFC 9700, section 4.11)
    if uri is not None and (client is None or uri not in client.post_logout_uris):
        raise InvalidRequestError("The post_logout_redirect_uri is not registered, or no client is named.")
    state = [("state", given.state)] if given.state else []
    page = {
        "client": client.name if client else None,
        "redirect_uri": uri,
        **response_modes.page_hints(given, "ui_locales"),
    }
    return Asked(client, hint, uri, add_params_to_uri(uri, state) if uri else None, page)


def _hint(provider: Provider, text: str | None) -> dict[str, Any] | None:
    """Section 2: expired ones are accepted, as long as the key that signed them is known."""
    if text is None:
        return None
    hint = read_any_hint(provider.issuer, text)
    if hint is None:
        raise InvalidRequestError("The 'id_token_hint' is no ID token of ours.")
    return hint


def _client(provider: Provider, client_id: str | None, hint: dict[str, Any] | None) -> Client | None:
    """Section 2: "the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token"."""
    if hint is not None and client_id not in (None, hint["aud"]):
        raise InvalidRequestError("The 'id_token_hint' was not for this client.")
    name = client_id if hint is None else hint["aud"]
    if name is None:
        return None
    client = provider.query_client(name)
    if client is None:
        raise InvalidRequestError("There is no such client.")
    return client.registration


def _is_meant(provider: Provider, asked: Asked, signed_in: BrowserSession) -> bool:
    """Whether the client shows a token of this person in this session: no other site could make them sign out."""
    if asked.client is None or asked.hint is None or signed_in.sid is None:
        return False
    subjects, client = provider.issuer.subjects, asked.client
    mine = (subjects.seen_by(client, signed_in.account.subject), subjects.session_seen_by(client, signed_in.sid))
    return mine == (asked.hint.get("sub"), asked.hint.get("sid"))


def _gone(asked: Asked, *, is_sure: bool) -> Page:
    """Section 3: without a hint nobody is sent on by somebody's link alone; the person may go by themselves."""
    page = "redirect" if is_sure and asked.location else "signed-out"
    return asked.page | {"page": page, "location": asked.location}


def _fields(given: Parameters) -> list[list[str]]:
    return [[name, given.data[name]] for name in PARAMETERS if name in given.data]
