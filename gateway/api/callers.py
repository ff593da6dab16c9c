"""Who calls the API, and what a route takes from the application."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2AuthorizationCodeBearer, SecurityScopes

from contracts.actors import Actor
from gateway.catalogue import Items
from gateway.endpoints import Endpoints
from gateway.rpc.client import Rpc
from gateway.tokens import InsufficientScope, TokenRefused

SCOPES = {
    "cases": "File and follow cases, rate them, read the inbox",
    "events": "Subscribe to the events of cases (programs of departments and of organisations with an agreement)",
    "contacts": "Read how accounts are reached (programs of the platform only)",
}

bearer = HTTPBearer(auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="RFC 9068, ES256")
oauth = OAuth2AuthorizationCodeBearer(
    authorizationUrl="/oauth/authorize",
    tokenUrl="/oauth/token",
    scopes=SCOPES,
    scheme_name="oauth2",
    auto_error=False,
)


async def get_actor(
    request: Request,
    scopes: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    _: Annotated[str | None, Depends(oauth)],
) -> Actor:
    """The token's actor, with every scope that the route asks for."""
    actor = await _actor_of(request, credentials)
    for scope in scopes.scopes:
        if not actor.has_scope(scope):
            raise InsufficientScope(scope)
    return actor


async def get_subscriber(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    _: Annotated[str | None, Depends(oauth)],
) -> Actor:
    """A program with the scope `events`. An officer looks after the department's subscriptions with `cases`, too."""
    actor = await _actor_of(request, credentials)
    if not (actor.has_scope("events") or (actor.has_role("officer") and actor.has_scope("cases"))):
        raise InsufficientScope("events")
    return actor


async def _actor_of(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Actor:
    if credentials is None:
        raise TokenRefused
    actor: Actor = await request.app.state.tokens.actor_of(credentials.credentials)
    return actor


async def get_rpc(request: Request) -> Rpc:
    rpc: Rpc = request.app.state.rpc
    return rpc


async def get_items(request: Request) -> Items:
    items: Items = request.app.state.items
    return items


async def get_endpoints(request: Request) -> Endpoints:
    endpoints: Endpoints = request.app.state.endpoints
    return endpoints


CasesActor = Annotated[Actor, Security(get_actor, scopes=["cases"])]
ContactsActor = Annotated[Actor, Security(get_actor, scopes=["contacts"])]
Services = Annotated[Rpc, Depends(get_rpc)]
WebhookEndpoints = Annotated[Endpoints, Depends(get_endpoints)]
Catalogue = Annotated[Items, Depends(get_items)]
