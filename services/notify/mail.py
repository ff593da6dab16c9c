"""A mail as the standards want it, and one SMTP connection for many of them."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import cache

from services.notify.settings import NotifySettings
from services.notify.wording import Text

_SECONDS = 10
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\\\"\x00-\x1f\x7f\ud800-\udfff]+@[\w.-]+")
_CLOSING = 421
"""RFC 5321, section 4.2.3: the server is closing this connection."""


class MailServerUnavailable(Exception):
    """No fault of any mail: the server is away, refuses our login or our sender address. Nothing was sent."""


class ConnectionEnded(Exception):
    """The server ended the connection during this mail; it may or may not have it."""


class MailDeferred(Exception):
    """A 4xx answer (RFC 5321, section 4.2.1): the same mail may succeed later. Args: the code."""


class MailRefused(Exception):
    """A 5xx answer, or none that could be had: the same mail will never be taken. Args: the code, or the reason."""


def compose(sender: str, recipient: str, text: Text, delivery_id: str, created_at: datetime) -> EmailMessage:
    """The same bytes at every attempt, `Message-ID` and `Date` too, so that a mail sent twice can be told as one.

    Raise `MailRefused` for a recipient that is not one address.
    """
    message = EmailMessage()
    message["From"] = _from(sender)
    message["To"] = _to(recipient)
    message["Subject"] = text.subject
    message["Date"] = created_at
    message["Message-ID"] = f"<{delivery_id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    # RFC 3834, section 5: so that no holiday responder answers
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.body)
    return message


def _to(recipient: str) -> Address:
    """Exactly one address, whatever an account holds: with a comma in it a text would be two."""
    if _ADDRESS.fullmatch(recipient) is None or "=?" in recipient:
        raise MailRefused("address")
    local, _, domain = recipient.partition("@")
    # not from `addr_spec`, which takes no local part outside ASCII (RFC 6531)
    return Address(username=local, domain=domain)


@cache
def _from(sender: str) -> object:
    """Parsed once: a header object is taken as it is."""
    return SMTP.header_factory("From", sender)


class MailConnection:
    """An open connection. A mail that is refused leaves it open for the next."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp

    def send(self, message: EmailMessage) -> None:
        """Return after the server's 250; else raise one of this module's errors."""
        try:
            self._smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _answer(next(iter(error.recipients.values()))[0]) from error
        except smtplib.SMTPSenderRefused as error:
            raise MailServerUnavailable(f"sender refused with {error.smtp_code}") from error
        except smtplib.SMTPResponseException as error:
            raise _answer(error.smtp_code) from error
        except smtplib.SMTPNotSupportedError as error:
            # an address outside ASCII at a server without SMTPUTF8 (RFC 6531)
            raise MailRefused("SMTPUTF8") from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise ConnectionEnded(type(error).__name__) from error


class Mailer:
    """The mail server that the settings name."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings

    @contextmanager
    def connect(self) -> Iterator[MailConnection]:
        smtp = self._open()
        try:
            yield MailConnection(smtp)
        finally:
            _quit(smtp)

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        smtp = None
        try:
            smtp = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_SECONDS)
            if settings.smtp_starttls:
                smtp.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        except (smtplib.SMTPException, OSError) as error:
            if smtp is not None:
                smtp.close()
            raise MailServerUnavailable(type(error).__name__) from error
        return smtp


def _answer(code: int) -> Exception:
    if code == _CLOSING:
        return ConnectionEnded(str(code))
    return MailDeferred(str(code)) if code < 500 else MailRefused(str(code))


def _quit(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except (smtplib.SMTPException, OSError):
        smtp.close()
