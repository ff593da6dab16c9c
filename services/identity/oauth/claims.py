"""What a client may read about a person (OpenID Connect Core, section 5.1), and which scope opens it (section 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.identity.domain import Account
from services.identity.persons.people import People

CLAIMS = {
    "profile": ("name", "preferred_username", "locale"),
    "email": ("email",),
}
"""Scope -> the claims it opens."""

SCOPE_OF = {claim: scope for scope, claims in CLAIMS.items() for claim in claims}


def opened_by(scopes: Iterable[str]) -> list[str]:
    return [claim for scope in scopes for claim in CLAIMS.get(scope, ())]


def values_of(account: Account, people: People, names: Iterable[str]) -> dict[str, str]:
    """Those that the person has; what is sealed is opened only if it is named."""
    known: dict[str, Callable[[], str | None]] = {
        "name": lambda: account.name,
        "preferred_username": lambda: account.username,
        "locale": lambda: account.locale,
        "email": lambda: people.email_of(account.subject),
    }
    values = {name: known[name]() for name in names}
    return {name: value for name, value in values.items() if value is not None}
