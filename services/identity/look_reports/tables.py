"""The table of reports. What people write is sealed: it may name anybody."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from services.identity.tables import Moment, metadata

reports = Table(
    "look_reports",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True),
    Column("entry", UUID(as_uuid=False), nullable=False, unique=True),
    Column("account", ForeignKey("accounts.subject"), nullable=False),
    Column("reason", LargeBinary, nullable=False),
    Column("reported_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("answer", LargeBinary),
    Column("answered_at", Moment),
    Column("answered_by", Text),
    Index("look_reports_of_account", "account"),
    Index("look_reports_open", "reported_at", "id", postgresql_where=text("answered_at IS NULL")),
    Index("look_reports_answered", "answered_at", "id", postgresql_where=text("answered_at IS NOT NULL")),
)
