"""One-time codes and notices of security leave here: claimed in one transaction, sent outside of any, then marked.

Nothing is tried for longer than it is good: the API does not tell what has expired. Each way of sending has a sender of
its own, so that one that is away holds nothing else up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from chassis.database import Database
from contracts import security
from services.notify import metrics, store
from services.notify.api import ApiUnavailable
from services.notify.codes import Code
from services.notify.mail import (
    ConnectionEnded,
    MailConnection,
    MailDeferred,
    Mailer,
    MailRefused,
    MailServerUnavailable,
    compose,
)
from services.notify.notices import SecurityNotice
from services.notify.sms import NOTICE, RECOVERY, SmsDeferred, SmsProvider, SmsRefused, SmsUnavailable
from services.notify.store import Claim, Outcome
from services.notify.wording import render_code, render_security_mail

log = logging.getLogger(__name__)

RETRY_SECONDS = (1, 2, 5, 10, 20, 40, 60)
"""Waits after the first, second, ... failed attempt; the last one again and again, until the code is good no more."""

_BATCH = 20
_PAUSE_SECONDS = (1, 2, 5, 10)

NOTICE_RETRY_SECONDS = (2, 10, 40, 120, 600, 1800, 3600)
"""The same for notices, which are good for days."""

Send = Callable[[Claim, Any], None]


class Way(Protocol):
    """How codes or notices go out. Entering it may raise what `_AWAY` names."""

    channel: str

    def opened(self) -> Iterator[Send]: ...


class Book(Protocol):
    """What has to be sent, by the recipients that claims name."""

    def find(self, recipients: Collection[str]) -> Mapping[str, Any]: ...

    def confirm_sent(self, recipients: Collection[str]) -> None: ...


class ByMail:
    channel = store.CODE_MAIL

    def __init__(self, mailer: Mailer, sender: str) -> None:
        self._mailer = mailer
        self._sender = sender

    def opened(self) -> Iterator[Send]:
        with self._mailer.connect() as connection:
            yield lambda claim, code: self._send(connection, claim, code)

    def _send(self, connection: MailConnection, claim: Claim, code: Code) -> None:
        text = render_code(code.locale, code.code, code.minutes)
        connection.send(compose(self._sender, code.address, text, claim.id, claim.created_at))


class BySms:
    channel = store.CODE_SMS

    def __init__(self, provider: SmsProvider) -> None:
        self._provider = provider

    def opened(self) -> Iterator[Send]:
        yield lambda claim, code: self._provider.send(
            code.address, code.locale, [code.code, str(code.minutes)], claim.id
        )


class NoticeByMail:
    channel = store.NOTICE_MAIL

    def __init__(self, mailer: Mailer, sender: str, base_url: str) -> None:
        self._mailer = mailer
        self._sender = sender
        self._base_url = base_url

    def opened(self) -> Iterator[Send]:
        with self._mailer.connect() as connection:
            yield lambda claim, notice: self._send(connection, claim, notice)

    def _send(self, connection: MailConnection, claim: Claim, notice: SecurityNotice) -> None:
        text = render_security_mail(notice.locale, notice.change, notice.code, self._base_url, notice.name)
        connection.send(compose(self._sender, notice.address, text, claim.id, claim.created_at))


class NoticeBySms:
    channel = store.NOTICE_SMS

    def __init__(self, provider: SmsProvider) -> None:
        self._provider = provider

    def opened(self) -> Iterator[Send]:
        yield self._send

    def _send(self, claim: Claim, notice: SecurityNotice) -> None:
        """The address of the page is in the provider's template: variables carry no link."""
        if notice.code is None:
            raise SmsRefused("NothingToSay")
        template = RECOVERY if notice.change == security.RECOVERY_LINK else NOTICE
        self._provider.send(notice.address, notice.locale, notice.code.split("-"), claim.id, template)


_AWAY = (ApiUnavailable, MailServerUnavailable, ConnectionEnded, SmsUnavailable)


class CodeSender:
    """One a process and way. `now` gives seconds that only rise, for pauses."""

    def __init__(
        self,
        database: Database,
        book: Book,
        way: Way,
        *,
        lease_seconds: int,
        retry_seconds: Sequence[int] = RETRY_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._book = book
        self._way = way
        self._open = contextmanager(way.opened)
        self._lease_seconds = lease_seconds
        self._retry_seconds = retry_seconds
        self._now = now
        self._outages = 0
        self._paused_until = 0.0

    def send_due(self) -> None:
        if self._now() < self._paused_until:
            return
        with self._database.transaction() as session:
            claims = store.claim(session, self._way.channel, _BATCH, self._lease_seconds)
        if not claims:
            return
        waiting = iter(claims)
        try:
            codes = self._book.find({claim.recipient for claim in claims})
            with self._open() as send:
                for claim in waiting:
                    self._settle(self._try(send, claim, codes.get(claim.recipient)))
        except _AWAY as error:
            self._pause(error)
        finally:
            # what was not tried is the next turn's, uncounted
            self._settle(*(Outcome(claim, "pending") for claim in waiting))

    def _try(self, send: Send, claim: Claim, code: Any | None) -> Outcome:
        if code is None:
            return Outcome(claim, "failed", error="NotWanted")
        try:
            send(claim, code)
        except _AWAY as error:
            self._settle(self._again(claim, error))
            raise
        except (MailRefused, SmsRefused) as error:
            log.warning("%s %s refused: %s", self._way.channel, claim.id, error.args[0])
            return Outcome(claim, "failed", error=_class_and_code(error))
        except SmsDeferred as error:
            return self._again(claim, error, error.args[1])
        except MailDeferred as error:
            return self._again(claim, error)
        except Exception as error:
            # a fault of ours in one must not keep the others back
            log.exception("%s %s", self._way.channel, claim.id)
            return self._again(claim, error)
        self._outages = 0
        self._confirm(claim)
        return Outcome(claim, "sent")

    def _confirm(self, claim: Claim) -> None:
        try:
            self._book.confirm_sent([claim.recipient])
        except ApiUnavailable as error:
            log.warning("code %s was sent, and stays readable until it expires: %s", claim.id, error)

    def _again(self, claim: Claim, error: Exception, seconds: int | None = None) -> Outcome:
        wait = seconds or self._retry_seconds[min(claim.attempts, len(self._retry_seconds)) - 1]
        return Outcome(claim, "pending", datetime.now(UTC) + timedelta(seconds=wait), _class_and_code(error))

    def _settle(self, *outcomes: Outcome) -> None:
        if not outcomes:
            return
        with self._database.transaction() as session:
            store.settle(session, outcomes)
        for outcome in outcomes:
            metrics.deliveries.labels(self._way.channel, _word(outcome)).inc()

    def _pause(self, error: Exception) -> None:
        seconds = _PAUSE_SECONDS[min(self._outages, len(_PAUSE_SECONDS) - 1)]
        self._outages += 1
        self._paused_until = self._now() + seconds
        log.error("codes wait %d s (%s): %s %s", seconds, self._way.channel, type(error).__name__, error)


def _class_and_code(error: Exception) -> str:
    """No more than this: a server's text repeats the address."""
    told = MailDeferred, MailRefused, ConnectionEnded, SmsDeferred, SmsRefused, SmsUnavailable
    return f"{type(error).__name__} {error.args[0]}" if isinstance(error, told) else type(error).__name__


def _word(outcome: Outcome) -> str:
    if outcome.status != "pending":
        return outcome.status
    return "deferred" if outcome.next_attempt_at else "postponed"
