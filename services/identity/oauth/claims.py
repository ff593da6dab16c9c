"""What a client may read about a person (OpenID Connect Core, section 5.1), and which scope opens it (section 5.4)."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain import Account

CLAIMS = {
    "profile": ("name", "preferred_username", "locale"),
    "email": ("email",),
}
"""Scope -> the claims it opens."""

SCOPE_OF = {claim: scope for scope, claims in CLAIMS.items() for claim in claims}


def opened_by(scopes: Iterable[str]) -> list[str]:
    return [claim for scope in scopes for claim in CLAIMS.get(scope, ())]


def values_of(account: Account, names: Iterable[str]) -> dict[str, str]:
    known = {
        "name": account.name,
        "preferred_username": account.username,
        "locale": account.locale,
        "email": account.email,
    }
    return {name: known[name] for name in names}
