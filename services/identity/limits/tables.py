"""The buckets. One that is full again has no row, or one that says no more than that."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Table, Text

from services.identity.tables import metadata

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("key_hash", Text, primary_key=True),
    Column("full_at", DateTime(timezone=True), nullable=False),
)
Index("rate_limits_full", rate_limits.c.full_at)
