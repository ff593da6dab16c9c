"""Mails leave here: claimed in one transaction, sent outside of any, marked in another.

What goes wrong with one mail is that mail's: it is tried again or given up. What goes wrong with the directory or the
mail server is nobody's: the batch goes back untouched and the sender pauses, so an outage of any length loses nothing
and what waited leaves within a minute after it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from chassis import failpoints
from chassis.database import Database
from services.notify import metrics, store
from services.notify.directory import Contact, Directory, DirectoryUnavailable
from services.notify.mail import (
    ConnectionEnded,
    MailConnection,
    MailDeferred,
    Mailer,
    MailRefused,
    MailServerUnavailable,
    compose,
)
from services.notify.store import Claim, Outcome
from services.notify.wording import Topic, known_locale, render_mail

log = logging.getLogger(__name__)

RETRY_SECONDS = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
"""Waits after the first, second, ... failed attempt: ten more within a day, then the mail is given up."""

BATCH = 100
MARK_EVERY = 20
"""How many mails go twice at most when the process is killed between the server's 250 and the mark."""

TURN_SECONDS = 5.0
"""A turn ends in time for a process that has ten seconds to stop."""

_PAUSE_SECONDS = (1, 2, 5, 10, 30)


class MailSender:
    """One per process. `now` gives seconds that only rise, for pauses and the turn's end."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        mailer: Mailer,
        *,
        sender: str,
        base_url: str,
        lease_seconds: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._directory = directory
        self._mailer = mailer
        self._sender = sender
        self._base_url = base_url
        self._lease_seconds = lease_seconds
        self._now = now
        self._outages = 0
        self._paused_until = 0.0
        self._unmarked: list[Outcome] = []

    def send_due(self) -> None:
        """Send what is due, batch after batch, until nothing is left, the turn is over, or a server is away."""
        # the database went away under the last batch: what was sent is marked before anything else is
        self._mark()
        if self._now() < self._paused_until:
            return
        turn_ends = self._now() + min(TURN_SECONDS, self._lease_seconds / 2)
        while self._now() < turn_ends:
            with self._database.transaction() as session:
                claims = store.claim(session, store.MAIL, BATCH, self._lease_seconds)
            if claims:
                self._send(claims, turn_ends)
            if len(claims) < BATCH or self._now() < self._paused_until:
                return

    def _send(self, claims: list[Claim], turn_ends: float) -> None:
        """Every claim gets its outcome, whatever happens."""
        waiting = iter(claims)
        try:
            contacts = self._directory.contacts({claim.recipient for claim in claims})
            with self._mailer.connect() as connection:
                self._send_each(connection, waiting, contacts, turn_ends)
        except (DirectoryUnavailable, MailServerUnavailable, ConnectionEnded) as error:
            self._pause(error)
        finally:
            # what the iterator still holds was not tried
            self._unmarked += [Outcome(claim, "pending") for claim in waiting]
            self._mark()

    def _send_each(
        self, connection: MailConnection, claims: Iterator[Claim], contacts: dict[str, Contact], turn_ends: float
    ) -> None:
        while self._now() < turn_ends:
            claim = next(claims, None)
            if claim is None:
                return
            contact = contacts.get(claim.recipient)
            if contact is None or not contact.email:
                self._unmarked.append(Outcome(claim, "failed", error="NoAddress"))
            else:
                self._try(connection, claim, contact)
            if len(self._unmarked) >= MARK_EVERY:
                self._mark()

    def _try(self, connection: MailConnection, claim: Claim, contact: Contact) -> None:
        try:
            connection.send(self._compose(claim, contact))
        except MailServerUnavailable:
            self._unmarked.append(Outcome(claim, "pending"))
            raise
        except ConnectionEnded as error:
            # counted as an attempt: were this mail the reason, it would end every connection for ever
            self._unmarked.append(_again(claim, error))
            raise
        except MailRefused as error:
            self._unmarked.append(Outcome(claim, "failed", error=_class_and_code(error)))
        except MailDeferred as error:
            self._unmarked.append(_again(claim, error))
        except Exception as error:
            # a fault of ours in one mail must not keep the others back, and may be mended within the day
            log.exception("delivery %s", claim.id)
            self._unmarked.append(_again(claim, error))
        else:
            failpoints.reach("notify.sent")
            self._outages = 0
            self._unmarked.append(Outcome(claim, "sent"))

    def _compose(self, claim: Claim, contact: Contact) -> EmailMessage:
        topic = Topic(claim.event, claim.number, claim.item, claim.department)
        names = self._directory.item_names(claim.item) if claim.item else {}
        text = render_mail(topic, known_locale(claim.locale, contact.locale), names, self._base_url, contact.name)
        return compose(self._sender, contact.email, text, claim.id, claim.created_at)

    def _mark(self) -> None:
        """Kept when the database is away, for the next turn."""
        if not self._unmarked:
            return
        with self._database.transaction() as session:
            store.settle(session, self._unmarked)
        _count(self._unmarked)
        self._unmarked = []

    def _pause(self, error: Exception) -> None:
        seconds = _PAUSE_SECONDS[min(self._outages, len(_PAUSE_SECONDS) - 1)]
        self._outages += 1
        self._paused_until = self._now() + seconds
        log.warning("mail waits %d s: %s %s", seconds, type(error).__name__, error)


def _again(claim: Claim, error: Exception) -> Outcome:
    """The next attempt, or the end after the last one."""
    if claim.attempts > len(RETRY_SECONDS):
        return Outcome(claim, "failed", error=_class_and_code(error))
    wait = timedelta(seconds=RETRY_SECONDS[claim.attempts - 1])
    return Outcome(claim, "pending", datetime.now(UTC) + wait, _class_and_code(error))


def _class_and_code(error: Exception) -> str:
    """No more than this: a server's text repeats the address."""
    code = error.args[0] if isinstance(error, MailDeferred | MailRefused | ConnectionEnded) else ""
    return f"{type(error).__name__} {code}".strip()


def _count(outcomes: Sequence[Outcome]) -> None:
    for word, times in Counter(map(_outcome_word, outcomes)).items():
        metrics.deliveries.labels(store.MAIL, word).inc(times)
    for outcome in outcomes:
        if outcome.status == "failed":
            log.error("delivery %s given up: %s", outcome.claim.id, outcome.error)


def _outcome_word(outcome: Outcome) -> str:
    if outcome.status != "pending":
        return outcome.status
    return "deferred" if outcome.next_attempt_at else "postponed"
