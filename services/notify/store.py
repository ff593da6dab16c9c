"""The tables, and the statements that load and save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, UUID, insert

from chassis.database import Session
from contracts import security

INBOX = "inbox"
MAIL = "mail"
CHANNELS = (INBOX, MAIL)
"""Between which a recipient chooses."""

CODE_MAIL = "code-mail"
CODE_SMS = "code-sms"
NOTICE_MAIL = "notice-mail"
NOTICE_SMS = "notice-sms"

metadata = MetaData()

preferences = Table(
    "preferences",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("locale", Text, nullable=False),
    Column("channels", ARRAY(Text), nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True),
    Column("event_id", UUID(as_uuid=False), nullable=False),
    Column("event", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("number", Text),
    Column("item", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("read_at", DateTime(timezone=True)),
    Column("change", Text),  # of how the account is proved
    Column("notice", Text),  # by which its owner may refuse it
    Column("department", Text),  # of an escalation: who has the case in hand
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True),
    Column("event_id", UUID(as_uuid=False), nullable=False),
    Column("event", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("number", Text),
    Column("item", Text),
    Column("department", Text),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("locked_until", DateTime(timezone=True)),
    Column("last_error", Text),
    Column("sent_at", DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What one event tells one recipient (an account's `sub`)."""

    event_id: str
    event: str
    recipient: str
    at: datetime
    number: str | None = None
    item: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this replica may try until `locked_until`. `attempts` counts this one."""

    id: str
    event: str
    recipient: str
    number: str | None
    item: str | None
    attempts: int
    created_at: datetime
    locked_until: datetime
    locale: str | None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claim. `pending` comes again at `next_attempt_at`, or at once and uncounted without one."""

    claim: Claim
    status: str
    next_attempt_at: datetime | None = None
    error: str | None = None


def get_preferences(session: Session, subject: str) -> Any | None:
    query = select(preferences.c.locale, preferences.c.channels).where(preferences.c.subject == subject)
    return session.execute(query).one_or_none()


def save_preferences(session: Session, subject: str, locale: str, channels: Sequence[str]) -> None:
    values = {"locale": locale, "channels": list(channels)}
    statement = insert(preferences).values(subject=subject, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["subject"], set_=values))


_NOTICE_FIELDS = tuple(field.name for field in fields(Notice))

# one statement, since every event passes here and a round trip costs more than what it does
_TELL = text(
    """
    WITH used AS (
        SELECT channel FROM unnest(CAST(:channels AS text[])) AS channel
        WHERE channel = ANY (COALESCE((SELECT channels FROM preferences WHERE subject = :recipient), :default))
    ), message AS (
        INSERT INTO messages (id, event_id, event, recipient, number, item, department, at)
        SELECT gen_random_uuid(), CAST(:event_id AS uuid), :event, :recipient, :number, :item, :department, :at
        FROM used WHERE channel = 'inbox'
        ON CONFLICT DO NOTHING
    )
    INSERT INTO deliveries (id, event_id, event, recipient, channel, number, item, department)
    SELECT gen_random_uuid(), CAST(:event_id AS uuid), :event, :recipient, channel, :number, :item, :department
    FROM used WHERE channel <> 'inbox'
    ON CONFLICT DO NOTHING
    """
)


def tell(session: Session, notice: Notice, channels: Sequence[str]) -> None:
    """A message in the inbox and a pending delivery, by those of `channels` that the recipient wants, each once."""
    row = {name: getattr(notice, name) for name in _NOTICE_FIELDS}
    session.execute(_TELL, row | {"channels": list(channels), "default": list(CHANNELS)})


def forget(session: Session, recipient: str) -> None:
    """Messages, preferences, and what waits to be sent. One that is being sent at this moment may still arrive."""
    session.execute(delete(messages).where(messages.c.recipient == recipient))
    session.execute(delete(deliveries).where(deliveries.c.recipient == recipient))
    session.execute(delete(preferences).where(preferences.c.subject == recipient))


def add_code(session: Session, event_id: str, event: str, challenge: str, channel: str) -> None:
    """A pending delivery, once, however often the event comes. Nobody chooses whether a code is sent."""
    row = {"id": func.gen_random_uuid(), "event_id": event_id, "event": event, "recipient": challenge}
    session.execute(insert(deliveries).values(row | {"channel": channel}).on_conflict_do_nothing())


def add_notice(session: Session, notice: Notice, change: str, alert: str, sends: Sequence[tuple[str, str]]) -> None:
    """A message in the inbox and pending deliveries, (channel, recipient) each, once. Nobody chooses to hear none."""
    told: dict[str, Any] = {"event_id": notice.event_id, "event": notice.event}
    if change != security.RECOVERY_LINK:
        row = told | {"recipient": notice.recipient, "at": notice.at, "change": change, "notice": alert}
        session.execute(insert(messages).values(id=func.gen_random_uuid(), **row).on_conflict_do_nothing())
    for channel, recipient in sends:
        row = told | {"recipient": recipient, "channel": channel}
        session.execute(insert(deliveries).values(id=func.gen_random_uuid(), **row).on_conflict_do_nothing())


def list_messages(session: Session, recipient: str, after: tuple[datetime, str] | None, limit: int) -> Sequence[Any]:
    """Newest first, from the one behind `after` (its time and id)."""
    query = select(messages).where(messages.c.recipient == recipient)
    if after is not None:
        query = query.where(tuple_(messages.c.at, messages.c.id) < after)
    return session.execute(query.order_by(messages.c.at.desc(), messages.c.id.desc()).limit(limit)).all()


def mark_read(session: Session, recipient: str, message_id: str) -> bool:
    """False when the recipient has no such message. The first reading's time stays."""
    statement = (
        update(messages)
        .where(messages.c.id == message_id, messages.c.recipient == recipient)
        .values(read_at=func.coalesce(messages.c.read_at, func.now()))
        .returning(messages.c.id)
    )
    return session.execute(statement).scalar() is not None


# a CTE, since a joined subselect with LIMIT and FOR UPDATE may run more than once
_CLAIM = text(
    """
    WITH due AS (
        SELECT id FROM deliveries
        WHERE status = 'pending' AND channel = :channel AND next_attempt_at <= now()
          AND (locked_until IS NULL OR locked_until <= now())
        ORDER BY next_attempt_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries AS d
    SET locked_until = now() + make_interval(secs => :lease), attempts = d.attempts + 1
    FROM due WHERE d.id = due.id
    RETURNING CAST(d.id AS text) AS id, d.event, d.recipient, d.number, d.item, d.attempts, d.created_at,
        d.department, d.locked_until, (SELECT locale FROM preferences AS p WHERE p.subject = d.recipient) AS locale
    """
)

# a claim that ran out may be another replica's by now: then only "sent" is still true
_SETTLE = text(
    """
    UPDATE deliveries AS d
    SET status = o.status,
        next_attempt_at = COALESCE(o.next_attempt_at, d.next_attempt_at),
        attempts = d.attempts - CASE WHEN o.status = 'pending' AND o.next_attempt_at IS NULL THEN 1 ELSE 0 END,
        last_error = o.error,
        locked_until = NULL,
        sent_at = CASE WHEN o.status = 'sent' THEN now() END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS timestamptz[]), CAST(:statuses AS text[]),
                CAST(:nexts AS timestamptz[]), CAST(:errors AS text[]))
        AS o (id, lease, status, next_attempt_at, error)
    WHERE d.id = o.id AND d.status <> 'sent' AND (d.locked_until = o.lease OR o.status = 'sent')
    """
)

_PENDING = text(
    "SELECT count(*) AS pending, COALESCE(EXTRACT(epoch FROM now() - min(created_at)), 0) AS oldest_seconds"
    " FROM deliveries WHERE status = 'pending'"
)


def claim(session: Session, channel: str, limit: int, lease_seconds: int) -> list[Claim]:
    """Take what is due, oldest first, past what other replicas have taken."""
    found = session.execute(_CLAIM, {"channel": channel, "limit": limit, "lease": lease_seconds})
    return sorted((Claim(**row) for row in found.mappings()), key=lambda claimed: claimed.created_at)


def settle(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Write what became of a batch, in one statement."""
    session.execute(
        _SETTLE,
        {
            "ids": [outcome.claim.id for outcome in outcomes],
            "leases": [outcome.claim.locked_until for outcome in outcomes],
            "statuses": [outcome.status for outcome in outcomes],
            "nexts": [outcome.next_attempt_at for outcome in outcomes],
            "errors": [outcome.error for outcome in outcomes],
        },
    )


def count_pending(session: Session) -> tuple[int, float]:
    """How many deliveries wait, and for how many seconds the oldest."""
    row = session.execute(_PENDING).one()
    return int(row.pending), float(row.oldest_seconds)
