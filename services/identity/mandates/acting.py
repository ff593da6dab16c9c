"""Acting for somebody in the web channel: its session exchanges the mandate without going through the network."""

from __future__ import annotations

from typing import Any

from contracts.errors import NotFound
from services.identity import store as identity_store
from services.identity.mandates import store
from services.identity.mandates.domain import TOKEN_TYPE
from services.identity.oauth import exchange
from services.identity.oauth.exchange import Asked, Unproved
from services.identity.oauth.server import Provider
from services.identity.web_sessions import WebSessions, use_web_session


def act_for(provider: Provider, web_sessions: WebSessions, secret: str, mandate_id: object) -> dict[str, Any] | None:
    """The token, and for whom it is. None if the session has ended; raise `NotFound` if the mandate is not live.

    The caller must commit in any case, as of `use_web_session`.
    """
    session = use_web_session(provider.session, web_sessions, secret, provider.now)
    if session is None:
        return None
    client = provider.query_client(session["client"])
    mandate = store.load(provider.session, mandate_id)
    if client is None or mandate is None:
        raise NotFound("mandate")
    try:
        asked = Asked(mandate.id, TOKEN_TYPE, session["access_token"])
        token = exchange.exchange(provider, client.registration, asked)
    except Unproved:
        raise NotFound("mandate") from None
    principal = identity_store.get_account(provider.session, mandate.principal)
    return {
        "access_token": token["access_token"],
        "name": principal.name if principal else "",
        "item": mandate.item,
        "number": mandate.number,
    }
