"""Token exchange (RFC 8693): whoever can prove it acts for somebody else, in their own name.

`RESOLVERS` is the one list of what proves it, by the type of the subject token. A resolver says for whom; all else is
the same for each: nothing without an actor, nothing twice removed, never more than both the actor and the client have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError

from contracts import access
from services.identity import store as identity_store
from services.identity.access_log.commands import note_act, note_look
from services.identity.access_log.domain import Look
from services.identity.assurance import ACR_VALUES, IN_PERSON, SELF_DECLARED
from services.identity.domain import Account, Client
from services.identity.mandates import store as mandates
from services.identity.mandates.domain import TOKEN_TYPE as MANDATE_TOKEN
from services.identity.oauth import tokens
from services.identity.oauth.presented import LiveToken, find_live
from services.identity.presence import domain as presence
from services.identity.presence import store as presence_store
from services.identity.presence.checks import checks_of
from services.identity.sealing import hash_secret

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 (the name of a kind)
SCOPES = ("cases",)
"""What anybody may do for somebody else. A profile is the person's own to show."""


class Unproved(InvalidRequestError):
    """RFC 8693, section 2.2.2: invalid_request for tokens that are "invalid for any reason". Which, nobody hears."""

    description = "The actor token or the subject token is not valid here."


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts: the account as it is now, the token that they showed, and the client that they use."""

    account: Account
    token: LiveToken
    client: Client

    def has_role(self, role: str) -> bool:
        """Now, and when the token was issued."""
        return role in self.account.roles and role in self.token.claims["roles"]


@dataclass(frozen=True, slots=True)
class Represented:
    """For whom: an account's subject, how that was proved, and what it allows, if not all (RFC 9396).

    `is_at_counter`: by a clerk, for who stands before them.
    """

    subject: str
    way: str
    is_at_counter: bool = True
    details: dict[str, str] | None = None


Resolver = Callable[[Any, Acting, str], Represented | None]
"""(provider, who acts, subject token) -> for whom, or None. It consumes what works once."""


def _resolve_presence(server: Any, acting: Acting, token: str) -> Represented | None:
    if acting.client.channel != presence.CHANNEL or not acting.has_role(presence.CLERK):
        return None
    taken = presence_store.take(server.session, hash_secret(token), acting.account.subject, server.now)
    return Represented(taken.subject, taken.way) if taken else None


def _resolve_mandate(server: Any, acting: Acting, token: str) -> Represented | None:
    """The mandate's id: no secret, since it serves nobody but its agent, whose own token is the actor's.

    It is looked at each time, so who has ended it has ended what it opens, five minutes later at most.
    """
    # what somebody does for others at the counter they do as a clerk
    if acting.client.channel == presence.CHANNEL or not acting.client.first_party:
        return None
    mandate = mandates.load(server.session, token)
    if mandate is None or mandate.agent != acting.account.subject or not mandate.is_live(server.now):
        return None
    return Represented(mandate.principal, mandate.kind, is_at_counter=False, details=mandate.details)


RESOLVERS: dict[str, Resolver] = {
    presence.TOKEN_TYPE: _resolve_presence,
    MANDATE_TOKEN: _resolve_mandate,
}


@dataclass(frozen=True, slots=True)
class Asked:
    subject_token: str
    subject_token_type: str
    actor_token: str
    scope: str | None = None


def exchange(server: Any, client: Client, asked: Asked) -> dict[str, Any]:
    """A token response (section 2.2.1). The caller must commit, also after an error: a proof may be used up."""
    acting = find_acting(server, client, asked.actor_token)
    resolve = RESOLVERS.get(asked.subject_token_type)
    if acting is None or resolve is None:
        raise Unproved
    scope = _narrowed(acting, asked.scope)
    represented = resolve(server, acting, asked.subject_token)
    if represented is None:
        raise Unproved
    return issue(server, acting, represented, scope)


def issue(server: Any, acting: Acting, represented: Represented, scope: str) -> dict[str, Any]:
    """The token itself. Raise `Unproved` for whoever is nobody, or the one who acts."""
    if represented.subject == acting.account.subject:
        raise Unproved
    principal = identity_store.get_account(server.session, represented.subject)
    if principal is None:
        raise Unproved
    _record(server, acting, represented)
    return tokens.issue_exchanged_token(
        server.issuer,
        acting.client,
        represented.subject,
        acting.token.claims,
        scope,
        server.now,
        server.dpop_jkt,
        level=_level(acting, represented, principal),
        hall=acting.account.hall if represented.is_at_counter else None,
        details=represented.details,
        checks=checks_of(server.session, represented.subject, represented.way) if represented.is_at_counter else (),
    ) | {"issued_token_type": ACCESS_TOKEN}


def _level(acting: Acting, represented: Represented, principal: Account) -> int:
    """In person, where somebody stands before a clerk. Else of the less sure one of the two who are not there."""
    if represented.is_at_counter:
        return IN_PERSON
    acr = str(acting.token.claims.get("acr", SELF_DECLARED))
    return min(principal.assurance, int(acr) if acr in ACR_VALUES else SELF_DECLARED)


def find_acting(server: Any, client: Client, actor_token: str) -> Acting | None:
    """None for a token that is not good, of another client, a program's, bound to another key, or an exchanged one.

    Section 4.1 would nest the actors of an exchanged token in each other. Here nobody hands on what was entrusted to
    them in person.
    """
    live = find_live(server, actor_token)
    if live is None or live.family is None or "act" in live.claims:
        return None
    if live.claims["client_id"] != client.id or live.jkt not in (None, server.dpop_jkt):
        return None
    account = identity_store.get_account(server.session, live.family.subject)
    return Acting(account, live, client) if account else None


def _narrowed(acting: Acting, asked: str | None) -> str:
    """Section 2.1: what was asked, within what the actor and the client have; without `scope`, all of that."""
    may = [
        scope
        for scope in SCOPES
        if scope in acting.token.claims["scope"].split() and acting.client.permits_scopes(frozenset([scope]))
    ]
    wanted = may if asked is None else list(dict.fromkeys(asked.split()))
    if not wanted or not set(wanted) <= set(may):
        raise InvalidScopeError
    return " ".join(wanted)


def _record(server: Any, acting: Acting, represented: Represented) -> None:
    """In the citizen's access log: who speaks for them from now on.

    A clerk each time; an agent, whose token is renewed every few minutes, as other looks are.
    """
    actor, client, at_counter = acting.account, acting.client, represented.is_at_counter
    look = Look(
        account=represented.subject,
        viewer=actor.subject,
        client=client.id,
        role=presence.CLERK if at_counter else access.AGENT,
        department=actor.department if at_counter else None,
        channel=client.channel,
        what=access.IDENTITY,
        number=(represented.details or {}).get("case"),
        purpose=access.COUNTER if at_counter else access.ON_BEHALF,
        hall=actor.hall if at_counter else None,
    )
    (note_act if at_counter else note_look)(server.session, look, server.now)
