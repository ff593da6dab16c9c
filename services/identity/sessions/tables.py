"""Which clients a person is signed in at, and which of those are still to be told that a session has ended."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from services.identity.tables import Moment, metadata

# a row is a client that got tokens in a session; it ends with the session
client_sessions = Table(
    "client_sessions",
    metadata,
    Column("sid", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("began_at", Moment, nullable=False),
)

# a row is a logout token that the client has not accepted yet; it is signed when it is sent
logout_notices = Table(
    "logout_notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False),
    Column("sid", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("next_attempt_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
)

Index("logout_notices_due", logout_notices.c.client_id, logout_notices.c.next_attempt_at, logout_notices.c.id)
