"""Entrypoints of notify."""

from __future__ import annotations

from functools import cache
from typing import Any

from chassis.bus import on_event
from chassis.database import Database, Session
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timer import timer
from contracts import security
from contracts.envelope import Envelope
from services.notify import commands, metrics, queries, store
from services.notify.api import open_api
from services.notify.code_sending import (
    NOTICE_RETRY_SECONDS,
    ByMail,
    BySms,
    CodeSender,
    NoticeByMail,
    NoticeBySms,
    Way,
)
from services.notify.codes import CodeBook
from services.notify.directory import Directory, open_directory
from services.notify.escalations import commands as escalations
from services.notify.mail import Mailer
from services.notify.notices import NoticeBook
from services.notify.sending import MailSender
from services.notify.settings import NotifySettings
from services.notify.sms import open_provider


class NotifyService(Service):
    name = "notify"
    settings_class = NotifySettings
    settings: NotifySettings

    # `case.closed` tells nothing that the decision before it did not tell; steps, hands and limits are read on the page
    @on_event(
        "case.submitted",
        "case.accepted",
        "case.correction-requested",
        "case.corrected",
        "case.approved",
        "case.refused",
        "case.withdrawn",
        "case.provisionally-accepted",
        "case.supplied",
        "case.not-accepted",
        "case.suspended",
        "case.resumed",
        "case.delegated",
        "case.passed-on",
        "case.papers-returned",
        "case.transferred",
        "case.delivered",
        "case.lapsed",
        "case.reopened",
        "case.result-revoked",
        "case.evidence-answered",
        "case.evidence-overdue",
        "rating.invited",
        "rating.reminded",
    )
    def on_case_event(self, session: Session, envelope: Envelope) -> None:
        commands.tell_applicant(session, envelope)

    @on_event("case.escalated")
    def on_case_escalated(self, session: Session, envelope: Envelope) -> None:
        escalations.note(session, envelope)

    @timer(interval=1)
    def tell_of_escalations(self) -> None:
        escalations.tell_due(self.database, _directory(self.settings).staff_of, self.settings.mail_lease_seconds)

    @on_event("draft.expiring", "draft.expired")
    def on_draft_event(self, session: Session, envelope: Envelope) -> None:
        commands.tell_of_draft(session, envelope)

    @on_event("account.registered")
    def on_account_registered(self, session: Session, envelope: Envelope) -> None:
        commands.welcome(session, envelope)

    @on_event("account.details-claimed")
    def on_details_claimed(self, session: Session, envelope: Envelope) -> None:
        commands.tell_account(session, envelope)

    @on_event("account.look-answered")
    def on_look_answered(self, session: Session, envelope: Envelope) -> None:
        commands.tell_account(session, envelope)

    @on_event("account.security-changed")
    def on_security_changed(self, session: Session, envelope: Envelope) -> None:
        commands.tell_owner(session, envelope)

    @on_event("account.closed")
    def on_account_closed(self, session: Session, envelope: Envelope) -> None:
        commands.forget_recipient(session, envelope)

    @on_event("code.issued")
    def on_code_issued(self, session: Session, envelope: Envelope) -> None:
        commands.send_code(session, envelope)

    # somebody sits before a page and waits for each
    @timer(interval=0.25)
    def send_due_code_mails(self) -> None:
        _code_mail_sender(self.settings, self.database).send_due()

    @timer(interval=0.25)
    def send_due_code_sms(self) -> None:
        _code_sms_sender(self.settings, self.database).send_due()

    @timer(interval=1)
    def send_due_notice_mails(self) -> None:
        _notice_mail_sender(self.settings, self.database).send_due()

    @timer(interval=1)
    def send_due_notice_sms(self) -> None:
        _notice_sms_sender(self.settings, self.database).send_due()

    @timer(interval=0.5)
    def send_due_mails(self) -> None:
        _mail_sender(self.settings, self.database).send_due()

    @timer(interval=15)
    def measure_pending(self) -> None:
        with self.database.transaction() as session:
            pending, oldest_seconds = store.count_pending(session)
        metrics.deliveries_pending.set(pending)
        metrics.deliveries_oldest_seconds.set(oldest_seconds)

    @rpc
    def list_inbox(self, cursor: str | None = None, limit: int = 20) -> dict[str, Any]:
        recipient = commands.require_subject(self.actor, "read_inbox")
        with self.database.transaction() as session:
            page = queries.list_inbox(session, recipient, cursor, limit)
        return queries.present_inbox(page, _directory(self.settings).item_names, self.settings.base_url)

    @rpc
    def mark_read(self, id: str) -> None:  # noqa: A002 - the name on the wire
        with self.database.transaction() as session:
            commands.mark_read(session, self.actor, id)

    @rpc
    def get_preferences(self) -> dict[str, Any]:
        subject = commands.require_subject(self.actor, "get_preferences")
        with self.database.transaction() as session:
            preferences = queries.get_preferences(session, subject)
        return preferences or queries.default_preferences(_directory(self.settings).locale_of(subject))

    @rpc
    def set_preferences(self, preferences: dict[str, Any]) -> dict[str, Any]:
        with self.database.transaction() as session:
            return commands.set_preferences(session, self.actor, preferences)


# A service object lives for one call; these live as long as the process, with their caches and connections.


@cache
def _directory(settings: NotifySettings) -> Directory:
    return open_directory(settings.api_url, settings.notify_client_secret.get_secret_value())


@cache
def _mail_sender(settings: NotifySettings, database: Database) -> MailSender:
    return MailSender(
        database,
        _directory(settings),
        Mailer(settings),
        sender=settings.mail_from,
        base_url=settings.base_url,
        lease_seconds=settings.mail_lease_seconds,
    )


@cache
def _code_mail_sender(settings: NotifySettings, database: Database) -> CodeSender:
    return _code_sender(settings, database, ByMail(Mailer(settings), settings.mail_from))


@cache
def _code_sms_sender(settings: NotifySettings, database: Database) -> CodeSender:
    return _code_sender(settings, database, BySms(open_provider(settings)))


@cache
def _notice_mail_sender(settings: NotifySettings, database: Database) -> CodeSender:
    way = NoticeByMail(Mailer(settings), settings.mail_from, settings.base_url)
    return _notice_sender(settings, database, security.MAIL, way)


@cache
def _notice_sms_sender(settings: NotifySettings, database: Database) -> CodeSender:
    return _notice_sender(settings, database, security.SMS, NoticeBySms(open_provider(settings)))


def _notice_sender(settings: NotifySettings, database: Database, kind: str, way: Way) -> CodeSender:
    api = open_api(settings.api_url, settings.notify_client_secret.get_secret_value())
    lease, retry = settings.mail_lease_seconds, NOTICE_RETRY_SECONDS
    return CodeSender(database, NoticeBook(api, kind), way, lease_seconds=lease, retry_seconds=retry)


def _code_sender(settings: NotifySettings, database: Database, way: Way) -> CodeSender:
    book = CodeBook(open_api(settings.api_url, settings.notify_client_secret.get_secret_value()))
    return CodeSender(database, book, way, lease_seconds=settings.mail_lease_seconds)
