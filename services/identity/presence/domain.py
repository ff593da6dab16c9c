"""The rules of presence: who may ask for a proof of it, how long it holds, and how often a wrong number may be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.actors import Actor
from contracts.errors import NotPermitted

TOKEN_TYPE = "urn:onehall:params:oauth:token-type:presence"  # noqa: S105 (the name of a kind)
CLERK = "clerk"
CHANNEL = "hall"

LIFETIME = timedelta(minutes=2)
"""From the reading of the card to the exchange. The programs of the counter take a second for it."""

MOST_UNKNOWN = 20
"""Numbers that are nobody's, of one clerk within the window of `device.domain`: a reader seldom errs."""

ID_NUMBER = "id-number"
CODE = "code"


@dataclass(frozen=True, slots=True)
class Presence:
    """One use, by the clerk to whom it was given. `way` is how it was proved: `id-number` or `code`."""

    secret_hash: str
    subject: str
    clerk: str
    way: str
    created_at: datetime
    expires_at: datetime


def require_clerk(actor: Actor) -> None:
    """Signed in at the hall, and for themselves: who acts for somebody reads nobody's card."""
    if not actor.has_role(CLERK) or actor.channel != CHANNEL or actor.act is not None:
        raise NotPermitted("prove_presence")


def mask_name(name: str) -> str:
    """`陈*明`, `林*`, `A***e`: enough to ask whether it is they, too little for who looks over a shoulder."""
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * min(len(name) - 2, 3) + name[-1]
