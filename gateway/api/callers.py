"""Who calls the API, and what a route takes from the application."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import (
    HTTPAuthorizationCredentials,
    HTTPBearer,
    OAuth2AuthorizationCodeBearer,
    SecurityScopes,
)
from fastapi.security.http import HTTPBase

from contracts.actors import Actor
from contracts.errors import SessionEnded
from gateway.catalogue import Items
from gateway.endpoints import Endpoints
from gateway.files.service import Files
from gateway.rpc.client import Rpc
from gateway.tokens import InsufficientScope, TokenRefused, Tokens

SCOPES = {
    "cases": "File and follow cases, rate them, read the inbox",
    "events": "Subscribe to the events of cases (programs of departments and of organisations with an agreement)",
    "evidence:answer": "Answer requests for evidence (programs of organisations with an agreement)",
    "codes": "Read one-time codes that wait to be sent (programs of the platform only)",
    "contacts": "Read how accounts are reached (programs of the platform only)",
}

bearer = HTTPBearer(auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="RFC 9068, ES256")
bound = HTTPBase(
    auto_error=False,
    scheme="dpop",
    scheme_name="dpop",
    description="RFC 9449: a token that is bound to a key, with a proof of the key in the header `DPoP`",
)
oauth = OAuth2AuthorizationCodeBearer(
    authorizationUrl="/oauth/authorize",
    tokenUrl="/oauth/token",
    scopes=SCOPES,
    scheme_name="oauth2",
    auto_error=False,
)


async def describe_schemes(
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    __: Annotated[HTTPAuthorizationCredentials | None, Depends(bound)],
    ___: Annotated[str | None, Depends(oauth)],
) -> None:
    """For the API's description only; `_actor_of` reads the header."""


async def get_actor(request: Request, scopes: SecurityScopes, _: Annotated[None, Depends(describe_schemes)]) -> Actor:
    """The token's actor, with every scope that the route asks for."""
    actor = await _actor_of(request)
    for scope in scopes.scopes:
        if not actor.has_scope(scope):
            raise InsufficientScope(scope)
    return actor


async def get_subscriber(request: Request, _: Annotated[None, Depends(describe_schemes)]) -> Actor:
    """A program with the scope `events`. An officer looks after the department's subscriptions with `cases`, too."""
    actor = await _actor_of(request)
    if not (actor.has_scope("events") or (actor.has_role("officer") and actor.has_scope("cases"))):
        raise InsufficientScope("events")
    return actor


async def get_source(request: Request, _: Annotated[None, Depends(describe_schemes)]) -> Actor:
    """Who may be asked for evidence: a department's program or officer, or an organisation's with its own scope."""
    actor = await _actor_of(request)
    if not (actor.has_scope("evidence:answer") or actor.has_scope("cases")):
        raise InsufficientScope("evidence:answer")
    return actor


async def _actor_of(request: Request) -> Actor:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    tokens: Tokens = request.app.state.tokens
    if scheme.lower() == "bearer" and token:
        actor = await tokens.actor_of(token.strip())
        return await _still_present(request, actor, token.strip())
    if scheme.lower() == "dpop":
        # RFC 9449, section 4.3: "There is not more than one DPoP HTTP request header field"; two are no proof
        proof = ",".join(request.headers.getlist("dpop"))
        url = request.app.state.settings.base_url + request.url.path
        actor = await tokens.actor_of_proved(token.strip(), proof, request.method, url)
        return await _still_present(request, actor, token.strip())
    raise TokenRefused


async def _still_present(request: Request, actor: Actor, token: str) -> Actor:
    """Whoever acts for a citizen at the counter may do so while they are there: not even for the rest of a token.

    Identity is asked each time, of these tokens only. The counter's pages are not: they get theirs from identity.
    """
    if actor.act is None or actor.channel != "hall":
        return actor
    rpc: Rpc = request.app.state.rpc
    try:
        await rpc.call("identity.get_subject", token)
    except SessionEnded as error:
        raise TokenRefused("no longer good") from error
    return actor


async def get_rpc(request: Request) -> Rpc:
    rpc: Rpc = request.app.state.rpc
    return rpc


async def get_items(request: Request) -> Items:
    items: Items = request.app.state.items
    return items


async def get_files(request: Request) -> Files:
    files: Files = request.app.state.files
    return files


async def get_endpoints(request: Request) -> Endpoints:
    endpoints: Endpoints = request.app.state.endpoints
    return endpoints


CasesActor = Annotated[Actor, Security(get_actor, scopes=["cases"])]
CodesActor = Annotated[Actor, Security(get_actor, scopes=["codes"])]
ContactsActor = Annotated[Actor, Security(get_actor, scopes=["contacts"])]
Services = Annotated[Rpc, Depends(get_rpc)]
WebhookEndpoints = Annotated[Endpoints, Depends(get_endpoints)]
Stored = Annotated[Files, Depends(get_files)]
Catalogue = Annotated[Items, Depends(get_items)]
