"""The tables of recovery."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, UniqueConstraint

from services.identity.tables import Moment, Words, metadata

# somebody who says that an account is theirs; one who named nobody has a row like any other
recovery_attempts = Table(
    "recovery_attempts",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), index=True),
    Column("way", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("other_challenge", Text),  # of the code to the other address
    Column("proofs", Words, nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

# a recovery that waits, or that may be finished by its link
recoveries = Table(
    "recoveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False),
    Column("way", Text, nullable=False),  # `mail`, `sms`, `counter` or `operator`
    Column("loses_factors", Boolean, nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("ready_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    UniqueConstraint("subject", "way"),
)
