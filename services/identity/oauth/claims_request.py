"""The `claims` request parameter (OpenID Connect Core, section 5.5) and `acr_values` (section 3.1.2.1).

Claims asked for by name are given on the same terms as by scope: the client may have the scope that opens them, and the
person has agreed to it. What is not given is left out, as section 5.5.1 wants.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload

from services.identity.assurance import rank
from services.identity.domain import is_text
from services.identity.oauth.claims import SCOPE_OF

MAX_LENGTH = 4_000
MAX_VALUES, MAX_VALUE = 10, 200


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """Names of claims for either place, and what the sign-in shall be like.

    `acr` are levels of assurance in the client's order; `must_reach` says that none of them is no sign-in at all
    (section 5.5.1.1). `subject` is the one person whom the client takes.
    """

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()
    must_reach: bool = False
    subject: str | None = None

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> ClaimsRequest:
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in (stored or {}).items()}
        return cls(**values)

    def stored(self) -> dict[str, Any] | None:
        """What is needed again when tokens are issued; the rest is over with the sign-in."""
        lasting = ClaimsRequest(self.userinfo, self.id_token, self.acr)
        return asdict(lasting) if lasting != ClaimsRequest() else None

    def about(self, subject: str) -> ClaimsRequest:
        """With the person whom the client has named elsewhere. Raise `InvalidRequestError` if it names two."""
        if self.subject not in (None, subject):
            raise InvalidRequestError("The request asks for several subjects.")
        return replace(self, subject=subject)

    @property
    def scopes(self) -> frozenset[str]:
        """What would open the same claims: a person agrees to these."""
        return frozenset(SCOPE_OF[claim] for claim in (*self.userinfo, *self.id_token))

    def permitted(self, scopes: Iterable[str]) -> ClaimsRequest:
        """Without the claims that none of `scopes` opens."""
        userinfo, id_token = (
            tuple(claim for claim in claims if SCOPE_OF[claim] in scopes) for claims in (self.userinfo, self.id_token)
        )
        return replace(self, userinfo=userinfo, id_token=id_token)

    def step_from(self, level: int) -> int | None:
        """The level to rise to, if none of those asked for is reached. Nobody reaches one above `IN_PERSON`."""
        ranks = [rank(value) for value in self.acr]
        return None if not ranks or min(ranks) <= level else min(ranks)

    def acr_for(self, level: int) -> str:
        """The first of the levels asked for that the person's own includes; without one, their own."""
        return next((value for value in self.acr if rank(value) <= level), str(level))


def parse_claims(parameters: OAuth2Payload) -> ClaimsRequest:
    """Raise `InvalidRequestError`. Claims that we do not have are ignored."""
    asked = _object(parameters.data.get("claims"))
    userinfo, id_token = (_members(asked, place) for place in ("userinfo", "id_token"))
    acr = id_token.get("acr") or {}
    wanted = _values(acr)
    return ClaimsRequest(
        userinfo=tuple(name for name in userinfo if name in SCOPE_OF),
        id_token=tuple(name for name in id_token if name in SCOPE_OF),
        acr=wanted or tuple(parameters.data.get("acr_values", "").split()[:MAX_VALUES]),
        must_reach=bool(wanted) and acr.get("essential") is True,
        subject=_subject(userinfo, id_token),
    )


def _object(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if len(text) > MAX_LENGTH:
        raise InvalidRequestError(f"The parameter 'claims' is longer than {MAX_LENGTH} characters.")
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequestError("The parameter 'claims' is no JSON.") from None
    if not isinstance(asked, dict):
        raise InvalidRequestError("The parameter 'claims' is no JSON object.")
    return asked


def _members(asked: dict[str, Any], place: str) -> dict[str, dict[str, Any] | None]:
    """Section 5.5: "null" or an object for each claim."""
    members = asked.get(place, {})
    if not isinstance(members, dict) or any(not isinstance(wish, dict | None) for wish in members.values()):
        raise InvalidRequestError(f"The member '{place}' of 'claims' must hold objects or null.")
    return members


def _values(wish: dict[str, Any]) -> tuple[str, ...]:
    """Section 5.5.1: `value` or `values`."""
    values = [wish["value"]] if "value" in wish else wish.get("values", [])
    if not isinstance(values, list) or len(values) > MAX_VALUES or not all(map(_is_value, values)):
        raise InvalidRequestError(f"The values of a claim in 'claims' must be {MAX_VALUES} short texts at most.")
    return tuple(values)


def _is_value(value: object) -> bool:
    return isinstance(value, str) and is_text(value) and len(value) <= MAX_VALUE


def _subject(*places: dict[str, dict[str, Any] | None]) -> str | None:
    """Section 5.5.1: "the sub claim value" that is asked for is the person who must sign in."""
    asked = {value for place in places for value in _values(place.get("sub") or {})}
    if len(asked) > 1:
        raise InvalidRequestError("The parameter 'claims' asks for several subjects.")
    return next(iter(asked), None)
