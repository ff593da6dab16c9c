"""Notices are taken and signed in one transaction, sent outside of any, and settled in another."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from chassis.database import Session
from chassis.webhooks import addresses
from chassis.webhooks.addresses import Endpoint
from chassis.webhooks.rules import Result
from services.identity import metrics
from services.identity import store as identity_store
from services.identity.notices import outcomes, store
from services.identity.notices.store import Notice
from services.identity.oauth.logout_token import logout_token
from services.identity.oauth.tokens import Issuer
from services.identity.sessions.domain import GIVEN_UP

log = logging.getLogger(__name__)

MOST_EACH = 4
"""Requests under way to one client."""

TAKEN_FOR = timedelta(minutes=2)
"""Longer than an attempt may take: a notice whose sender has died is sent again after that."""

_USER_AGENT = "OneHall-Logout/1"


@dataclass(frozen=True, slots=True)
class LogoutMessage:
    """One request to a client (section 2.5)."""

    notice: Notice
    uri: str
    token: str

    @property
    def owner(self) -> str:
        return self.notice.client_id

    @property
    def body(self) -> str:
        return urlencode({"logout_token": self.token})

    def endpoint(self) -> Endpoint:
        return addresses.parse(self.uri, plain_at_loopback=True)

    def headers(self, at: datetime) -> list[tuple[str, str]]:
        return [("content-type", "application/x-www-form-urlencoded"), ("user-agent", _USER_AGENT)]


LoadIssuer = Callable[[Session], Issuer]
Attempt = tuple[LogoutMessage, Result]


def take_due(
    session: Session, load_issuer: LoadIssuer, busy: Mapping[str, int], most: int, now: datetime
) -> list[LogoutMessage]:
    """What is to be sent now. It is signed anew for each attempt, since it lives for two minutes."""
    notices = store.claim(session, now, now + TAKEN_FOR, busy, MOST_EACH, most)
    if not notices:
        return []
    issuer = load_issuer(session)
    names = {notice.client_id for notice in notices}
    clients = {name: client for name in names if (client := identity_store.get_client(session, name)) is not None}
    messages = []
    for notice in notices:
        client = clients[notice.client_id]
        # a client may refuse a `jti` that it has seen (section 2.6), also where it failed before it had signed out
        jti = f"{notice.id}.{notice.attempts}"
        token = logout_token(issuer, client, notice.subject, notice.sid, jti, now)
        messages.append(LogoutMessage(notice, client.backchannel_logout_uri or "", token))
    return messages


def settle(session: Session, attempts: Sequence[Attempt], now: datetime) -> list[str]:
    """What came of them, to be counted when it is committed."""
    words = [outcomes.outcome(result, message.notice.attempts) for message, result in attempts]
    over, later = [], {}
    for (message, result), word in zip(attempts, words, strict=True):
        if word in outcomes.FINAL:
            over.append(message.notice.id)
        else:
            later[message.notice.id] = now + outcomes.pause(result, message.notice.attempts)
    if over:
        store.remove(session, over)
    if later:
        store.put_off(session, later)
    return words


def count(attempts: Sequence[Attempt], words: Sequence[str]) -> None:
    for word, times in Counter(words).items():
        metrics.logout_notices.labels(word).inc(times)
    for (message, result), word in zip(attempts, words, strict=True):
        if word in (outcomes.REFUSED, GIVEN_UP):
            said = result.error or result.status_code
            log.error("%s was not told of the end of a session (%s): %s", message.owner, word, said)


def measure(session: Session, now: datetime) -> None:
    waiting, oldest = store.measure(session)
    metrics.logout_notices_waiting.set(waiting)
    metrics.logout_notice_oldest_seconds.set((now - oldest).total_seconds() if oldest else 0)
