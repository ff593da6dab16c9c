"""The table of ratings: one row a case, from its invitation or its rating on, whichever comes first."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    bindparam,
    func,
    or_,
    select,
    text,
)

from chassis.database import Session
from services.rating.domain import RatedCase

metadata = MetaData()

ratings = Table(
    "ratings",
    metadata,
    Column("number", Text, primary_key=True),
    Column("item", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("applicant", Text, nullable=False),
    Column("invited_at", DateTime(timezone=True)),
    Column("score", SmallInteger),
    Column("comment", Text),
    Column("channel", Text),
    Column("rated_at", DateTime(timezone=True)),
    Column("sequence", Integer, nullable=False),
)

_INVITE = text(
    """
    INSERT INTO ratings (number, item, department, region, kind, applicant, invited_at, sequence)
    VALUES (:number, :item, :department, :region, :kind, :applicant, :at, 1)
    ON CONFLICT (number) DO NOTHING
    RETURNING sequence
    """
)
# Of two at once, the second waits for the first and then finds its score.
_RATE = text(
    """
    INSERT INTO ratings (
        number, item, department, region, kind, applicant, score, comment, channel, rated_at, sequence
    ) VALUES (
        :number, :item, :department, :region, :kind, :applicant, :score, :comment, :channel, :at, 1
    )
    ON CONFLICT (number) DO UPDATE SET
        score = excluded.score,
        comment = excluded.comment,
        channel = excluded.channel,
        rated_at = excluded.rated_at,
        sequence = ratings.sequence + 1
    WHERE ratings.score IS NULL
    RETURNING sequence
    """
)
_REMIND = text(
    """
    UPDATE ratings SET sequence = sequence + 1 WHERE number = :number AND score IS NULL
    RETURNING number, item, department, region, kind, applicant, sequence
    """
)
_LOAD = select(ratings).where(ratings.c.number == bindparam("case_number"), ratings.c.score.is_not(None))
_item = bindparam("item", type_=Text)
_department = bindparam("department", type_=Text)
_COUNTS = (
    select(ratings.c.item, ratings.c.department, ratings.c.score, func.count())
    .where(
        ratings.c.score.is_not(None),
        or_(_item.is_(None), ratings.c.item == _item),
        or_(_department.is_(None), ratings.c.department == _department),
    )
    .group_by(ratings.c.department, ratings.c.item, ratings.c.score)
    .order_by(ratings.c.department, ratings.c.item, ratings.c.score)
)


def insert_invitation(session: Session, case: RatedCase, at: datetime) -> int | None:
    """Give the sequence of the invitation, or `None` if the case was rated before it could be sent."""
    sequence: int | None = session.execute(_INVITE, asdict(case) | {"at": at}).scalar_one_or_none()
    return sequence


def save_reminder(session: Session, number: str) -> tuple[RatedCase, int] | None:
    """The case and the sequence of the reminder, or `None` if the case has its rating."""
    row = session.execute(_REMIND, {"number": number}).one_or_none()
    return None if row is None else (RatedCase(*row[:-1]), row.sequence)


def save_rating(
    session: Session, case: RatedCase, *, score: int, comment: str | None, channel: str, at: datetime
) -> int | None:
    """Give the sequence of the rating, or `None` if the case has one."""
    values = asdict(case) | {"score": score, "comment": comment, "channel": channel, "at": at}
    sequence: int | None = session.execute(_RATE, values).scalar_one_or_none()
    return sequence


def load_rating(session: Session, number: str) -> Row[Any] | None:
    return session.execute(_LOAD, {"case_number": number}).one_or_none()


def list_ratings(session: Session, applicant: str, numbers: list[str]) -> list[Row[Any]]:
    mine = (ratings.c.applicant == applicant, ratings.c.number.in_(numbers), ratings.c.score.is_not(None))
    return list(session.execute(select(ratings).where(*mine)))


def count_scores(session: Session, item: str | None, department: str | None) -> list[tuple[str, str, int, int]]:
    """(item, department, score, count), from the index alone."""
    return [tuple(row) for row in session.execute(_COUNTS, {"item": item, "department": department})]
