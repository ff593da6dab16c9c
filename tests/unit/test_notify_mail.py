from __future__ import annotations

import smtplib
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses

import pytest

from services.notify.mail import (
    ConnectionEnded,
    MailConnection,
    MailDeferred,
    MailRefused,
    MailServerUnavailable,
    compose,
)
from services.notify.wording import Text

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DELIVERY = "0b9fd1f0-2f0b-4b5c-9d63-3c1f7b1d2f11"


def letter(recipient: str = "wang@example.org", subject: str = "您的申请已受理：老年人优待证（1）") -> EmailMessage:
    return compose("OneHall <no-reply@hall.example>", recipient, Text(subject, "您好：\n\n正文"), DELIVERY, AT)


def test_headers() -> None:
    sent = message_from_bytes(letter().as_bytes(policy=policy.SMTP), policy=policy.default)
    assert sent["From"] == "OneHall <no-reply@hall.example>"
    assert sent["To"] == "wang@example.org"
    assert sent["Subject"] == "您的申请已受理：老年人优待证（1）"
    assert sent["Date"] == "Wed, 04 Mar 2026 05:06:07 +0000"
    assert sent["Message-ID"] == f"<{DELIVERY}@hall.example>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent.get_content_type() == "text/plain"
    assert sent.get_content_charset() == "utf-8"
    assert sent.get_content().splitlines() == ["您好：", "", "正文"]


def test_on_the_wire_headers_are_ascii() -> None:
    headers = letter().as_bytes(policy=policy.SMTP).partition(b"\r\n\r\n")[0]
    assert headers.isascii()
    assert max(map(len, headers.split(b"\r\n"))) <= 78


def test_every_attempt_sends_the_same_bytes() -> None:
    assert letter().as_bytes() == letter().as_bytes()


@pytest.mark.parametrize(
    "recipient",
    [
        "wang@example.org\r\nBcc: all@example.org",
        "wang@example.org, all@example.org",
        "wang@example.org,all@example.org",
        "wang@example.org;all@example.org",
        "wang <all@example.org>",
        "all: wang@example.org, all@example.org;",
        "wang@all@example.org",
        "=?utf-8?q?wang=40example=2Eorg=2C?=all@example.org",
        "wang\ud800@example.org",
        "wang",
        "",
    ],
)
def test_what_is_not_one_address_gets_no_mail(recipient: str) -> None:
    with pytest.raises(MailRefused, match=r"\Aaddress\Z"):
        letter(recipient)


@pytest.mark.parametrize("recipient", ["wang@example.org", "o'neill+x=y@mail.example", "用户@例子.中国"])
def test_one_address_is_addressed(recipient: str) -> None:
    header = letter(recipient)["To"]
    assert [address.addr_spec for address in header.addresses] == [recipient]
    assert getaddresses([header]) == [("", recipient)]


class Smtp:
    """Raises what smtplib would."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send_message(self, message: EmailMessage) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "fact"),
    [
        (smtplib.SMTPRecipientsRefused({"wang@example.org": (550, b"no such user")}), MailRefused),
        (smtplib.SMTPRecipientsRefused({"wang@example.org": (451, b"greylisted")}), MailDeferred),
        (smtplib.SMTPRecipientsRefused({"wang@example.org": (421, b"closing")}), ConnectionEnded),
        (smtplib.SMTPDataError(554, b"spam"), MailRefused),
        (smtplib.SMTPDataError(452, b"disk full"), MailDeferred),
        (smtplib.SMTPSenderRefused(530, b"log in first", "no-reply@hall.example"), MailServerUnavailable),
        (smtplib.SMTPServerDisconnected("gone"), ConnectionEnded),
        (TimeoutError(), ConnectionEnded),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), MailRefused),
    ],
)
def test_what_the_answer_means(error: Exception, fact: type[Exception]) -> None:
    with pytest.raises(fact):
        MailConnection(Smtp(error)).send(letter())  # type: ignore[arg-type]
