"""An access token that is shown to us, and what may be known of it: is it alive, whose is it, who may use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.identity.domain import TokenFamily
from services.identity.oauth import store
from services.identity.oauth.tokens import family_of, visit_of
from services.identity.presence import store as presence_store


@dataclass(frozen=True, slots=True)
class LiveToken:
    """`family` is None for the token of a program by itself."""

    claims: dict[str, Any]
    family: TokenFamily | None

    @property
    def subject(self) -> str:
        """The account's, which `sub` does not tell to every client (`pairwise`)."""
        # of an exchanged token the family is theirs who act, and the client knows a person as everybody does
        is_own = self.family is not None and "act" not in self.claims
        return self.family.subject if self.family and is_own else str(self.claims["sub"])

    @property
    def jkt(self) -> str | None:
        """The thumbprint of the key that must be proved with it (RFC 9449, section 6)."""
        thumbprint: str | None = self.claims.get("cnf", {}).get("jkt")
        return thumbprint


def find_live(server: Any, text: str) -> LiveToken | None:
    """None for what is no access token of ours, has expired, or was revoked, alone, with its family or its visit."""
    claims = server.issuer.read_access_token(text, server.now)
    if claims is None or store.is_access_token_revoked(server.session, claims["jti"]):
        return None
    family_id = family_of(claims)
    if family_id is None:
        return LiveToken(claims, None)
    visit = visit_of(claims)
    if visit is not None and not presence_store.is_visit_live(server.session, visit, server.now):
        return None
    family = store.get_family(server.session, family_id)
    return None if family is None or family.revoked_at is not None else LiveToken(claims, family)
