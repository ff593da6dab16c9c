"""A citizen's visit at the counter: for so long the gateway's hall pages act for them, in the clerk's name.

A visit begins with a token exchange and ends with the clerk's session, or by itself. Its tokens are as short as all
that are exchanged; the gateway gets the next one here, and the browser none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2 import OAuth2Error
from sqlalchemy import delete, insert, select

from chassis.database import Session
from contracts.errors import SessionEnded
from services.identity import store as identity_store
from services.identity.assurance import IN_PERSON
from services.identity.oauth import store as oauth_store
from services.identity.oauth.exchange import Asked, exchange
from services.identity.oauth.server import Provider
from services.identity.oauth.tokens import family_of, issue_exchanged_token
from services.identity.presence.domain import CLERK, TOKEN_TYPE, mask_name
from services.identity.presence.tables import visits
from services.identity.sealing import hash_secret, new_secret

LONGEST = timedelta(minutes=20)
_CLIENT = "hall"


def open_visit(provider: Provider, access_token: str, presence_token: str) -> str | None:
    """The visit's secret, for the clerk's access token and a proof of presence; None if one of them is not good."""
    client = provider.query_client(_CLIENT)
    if client is None:
        return None
    asked = Asked(presence_token, TOKEN_TYPE, access_token)
    try:
        token = exchange(provider, client.registration, asked)
    except OAuth2Error:
        # no clerk any more, or the card was read too long ago
        return None
    claims = provider.issuer.read_access_token(token["access_token"], provider.now)
    assert claims is not None  # noqa: S101  it was issued a line above
    secret = new_secret()
    row = {
        "secret_hash": hash_secret(secret),
        "subject": claims["sub"],
        "clerk": claims["act"]["sub"],
        "family_id": family_of(claims),
        "scope": token["scope"],
        "checks": claims.get("checks", []),
        "began_at": provider.now,
        "ends_at": provider.now + LONGEST,
    }
    provider.session.execute(insert(visits).values(row))
    return secret


def get_visit(provider: Provider, secret: str) -> dict[str, Any]:
    """`{"access_token", "name", "ends_at"}`, the name masked. Raise `SessionEnded`."""
    row = provider.session.execute(select(visits).where(visits.c.secret_hash == hash_secret(secret))).first()
    client = provider.query_client(_CLIENT)
    if row is None or client is None or provider.now >= row.ends_at:
        raise SessionEnded
    family = oauth_store.get_family(provider.session, row.family_id)
    clerk = identity_store.get_account(provider.session, row.clerk)
    citizen = identity_store.get_account(provider.session, row.subject)
    if family is None or family.revoked_at is not None or clerk is None or citizen is None or CLERK not in clerk.roles:
        raise SessionEnded
    actor = {"sub": row.clerk, "jti": f"{row.family_id}."}
    token = issue_exchanged_token(
        provider.issuer,
        client.registration,
        row.subject,
        actor,
        row.scope,
        provider.now,
        level=IN_PERSON,
        hall=clerk.hall,
        visit=row.secret_hash,
        checks=row.checks,
    )
    return {
        "access_token": token["access_token"],
        "name": mask_name(citizen.name),
        "ends_at": row.ends_at.isoformat(),
    }


def end_visit(session: Session, secret: str) -> None:
    session.execute(delete(visits).where(visits.c.secret_hash == hash_secret(secret)))


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(visits).where(visits.c.ends_at < now))
