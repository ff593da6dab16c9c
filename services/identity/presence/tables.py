"""The table of presence."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from services.identity.tables import Moment, metadata

presences = Table(
    "presences",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False),
    Column("clerk", Text, ForeignKey("accounts.subject"), nullable=False),
    Column("way", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
