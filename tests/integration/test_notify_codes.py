"""From a code that waits to a mail server and a provider of short messages, with PostgreSQL in between."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from chassis.database import Database
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.events import CodeIssued, SecurityChanged
from deploy.local import sms_provider
from services.notify import commands, store
from services.notify.api import ApiUnavailable
from services.notify.code_sending import ByMail, BySms, CodeSender, NoticeByMail, NoticeBySms
from services.notify.codes import Code
from services.notify.mail import Mailer
from services.notify.notices import NoticeBook
from services.notify.sms import SmsProvider
from tests.integration.test_notify_sending import Clock, MailServer

WANG = "+8613800000001"


class Book:
    """The API, as far as it tells codes."""

    def __init__(self) -> None:
        self.codes: dict[str, Code] = {}
        self.sent: list[str] = []
        self.is_down = False

    def find(self, challenges: Collection[str]) -> dict[str, Code]:
        if self.is_down:
            raise ApiUnavailable("down")
        return {challenge: self.codes[challenge] for challenge in challenges if challenge in self.codes}

    def confirm_sent(self, challenges: Collection[str]) -> None:
        if self.is_down:
            raise ApiUnavailable("down")
        self.sent += challenges


class Sms:
    """The local provider behind HTTP, with limits of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = 1_800_000_000.0
        self.clients: list[httpx2.Client] = []
        self.restart()
        self.server = sms_provider.make_server("127.0.0.1", 0, cast(Any, self))
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def restart(self, **limits: Any) -> None:
        self.provider = sms_provider.Provider(self.folder, now=lambda: self.seconds, **limits)

    def answer(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        return self.provider.answer(headers, body)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("[!.]*.json"))]

    def client(self, **changes: Any) -> SmsProvider:
        settings = {
            "sms_url": self.url,
            "sms_secret_id": sms_provider.SECRET_ID,
            "sms_secret_key": SecretStr(sms_provider.SECRET_KEY),
            "sms_region": "ap-guangzhou",
            "sms_app_id": sms_provider.APP_ID,
            "sms_sign_name": sms_provider.SIGN_NAME,
            "sms_template_of": {"zh-Hans": "1000001", "zh-Hant": "1000002", "en": "1000003"},
            "sms_notice_template_of": {"en": "1000006"},
            "sms_recovery_template_of": {"en": "1000009"},
        }
        http = httpx2.Client(timeout=5, trust_env=False)
        self.clients.append(http)
        return SmsProvider(cast(Any, SimpleNamespace(**settings | changes)), http, lambda: self.seconds)


class Post:
    """Senders between a fresh set of rows and both ways out."""

    def __init__(self, database: Database, sms: Sms, mail: MailServer) -> None:
        self.database = database
        self.book = Book()
        self.clock = Clock()
        self.sms = sms
        self.by_sms = self.sender(BySms(sms.client()))
        server = SimpleNamespace(smtp_host="127.0.0.1", smtp_port=mail.port, smtp_starttls=False, smtp_user="")
        self.by_mail = self.sender(ByMail(Mailer(cast(Any, server)), "OneHall <no-reply@hall.example>"))

    def sender(self, way: Any) -> CodeSender:
        return CodeSender(self.database, cast(Any, self.book), way, lease_seconds=60, now=self.clock)

    def issue(self, address: str, kind: str = "sms", code: str = "123456", locale: str = "en") -> str:
        challenge = uuid.uuid4().hex
        self.book.codes[challenge] = Code(address, code, locale, 5)
        self.hear(self.event(challenge, kind))
        return challenge

    def event(self, challenge: str, kind: str) -> Envelope:
        return Envelope(
            id=str(uuid.uuid4()),
            sequence=1,
            time=datetime.now(UTC),
            channel="web",
            actor="system",
            data=CodeIssued(challenge, kind),
        )

    def hear(self, envelope: Envelope) -> None:
        with self.database.transaction() as session:
            commands.send_code(session, envelope)

    def row(self, challenge: str) -> Any:
        with self.database.transaction() as session:
            return session.execute(select(store.deliveries).where(store.deliveries.c.recipient == challenge)).one()

    def make_due(self) -> None:
        with self.database.transaction() as session:
            session.execute(text("UPDATE deliveries SET next_attempt_at = now() - interval '1 second'"))
        self.clock.seconds += 100


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sms(tmp_path: Path) -> Iterator[Sms]:
    sms = Sms(tmp_path / "sms")
    yield sms
    for client in sms.clients:
        client.close()
    sms.server.shutdown()
    sms.server.server_close()


@pytest.fixture
def post(notify_database: Database, sms: Sms, mail: MailServer) -> Post:
    with notify_database.transaction() as session:
        session.execute(text("TRUNCATE deliveries, preferences"))
    return Post(notify_database, sms, mail)


def test_a_code_arrives_by_sms_once_and_is_told_as_sent(post):
    challenge = post.issue(WANG)
    post.by_mail.send_due()
    assert post.sms.messages() == []
    post.by_sms.send_due()
    post.by_sms.send_due()
    [message] = post.sms.messages()
    assert message["to"] == WANG
    assert message["text"].endswith("Your code is 123456, good for 5 minutes. Tell it to nobody.")
    assert post.book.sent == [challenge]
    assert post.row(challenge).status == "sent"


@pytest.mark.parametrize(
    ("locale", "subject"),
    [("zh-Hans", "验证码：123456"), ("zh-Hant", "驗證碼：123456"), ("en", "Your code: 123456")],
)
def test_a_code_arrives_by_mail_in_its_language(post, mail, locale, subject):
    challenge = post.issue("wang@example.org", "mail", locale=locale)
    post.by_sms.send_due()
    post.by_mail.send_due()
    [message] = mail.received
    assert message["Subject"] == subject
    assert message["Message-ID"] == f"<{post.row(challenge).id}@hall.example>"
    assert "http" not in message.get_content()


def test_an_event_heard_twice_sends_once(post):
    challenge = uuid.uuid4().hex
    post.book.codes[challenge] = Code(WANG, "123456", "en", 5)
    event = post.event(challenge, "sms")
    post.hear(event)
    post.hear(event)
    post.by_sms.send_due()
    assert len(post.sms.messages()) == 1


def test_neither_code_nor_address_is_in_a_row(post):
    challenge = post.issue(WANG)
    post.by_sms.send_due()
    assert not [value for value in post.row(challenge) if "123456" in str(value) or WANG in str(value)]


def test_a_code_that_is_wanted_no_more_is_not_sent(post):
    challenge = post.issue(WANG)
    del post.book.codes[challenge]
    post.by_sms.send_due()
    assert (post.row(challenge).status, post.row(challenge).last_error) == ("failed", "NotWanted")
    assert post.sms.messages() == []


def test_a_number_that_is_none_is_given_up_and_the_next_is_sent(post):
    wrong, right = post.issue("+86123"), post.issue(WANG)
    post.by_sms.send_due()
    assert post.row(wrong).last_error == "SmsRefused InvalidParameterValue.IncorrectPhoneNumber"
    assert (post.row(wrong).status, post.row(right).status) == ("failed", "sent")


def test_a_number_too_soon_comes_again(post):
    post.issue(WANG)
    second = post.issue(WANG, code="654321")
    post.by_sms.send_due()
    assert (post.row(second).status, post.row(second).attempts) == ("pending", 1)
    assert post.row(second).last_error == "SmsDeferred LimitExceeded.PhoneNumberThirtySecondLimit"
    post.sms.seconds += 30
    post.make_due()
    post.by_sms.send_due()
    assert post.row(second).status == "sent"
    assert [message["parameters"][0] for message in post.sms.messages()] == ["123456", "654321"]


def test_a_number_with_its_day_full_is_given_up(post):
    post.sms.restart(a_day=0)
    challenge = post.issue(WANG)
    post.by_sms.send_due()
    assert post.row(challenge).last_error == "SmsRefused LimitExceeded.PhoneNumberDailyLimit"


@pytest.mark.parametrize(
    ("changes", "limits", "code"),
    [
        ({}, {"a_second": 0}, "RequestLimitExceeded"),
        ({"sms_secret_key": SecretStr("wrong")}, {}, "AuthFailure.SignatureFailure"),
        ({"sms_secret_id": "wrong"}, {}, "AuthFailure.SecretIdNotFound"),
        ({"sms_app_id": "1"}, {}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        ({"sms_sign_name": "1"}, {}, "FailedOperation.SignatureIncorrectOrUnapproved"),
        ({"sms_template_of": {"en": "7"}}, {}, "FailedOperation.TemplateIncorrectOrUnapproved"),
    ],
)
def test_what_is_no_number_s_fault_waits_and_holds_mails_up_in_nothing(post, mail, changes, limits, code):
    post.sms.restart(**limits)
    waiting = post.sender(BySms(post.sms.client(**changes)))
    first, second = post.issue(WANG), post.issue("+8613800000002")
    by_mail = post.issue("wang@example.org", "mail")
    waiting.send_due()
    post.by_mail.send_due()
    rows = [post.row(first), post.row(second)]
    assert [row.status for row in rows] == ["pending", "pending"]
    assert {f"SmsUnavailable {code}", None} == {row.last_error for row in rows}
    assert post.row(by_mail).status == "sent"
    post.sms.restart()
    post.make_due()
    post.by_sms.send_due()
    assert len(post.sms.messages()) == 2


def test_a_clock_that_is_wrong_is_refused_as_the_provider_does(post):
    provider = post.sms.client()
    post.sms.restart()
    post.sms.provider._now = lambda: post.sms.seconds + 301
    challenge = post.issue(WANG)
    post.sender(BySms(provider)).send_due()
    assert post.row(challenge).last_error == "SmsUnavailable AuthFailure.SignatureExpire"


def test_an_api_that_is_away_loses_nothing(post):
    challenge = post.issue(WANG)
    post.book.is_down = True
    post.by_sms.send_due()
    assert (post.row(challenge).status, post.row(challenge).attempts) == ("pending", 0)
    post.book.is_down = False
    post.clock.seconds += 1
    post.by_sms.send_due()
    assert post.row(challenge).status == "sent"


def test_a_provider_that_is_away_loses_nothing(post):
    away = post.sender(BySms(post.sms.client(sms_url="http://127.0.0.1:9")))
    challenge = post.issue(WANG)
    away.send_due()
    assert post.row(challenge).last_error.startswith("SmsUnavailable Connect")
    post.make_due()
    post.by_sms.send_due()
    assert post.row(challenge).status == "sent"


def test_without_a_provider_a_code_by_sms_fails_and_says_why(post):
    challenge = post.issue(WANG)
    post.sender(BySms(post.sms.client(sms_secret_id=""))).send_due()
    assert post.row(challenge).last_error == "SmsRefused NotConfigured"


# Notices of security


class Notices:
    """The API, as far as it tells notices: the same of each way."""

    def __init__(self, way: str) -> None:
        self.answer: dict[str, Any] = {}
        self.book = NoticeBook(cast(Any, self), way)

    def post(self, path: str, content: dict[str, Any]) -> httpx2.Response:
        found = {name: self.answer[name] for name in content["notices"] if name in self.answer}
        return httpx2.Response(200, json=found, request=httpx2.Request("POST", "http://api"))


def test_a_notice_reaches_inbox_mail_and_phone_and_the_address_of_before(post, mail):
    alert, owner = uuid.uuid4().hex, str(uuid.uuid4())
    told = {"change": "totp-added", "code": "abcd-efgh-jkmn", "locale": "en", "name": "Li"}
    addresses = {"mail": "new@example.org", "mail-former": "old@example.org", "sms": WANG}
    event = SecurityChanged(owner, "totp-added", alert, "mail mail-former sms")
    envelope = Envelope(str(uuid.uuid4()), 2, datetime.now(UTC), "web", "citizen", event)
    for _ in range(2):
        with post.database.transaction() as session:
            commands.set_preferences(session, Actor(owner, "web"), {"locale": "en", "channels": ["mail"]})
            commands.tell_owner(session, envelope)
    server = SimpleNamespace(smtp_host="127.0.0.1", smtp_port=mail.port, smtp_starttls=False, smtp_user="")
    by_mail = NoticeByMail(Mailer(cast(Any, server)), "OneHall <no-reply@hall.example>", "https://hall.example")
    for kind, way in (("mail", by_mail), ("sms", NoticeBySms(post.sms.client()))):
        notices = Notices(kind)
        notices.answer[alert] = told | {"addresses": addresses}
        sender = CodeSender(post.database, notices.book, cast(Any, way), lease_seconds=60, now=post.clock)
        sender.send_due()
    sent = {str(each["To"]): each.get_content() for each in mail.received}
    assert set(sent) >= {"new@example.org", "old@example.org"}
    assert "https://hall.example/not-me/abcd-efgh-jkmn" in sent["old@example.org"]
    assert [(each["to"], each["parameters"]) for each in post.sms.messages()] == [(WANG, ["abcd", "efgh", "jkmn"])]
    with post.database.transaction() as session:
        (message,) = store.list_messages(session, owner, None, 10)
        left = select(store.deliveries.c.status).where(store.deliveries.c.event_id == envelope.id)
        assert [row.status for row in session.execute(left)] == ["sent"] * 3
    assert (message.change, message.notice) == ("totp-added", alert), "whatever they prefer"
