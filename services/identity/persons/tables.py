"""The table of identifiers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.identity.tables import Moment, Words, metadata

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

# somebody on the way to an account: nothing of theirs is kept longer than it takes
registrations = Table(
    "registrations",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("addresses", LargeBinary, nullable=False),  # phone and mail, sealed
    Column("locale", Text, nullable=False),
    Column("challenges", JSONB, nullable=False),  # kind -> the one-time code's challenge
    Column("proved", Words, nullable=False),  # kinds
    Column("expires_at", Moment, nullable=False, index=True),
)

# a row is a question to the registry: counted before it is asked
registry_checks = Table(
    "registry_checks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("asked_at", Moment, nullable=False),
    Column("outcome", Text),
)

# when somebody was last told that another uses what is theirs: once a day is enough
claim_notices = Table(
    "claim_notices",
    metadata,
    Column("subject", Text, ForeignKey("accounts.subject"), primary_key=True),
    Column("told_at", Moment, nullable=False),
)
