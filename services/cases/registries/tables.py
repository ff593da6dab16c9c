"""Registers, what they are asked, and agreements with sources."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

_Moment = DateTime(timezone=True)

registries = Table(
    "registries",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),  # the department or organisation that it answers for
    Column("is_department", Boolean, nullable=False),
    Column("url", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("made_at", _Moment, nullable=False),
    Column("ended_at", _Moment),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("rests_until", _Moment),
)

# one row a question; what was asked is forgotten when it is over
registry_questions = Table(
    "registry_questions",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("registry", Text, ForeignKey("registries.name"), nullable=False),
    Column("evidence", Uuid(as_uuid=False), nullable=False),
    Column("number", Text, nullable=False),
    Column("asks", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("keys", LargeBinary),  # sealed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", _Moment),
    Column("taken_until", _Moment),  # by who asks it just now
    Column("until", _Moment, nullable=False),
    Column("asked_at", _Moment, nullable=False),
    Column("outcome", Text),
    Column("finished_at", _Moment),
)

# the mutual check: field of the form -> outcome, and what the applicant says of the differences
evidence_checks = Table(
    "evidence_checks",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("evidence", Uuid(as_uuid=False), nullable=False),
    Column("compared_at", _Moment, nullable=False),
    Column("outcomes", JSONB, nullable=False),
    Column("reason", LargeBinary),  # sealed
)

source_agreements = Table(
    "source_agreements",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True, server_default=func.gen_random_uuid()),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("documents", JSONB, nullable=False),
    Column("items", ARRAY(Text), nullable=False),
    Column("starts_at", _Moment, nullable=False),
    Column("ends_at", _Moment, nullable=False),
    Column("made_at", _Moment, nullable=False),
    Column("ended_at", _Moment),
)
