"""What changes something: telling a recipient, reading a message, setting preferences."""

from __future__ import annotations

import uuid
from typing import Any

from chassis.database import Session
from contracts import security
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import Fault, InvalidInput, NotFound, NotPermitted
from contracts.events import AccountEvent, CaseEvent, CodeIssued, DraftEvent, SecurityChanged
from services.notify import store
from services.notify.wording import LOCALES


def tell_applicant(session: Session, envelope: Envelope) -> None:
    """An inbox message and a mail about a case, as the applicant prefers."""
    event = envelope.data
    if not isinstance(event, CaseEvent):
        raise TypeError(f"{envelope.type} is about no case")
    notice = store.Notice(envelope.id, envelope.type, event.applicant, envelope.time, event.number, event.item)
    store.tell(session, notice, store.CHANNELS)


def tell_of_draft(session: Session, envelope: Envelope) -> None:
    """Inbox and mail: a draft is near its end, or was deleted."""
    event = envelope.data
    if not isinstance(event, DraftEvent):
        raise TypeError(f"{envelope.type} is about no draft")
    notice = store.Notice(envelope.id, envelope.type, event.applicant, envelope.time, None, event.item)
    store.tell(session, notice, store.CHANNELS)


def welcome(session: Session, envelope: Envelope) -> None:
    """A first message in the inbox of a new account. No mail: its address has not been confirmed by anybody."""
    store.tell(session, _about_account(envelope), [store.INBOX])


def tell_account(session: Session, envelope: Envelope) -> None:
    """Inbox and mail: somebody else claimed their details, or what they reported is answered."""
    store.tell(session, _about_account(envelope), store.CHANNELS)


def forget_recipient(session: Session, envelope: Envelope) -> None:
    """Nothing more is sent, and what was told is gone: nobody can read it any more."""
    store.forget(session, _about_account(envelope).recipient)


def _about_account(envelope: Envelope) -> store.Notice:
    event = envelope.data
    if not isinstance(event, AccountEvent):
        raise TypeError(f"{envelope.type} is about no account")
    return store.Notice(envelope.id, envelope.type, event.account, envelope.time)


def tell_owner(session: Session, envelope: Envelope) -> None:
    """Inbox, mail and short message, whatever the owner prefers: somebody else may have changed the preferences.

    Where it goes and what it opens is asked when it is sent.
    """
    event = envelope.data
    if not isinstance(event, SecurityChanged):
        raise TypeError(f"{envelope.type} is about no change of security")
    sends = [_send(way, event.alert) for way in event.ways.split() if way in security.WAYS]
    store.add_notice(session, _about_account(envelope), event.change, event.alert, sends)


def _send(way: str, alert: str) -> tuple[str, str]:
    kind, _, former = way.partition("-")
    channel = {security.MAIL: store.NOTICE_MAIL, security.SMS: store.NOTICE_SMS}[kind]
    return channel, f"{alert} {former}".strip()


def send_code(session: Session, envelope: Envelope) -> None:
    """By the way that the address is of. What the code is, and for whom, is asked when it is sent."""
    event = envelope.data
    if not isinstance(event, CodeIssued):
        raise TypeError(f"{envelope.type} is about no code")
    channel = {"mail": store.CODE_MAIL, "sms": store.CODE_SMS}[event.address_kind]
    store.add_code(session, envelope.id, envelope.type, event.challenge, channel)


def mark_read(session: Session, actor: Actor, message_id: str) -> None:
    try:
        known = store.mark_read(session, require_subject(actor, "read_inbox"), str(uuid.UUID(message_id)))
    except (ValueError, AttributeError, TypeError):
        known = False
    if not known:
        raise NotFound("message", message_id)


def set_preferences(session: Session, actor: Actor, preferences: dict[str, Any]) -> dict[str, Any]:
    """`locale` and `channels` (at least one, or a decision would reach nobody), both anew."""
    subject = require_subject(actor, "set_preferences")
    faults = _faults(preferences)
    if faults:
        raise InvalidInput(faults)
    locale = preferences["locale"]
    channels = [channel for channel in store.CHANNELS if channel in preferences["channels"]]
    store.save_preferences(session, subject, locale, channels)
    return {"locale": locale, "channels": channels}


def require_subject(actor: Actor, action: str) -> str:
    # letters are for the person, whoever acts for them
    if not actor.subject or actor.act is not None:
        raise NotPermitted(action)
    return actor.subject


def _faults(preferences: dict[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    locale, channels = preferences.get("locale"), preferences.get("channels")
    if locale not in LOCALES:
        faults.append({"pointer": "/locale", "rule": "enum", "value": list(LOCALES)})
    if not isinstance(channels, list) or not channels:
        faults.append({"pointer": "/channels", "rule": "minItems", "value": 1})
    else:
        unknown = [index for index, channel in enumerate(channels) if channel not in store.CHANNELS]
        faults += [
            {"pointer": f"/channels/{index}", "rule": "enum", "value": list(store.CHANNELS)} for index in unknown
        ]
    return faults
