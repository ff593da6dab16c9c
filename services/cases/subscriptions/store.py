"""The rows of subscriptions, agreements and replays."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    Update,
    Uuid,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_unless

from chassis.database import Session
from contracts.filters import EventFilter
from services.cases.subscriptions.domain import (
    BY_AGREEMENT,
    BY_OWNER,
    Agreement,
    Request,
    Subscription,
    patterns_of,
)
from services.cases.subscriptions.filters import filter_from_dict, filter_to_dict

T = TypeVar("T", Subscription, Agreement)

# those removed first go first, so that what is seen by a name stays the newest; webhooks go by their own retention
_DELETE_REMOVED = text(
    "DELETE FROM subscriptions WHERE id IN ("
    "SELECT id FROM subscriptions WHERE removed_at < :before"
    " AND NOT EXISTS (SELECT FROM webhooks WHERE subscription = subscriptions.id) ORDER BY removed_at LIMIT 1000)"
)

metadata = MetaData()

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True, server_default=func.gen_random_uuid()),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("patterns", ARRAY(Text), nullable=False),
    Column("delivery", Text, nullable=False),
    Column("start", Text, nullable=False),
    Column("agreement", Uuid(as_uuid=False)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("ends_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("end_reason", Text),
    Column("removed_at", DateTime(timezone=True)),
)

agreements = Table(
    "agreements",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True, server_default=func.gen_random_uuid()),
    Column("grantee", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
)

_SUBSCRIPTION = tuple(subscriptions.c[field.name] for field in fields(Subscription))
_AGREEMENT = tuple(agreements.c[field.name] for field in fields(Agreement))

_LOCK_OWNER = text("SELECT pg_advisory_xact_lock(hashtext('subscriptions'), hashtext(:owner))")


def lock_owner(session: Session, owner: str) -> None:
    """Until the transaction ends, so that neither a name nor the last place is given twice."""
    session.execute(_LOCK_OWNER, {"owner": owner})


def add(session: Session, request: Request, agreement: Agreement | None) -> Subscription:
    statement = insert(subscriptions).values(
        owner=request.owner.name,
        name=request.name,
        filter=filter_to_dict(request.filter),
        patterns=list(patterns_of(request.filter, agreement.id if agreement else None)),
        delivery=request.delivery,
        start=request.start,
        agreement=agreement and agreement.id,
        ends_at=agreement and agreement.ends_at,
        # the time of the transaction, which is also that of its replay's row
        created_at=func.now(),
        created_by=request.created_by,
    )
    return _made(Subscription, session.execute(statement.returning(*_SUBSCRIPTION)).one())


def count_standing(session: Session, owner: str) -> int:
    """Those that were not ended."""
    of_owner = select(func.count()).where(subscriptions.c.owner == owner, subscriptions.c.ended_at.is_(None))
    return int(session.execute(of_owner).scalar_one())


def count_made(session: Session, owner: str, since: datetime) -> int:
    """Those made since then, the ended ones too."""
    of_owner = select(func.count()).where(subscriptions.c.owner == owner, subscriptions.c.created_at > since)
    return int(session.execute(of_owner).scalar_one())


def load_keeping_name(session: Session, owner: str, name: str) -> Subscription | None:
    """The one that the name belongs to: it stands, or its queue is not removed yet."""
    statement = select(*_SUBSCRIPTION).where(
        subscriptions.c.owner == owner, subscriptions.c.name == name, subscriptions.c.removed_at.is_(None)
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else _made(Subscription, row)


def load(session: Session, owner: str, name: str) -> Subscription | None:
    """The one that its owner sees by this name."""
    of_name = _visible(subscriptions.c.owner == owner, subscriptions.c.name == name)
    row = session.execute(of_name).one_or_none()
    return None if row is None else _made(Subscription, row)


def list_of(session: Session, owner: str, after: str, limit: int) -> list[Subscription]:
    """By name, from behind the name `after`."""
    of_owner = _visible(subscriptions.c.owner == owner, subscriptions.c.name > after).limit(limit)
    return [_made(Subscription, row) for row in session.execute(of_owner)]


def list_all(session: Session) -> list[Subscription]:
    return [_made(Subscription, row) for row in session.execute(_visible())]


def _visible(*conditions: Any) -> Select[Any]:
    """What its owner has ended is gone for them; what ended otherwise is seen until its name is used again."""
    by_name = (subscriptions.c.owner, subscriptions.c.name)
    newest = select(*_SUBSCRIPTION).ext(distinct_on(*by_name)).where(*conditions)
    latest = newest.order_by(*by_name, subscriptions.c.created_at.desc()).subquery()
    return select(latest).where(latest.c.end_reason.is_distinct_from(BY_OWNER)).order_by(latest.c.owner, latest.c.name)


def keep_standing(session: Session, subscription: Subscription) -> bool:
    """Whether it has not ended; then it does not until the transaction does, so that what is asked of it is seen."""
    row = select(subscriptions.c.ended_at).where(subscriptions.c.id == subscription.id).with_for_update(read=True)
    return session.execute(row).scalar_one() is None


def end(session: Session, subscription: Subscription, reason: str) -> None:
    """One that has ended keeps its time."""
    ended_at = func.coalesce(subscriptions.c.ended_at, func.now())
    statement = update(subscriptions).where(subscriptions.c.id == subscription.id)
    session.execute(statement.values(ended_at=ended_at, end_reason=reason))


def delete_removed(session: Session, before: datetime) -> int:
    """At most 1,000 of those whose queue was removed before then; how many."""
    return session.execute(_DELETE_REMOVED, {"before": before}).rowcount


def end_due(session: Session) -> int:
    """End those whose agreement has run out; how many."""
    return _end_where(session, subscriptions.c.ends_at <= func.now())


def end_under(session: Session, agreement: str) -> int:
    """End those under one agreement; how many."""
    return _end_where(session, subscriptions.c.agreement == agreement)


def _end_where(session: Session, condition: Any) -> int:
    standing = update(subscriptions).where(subscriptions.c.ended_at.is_(None), condition)
    return session.execute(standing.values(ended_at=func.now(), end_reason=BY_AGREEMENT)).rowcount


def add_agreement(
    session: Session, grantee: str, reference: str, agreed: EventFilter, ends_at: datetime
) -> Agreement | None:
    """None if the grantee has one of this reference."""
    values = {"grantee": grantee, "reference": reference, "filter": filter_to_dict(agreed), "ends_at": ends_at}
    statement = insert_unless(agreements).values(values | {"made_at": func.now()}).on_conflict_do_nothing()
    row = session.execute(statement.returning(*_AGREEMENT)).one_or_none()
    return None if row is None else _made(Agreement, row)


def agreements_of(session: Session, grantee: str) -> list[Agreement]:
    """They stay as they are until the transaction ends: none ends while a subscription is made under it."""
    statement = select(*_AGREEMENT).where(agreements.c.grantee == grantee).with_for_update(read=True)
    return [_made(Agreement, row) for row in session.execute(statement)]


def list_agreements(session: Session) -> list[Agreement]:
    statement = select(*_AGREEMENT).order_by(agreements.c.grantee, agreements.c.reference)
    return [_made(Agreement, row) for row in session.execute(statement)]


def extend_agreement(session: Session, grantee: str, reference: str, ends_at: datetime) -> Agreement | None:
    """With the subscriptions under it that stand. None if there is none that stands."""
    statement = _standing_agreement(grantee, reference).values(ends_at=ends_at).returning(*_AGREEMENT)
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    agreement = _made(Agreement, row)
    under = update(subscriptions).where(subscriptions.c.ended_at.is_(None), subscriptions.c.agreement == agreement.id)
    session.execute(under.values(ends_at=ends_at))
    return agreement


def end_agreement(session: Session, grantee: str, reference: str) -> str | None:
    """Its id; None if there is none that stands."""
    statement = _standing_agreement(grantee, reference).values(ended_at=func.now()).returning(agreements.c.id)
    agreement: str | None = session.execute(statement).scalar_one_or_none()
    return agreement


def _standing_agreement(grantee: str, reference: str) -> Update:
    return update(agreements).where(
        agreements.c.grantee == grantee, agreements.c.reference == reference, agreements.c.ended_at.is_(None)
    )


def _made(kind: type[T], row: Row[Any]) -> T:
    values = dict(row._mapping)
    return kind(**values | {"filter": filter_from_dict(values["filter"])})
