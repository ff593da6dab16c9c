"""The table of identifiers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, LargeBinary, SmallInteger, Table, Text

from services.identity.tables import Moment, metadata

# a confirmed one belongs to one account; anybody may say any, which keeps nobody from confirming it (docs/adr/0015)
identifiers = Table(
    "identifiers",
    metadata,
    Column("subject", Text, ForeignKey("accounts.subject"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("blind_index", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("confirmed_at", Moment),
)
Index("ix_identifiers_blind_index", identifiers.c.blind_index)
Index("ix_identifiers_key_id", identifiers.c.key_id)
Index(
    "one_account_each",
    identifiers.c.kind,
    identifiers.c.blind_index,
    unique=True,
    postgresql_where=identifiers.c.confirmed_at.is_not(None),
)

# who has raised whose level to what, and how; never changed
assurance_changes = Table(
    "assurance_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("level", SmallInteger, nullable=False),
    Column("method", Text, nullable=False),  # `registry`, `counter` or `demo`
    Column("by", Text),  # the clerk's subject
    Column("at", Moment, nullable=False),
)
