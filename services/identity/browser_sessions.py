"""Opening a browser session: the one way in, however somebody has proved who they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis import outbox
from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import SignInRefused
from contracts.events import SignedIn
from services.identity import store
from services.identity.domain import SESSION_ABSOLUTE, BrowserSession
from services.identity.oauth.http import Parameters
from services.identity.recovery import waiting
from services.identity.sealing import new_secret
from services.identity.sessions import commands as sessions


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in: the channel, the local URL that they go on to, and the browser's own part.

    `previous` is the secret of its session until now, which is worth nothing afterwards; `name` is what the person may
    know the browser by again.
    """

    channel: str
    request: str | None = None
    previous: str | None = None
    name: str | None = None

    @property
    def request_id(self) -> str | None:
        """What tells the authorization request from every other."""
        return Parameters(self.request.partition("?")[2]).fingerprint if self.request else None


def open_session(
    session: Session,
    subject: str,
    browser: Browser,
    signed_in_for: str | None,
    amr: Collection[str],
    now: datetime,
) -> dict[str, Any]:
    """Raise `SignInRefused` if the account is not there any more. `signed_in_for` is a `request_id`."""
    waiting.cancel_by_sign_in(session, subject, now)
    secret = new_secret()
    sequence = store.raise_sequence(session, subject)
    account = store.get_account(session, subject)
    if account is None:
        raise SignInRefused
    signed_in = BrowserSession(account, now, signed_in_for, tuple(amr))
    sessions.begin(session, secret, signed_in, browser.channel, previous=browser.previous, browser=browser.name)
    actor = Actor(subject=subject, client="identity", channel=browser.channel, roles=account.roles)
    outbox.add(session, SignedIn(subject), sequence=sequence, actor=actor)
    return {"session": secret, "subject": subject, "max_age": int(SESSION_ABSOLUTE.total_seconds())}
