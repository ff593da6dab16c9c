"""From an event to the recipient's inbox and to a mail that waits, in PostgreSQL."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, text

from chassis import inbox as inbox_of_events
from chassis.database import Database
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import InvalidInput, NotFound, NotPermitted
from contracts.events import (
    AccountRegistered,
    CaseAccepted,
    CaseEvent,
    CaseSubmitted,
    DraftExpiring,
    Event,
    RatingInvited,
)
from services.notify import commands, queries, store

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def wang() -> Actor:
    return Actor(subject=f"wang-{uuid.uuid4()}", client="web", scopes=("cases",))


def envelope(event: Event, at: datetime = AT) -> Envelope:
    return Envelope(str(uuid.uuid4()), 1, at, "web", "citizen", event)


def case_event(actor: Actor, kind: type[CaseEvent] = CaseSubmitted, number: str = "N-1") -> CaseEvent:
    return kind(number, "elderly-card", "civil-affairs", "330100", "benefit", actor.subject)


def tell(database: Database, *envelopes: Envelope) -> None:
    for each in envelopes:
        with database.transaction() as session:
            commands.tell_applicant(session, each)


def inbox(database: Database, actor: Actor, cursor: str | None = None, limit: int = 20) -> dict[str, Any]:
    with database.transaction() as session:
        page = queries.list_inbox(session, actor.subject, cursor, limit)
    return queries.present_inbox(page, lambda item: {"en": "Elderly concession card"}, "https://hall.example")


def deliveries(database: Database, actor: Actor) -> list[Any]:
    with database.transaction() as session:
        return list(session.execute(select(store.deliveries).where(store.deliveries.c.recipient == actor.subject)))


def prefer(database: Database, actor: Actor, **preferences: Any) -> dict[str, Any]:
    with database.transaction() as session:
        return commands.set_preferences(session, actor, preferences)


def read(database: Database, actor: Actor, message_id: str) -> None:
    with database.transaction() as session:
        commands.mark_read(session, actor, message_id)


def test_an_event_is_told_by_inbox_and_mail(notify_database: Database, wang: Actor) -> None:
    event = envelope(case_event(wang))
    tell(notify_database, event)
    [message] = inbox(notify_database, wang)["items"]
    assert message["at"] == "2026-03-04T05:06:07Z"
    assert (message["event"], message["number"], message["item"]) == ("case.submitted", "N-1", "elderly-card")
    assert message["subject"]["en"] == "We have received your application: Elderly concession card (N-1)"
    assert message["subject"]["zh-Hans"] == "已收到您的申请：elderly-card（N-1）"
    assert set(message["body"]) == {"zh-Hans", "zh-Hant", "en"}
    assert message["read"] is False
    [delivery] = deliveries(notify_database, wang)
    assert (delivery.event_id, delivery.channel, delivery.status) == (event.id, "mail", "pending")


def test_the_same_event_twice_is_told_once(notify_database: Database, wang: Actor) -> None:
    event = envelope(case_event(wang))
    tell(notify_database, event, event)
    assert len(inbox(notify_database, wang)["items"]) == 1
    assert len(deliveries(notify_database, wang)) == 1


def test_nothing_is_told_when_the_handler_rolls_back(notify_database: Database, wang: Actor) -> None:
    with notify_database.transaction() as session:
        commands.tell_applicant(session, envelope(case_event(wang)))
        session.rollback()
    assert inbox(notify_database, wang)["items"] == []
    assert deliveries(notify_database, wang) == []


def test_a_new_account_is_welcomed_in_the_inbox_only(notify_database: Database, wang: Actor) -> None:
    with notify_database.transaction() as session:
        commands.welcome(session, envelope(AccountRegistered(wang.subject)))
    [message] = inbox(notify_database, wang)["items"]
    assert message["subject"]["en"] == "Welcome to OneHall"
    assert message["number"] is None
    assert deliveries(notify_database, wang) == []


@pytest.mark.parametrize("channel", ["inbox", "mail"])
def test_only_preferred_channels_are_used(notify_database: Database, wang: Actor, channel: str) -> None:
    prefer(notify_database, wang, locale="en", channels=[channel])
    tell(notify_database, envelope(case_event(wang)))
    told = {"inbox": len(inbox(notify_database, wang)["items"]), "mail": len(deliveries(notify_database, wang))}
    assert told == {"inbox": 0, "mail": 0} | {channel: 1}


def test_newest_first_page_by_page(notify_database: Database, wang: Actor) -> None:
    events = [envelope(case_event(wang, number=f"N-{hour}"), AT + timedelta(hours=hour)) for hour in range(5)]
    # two at the same moment must not fall between two pages
    events.append(envelope(case_event(wang, RatingInvited, "N-same"), events[2].time))
    tell(notify_database, *events)
    pages, cursor = [], None
    while True:
        page = inbox(notify_database, wang, cursor, limit=2)
        pages.append([message["number"] for message in page["items"]])
        cursor = page["next"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [2, 2, 2]
    numbers = [number for page in pages for number in page]
    assert set(numbers) == {"N-0", "N-1", "N-2", "N-3", "N-4", "N-same"}
    assert [number for number in numbers if number != "N-same"] == ["N-4", "N-3", "N-2", "N-1", "N-0"]


def cursor_of(at: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, str(uuid.UUID(int=1))]).encode()).decode()


def test_a_cursor_may_have_any_time_zone(notify_database: Database, wang: Actor) -> None:
    tell(notify_database, envelope(case_event(wang)))
    # PostgreSQL takes no zone with such an offset
    odd = timezone(timedelta(hours=23, minutes=59, seconds=59))
    for at, shown in ((AT + timedelta(seconds=1), 1), (AT, 0)):
        assert len(inbox(notify_database, wang, cursor_of(at.astimezone(odd).isoformat()))["items"]) == shown


FOREIGN = (
    *("", "x", "bnVsbA==", "WzEsMl0=", "\xe9", base64.urlsafe_b64encode(b"[" * 100_000).decode()),
    *map(cursor_of, ("2026-03-04T05:06:07", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x")),
)


@pytest.mark.parametrize("cursor", FOREIGN)
def test_a_foreign_cursor_is_invalid(notify_database: Database, wang: Actor, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        inbox(notify_database, wang, cursor)


def test_reading_is_marked_and_only_the_recipient_can(notify_database: Database, wang: Actor) -> None:
    tell(notify_database, envelope(case_event(wang)), envelope(case_event(wang, CaseAccepted)))
    first, second = (message["id"] for message in inbox(notify_database, wang)["items"])
    with pytest.raises(NotFound):
        read(notify_database, Actor("li", "web"), first)
    read(notify_database, wang, first)
    read(notify_database, wang, first)
    assert {message["id"]: message["read"] for message in inbox(notify_database, wang)["items"]} == {
        first: True,
        second: False,
    }


@pytest.mark.parametrize("message_id", ["", "x", str(uuid.UUID(int=1))])
def test_an_unknown_message_is_not_found(notify_database: Database, wang: Actor, message_id: str) -> None:
    with pytest.raises(NotFound):
        read(notify_database, wang, message_id)


def test_preferences_are_kept(notify_database: Database, wang: Actor) -> None:
    with notify_database.transaction() as session:
        assert queries.get_preferences(session, wang.subject) is None
    prefer(notify_database, wang, locale="zh-Hant", channels=["mail", "inbox", "mail"])
    prefer(notify_database, wang, locale="en", channels=["mail"])
    with notify_database.transaction() as session:
        assert queries.get_preferences(session, wang.subject) == {"locale": "en", "channels": ["mail"]}


@pytest.mark.parametrize(
    ("preferences", "pointers"),
    [
        ({"locale": "tlh", "channels": ["mail"]}, ["/locale"]),
        ({"channels": ["mail"]}, ["/locale"]),
        ({"locale": "en", "channels": []}, ["/channels"]),
        ({"locale": "en"}, ["/channels"]),
        ({"locale": None, "channels": ["pigeon", "mail", "fax"]}, ["/locale", "/channels/0", "/channels/2"]),
    ],
)
def test_every_wrong_preference_is_named(
    notify_database: Database, wang: Actor, preferences: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(InvalidInput) as raised:
        prefer(notify_database, wang, **preferences)
    assert [fault["pointer"] for fault in raised.value.faults] == pointers


def test_nobody_has_no_inbox() -> None:
    with pytest.raises(NotPermitted):
        commands.require_subject(Actor("", ""), "read_inbox")


def test_a_notice_of_a_draft_is_told_once_and_leaves_no_cursor_behind(notify_database: Database, wang: Actor) -> None:
    notice = envelope(DraftExpiring(str(uuid.uuid4()), "d-1", "elderly-card", wang.subject))
    for _ in range(2):
        with notify_database.transaction() as session:
            inbox_of_events.receive(session, notice, commands.tell_of_draft)
    assert len(inbox(notify_database, wang)["items"]) == len(deliveries(notify_database, wang)) == 1
    cursor = text("SELECT count(*) FROM inbox_cursor WHERE subject = :subject")
    with notify_database.transaction() as session:
        assert session.execute(cursor, {"subject": notice.subject}).scalar_one() == 0
