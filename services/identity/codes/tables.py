"""The table of one-time codes. A row stays a day, so that codes can be counted; what it tells goes much sooner."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text

from services.identity.tables import metadata

_Moment = DateTime(timezone=True)

one_time_codes = Table(
    "one_time_codes",
    metadata,
    Column("challenge", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("subject", Text),
    Column("kind", Text),  # null: nobody's
    Column("locale", Text),
    Column("address_hash", Text, nullable=False),
    Column("address", LargeBinary),  # sealed; wiped with the row's use
    Column("code_hash", Text),
    Column("code", LargeBinary),  # sealed; wiped when it was sent, used, superseded or has expired
    Column("attempts", Integer, nullable=False),
    Column("issued_at", _Moment, nullable=False),
    Column("expires_at", _Moment, nullable=False),
    Column("used_at", _Moment),
)

Index("one_time_codes_address", one_time_codes.c.address_hash, one_time_codes.c.issued_at)
Index(
    "one_time_codes_subject",
    one_time_codes.c.subject,
    one_time_codes.c.issued_at,
    postgresql_where=one_time_codes.c.subject.is_not(None),
)
Index("one_time_codes_issued", one_time_codes.c.issued_at)
