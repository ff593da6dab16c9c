"""The table of mandates. A row stays when it has ended: the principal sees who could act for them, and until when."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from services.identity.tables import Moment, metadata

mandates = Table(
    "mandates",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("principal", Text, ForeignKey("accounts.subject"), nullable=False),
    # nobody, if there is no such person: the principal is not told
    Column("agent", Text, ForeignKey("accounts.subject")),
    Column("named", Text),  # what the principal called the agent by, masked
    Column("item", Text),
    Column("number", Text),
    Column("created_at", Moment, nullable=False),
    Column("accepted_at", Moment),
    Column("ends_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", Text),
    Column("confirmed_by", Text),  # the clerk who saw that a guardianship is true
    Index("mandates_of_principal", "principal", "created_at"),
    Index("mandates_of_agent", "agent", "created_at"),
)
