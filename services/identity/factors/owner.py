"""Who may change how an account is proved: its owner, in the browser where they have just signed in.

Not by an access token: one that was given to an app, or was stolen from one, changes nothing here.
"""

from __future__ import annotations

from datetime import datetime

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import NotPermitted, SessionEnded, SignInTooOld
from services.identity import store as identity_store
from services.identity.domain import BrowserSession
from services.identity.factors import store
from services.identity.factors.domain import FRESH, is_two_factors
from services.identity.sealing import hash_secret


def require_owner(session: Session, actor: Actor, secret: str, now: datetime) -> BrowserSession:
    """The browser session. Raise `SessionEnded`, also where somebody else is signed in, `NotPermitted`."""
    if actor.act is not None:
        # whoever acts for somebody does not change how that person is proved
        raise NotPermitted("change_factors")
    signed_in = identity_store.use_browser_session(session, hash_secret(secret), now)
    if signed_in is None or signed_in.account.subject != actor.subject:
        raise SessionEnded
    return signed_in


def require_fresh_owner(session: Session, actor: Actor, secret: str, now: datetime) -> BrowserSession:
    """With all that they have: who has a second factor has given it. Raise `SignInTooOld`."""
    signed_in = require_owner(session, actor, secret, now)
    needs_two = not store.get_factors(session, signed_in.account.subject).is_empty
    if now - signed_in.signed_in_at > FRESH or (needs_two and not is_two_factors(signed_in.amr)):
        raise SignInTooOld
    return signed_in
