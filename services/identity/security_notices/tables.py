"""The tables of notices. What a notice opens is not in them: its code is derived when it is sent (`codes`)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, Table, Text

from services.identity.tables import Moment, metadata

security_notices = Table(
    "security_notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("change", Text, nullable=False),
    Column("told_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("used_at", Moment),
    Column("code_hash", Text, unique=True),
    Column("recovery", Text),  # whose link it is
)

# where it goes: as the addresses were when the change was made, sealed as they were. Whoever changes one afterwards
# does not take the notice away from its owner
security_notice_addresses = Table(
    "security_notice_addresses",
    metadata,
    Column("notice", Text, ForeignKey("security_notices.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("is_former", Boolean, primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("blind_index", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("confirmed_at", Moment),
)
