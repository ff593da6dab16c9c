"""The table of presence."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from services.identity.tables import Moment, Words, metadata

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

# a visit at the counter; its tokens are of the clerk's family
visits = Table(
    "visits",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False),
    Column("clerk", Text, ForeignKey("accounts.subject"), nullable=False),
    Column("family_id", Text, ForeignKey("token_families.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("scope", Text, nullable=False),
    Column("checks", Words, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
)
