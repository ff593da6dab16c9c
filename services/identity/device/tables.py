"""The tables of device authorization. Both codes are kept as hashes only."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from services.identity.tables import Moment, Words, metadata

device_authorizations = Table(
    "device_authorizations",
    metadata,
    Column("device_code_hash", Text, primary_key=True),
    Column("user_code_hash", Text, nullable=False, unique=True),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False, index=True),
    Column("scope", Text, nullable=False),
    Column("device_name", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("interval_seconds", Integer, nullable=False),
    Column("polled_at", Moment),
    Column("decision", Text),
    Column("subject", Text, ForeignKey("accounts.subject")),
    Column("signed_in_at", Moment),
    Column("amr", Words, nullable=False, server_default="{pwd}"),
)

# wrong codes since the window began: a row an account, and one (`*`) for all together
user_code_tries = Table(
    "user_code_tries",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("began_at", Moment, nullable=False),
    Column("wrong", Integer, nullable=False),
)
