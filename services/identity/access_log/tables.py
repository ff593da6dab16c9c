"""The tables of the access log. The database itself refuses to change, remove or empty them (by its migration)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from services.identity.tables import Moment, metadata

entries = Table(
    "access_log",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("account", Text, nullable=False),
    Column("viewer", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("department", Text),
    Column("channel", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("number", Text),
    Column("purpose", Text, nullable=False),
    Column("hall", Text),
    Column("detail", Text),
    # both once, when the entry is sealed
    Column("position", BigInteger, unique=True),
    Column("hash", LargeBinary),
    Index("access_log_of_account", "account", "at", "id"),
    Index("access_log_of_staff", "at", "id", postgresql_where=text("what = 'staff'")),
    Index("access_log_unsealed", "at", "id", postgresql_where=text("hash IS NULL")),
)

# one row: the sealed end of the chain
head = Table(
    "access_log_head",
    metadata,
    Column("is_only", Boolean, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# a row is a beginning that was cut off: how far, and the hash that the rest goes on from
cuts = Table(
    "access_log_cuts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("before", Moment, nullable=False),
    Column("cut_at", Moment, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

# how the chain was found when it was walked
checks = Table(
    "access_log_checks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("checked_at", Moment, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("fault", Text),
)
