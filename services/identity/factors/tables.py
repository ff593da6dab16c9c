"""The tables of factors and of what waits for one. Secrets are hashed, or sealed where they must be read again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text

from services.identity.tables import Moment, Words, metadata


def _subject(*, is_key: bool = False, index: bool = False) -> Column[str]:
    return Column("subject", Text, ForeignKey("accounts.subject"), primary_key=is_key, nullable=False, index=index)


totp_factors = Table(
    "totp_factors",
    metadata,
    _subject(is_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),  # no code of this time step or an earlier one is taken again
    Column("added_at", Moment, nullable=False),
    Column("used_at", Moment),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Text, primary_key=True),  # the credential's, in base64url
    _subject(index=True),
    Column("name", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("is_backed_up", Boolean, nullable=False),
    Column("transports", Words, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("used_at", Moment),
)

# codes by message count as a factor only where the person has chosen it: who has another is not let in by less
code_factors = Table(
    "code_factors",
    metadata,
    _subject(is_key=True),
    Column("kind", Text, primary_key=True),
    Column("added_at", Moment, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    _subject(is_key=True),
    Column("code_hash", Text, primary_key=True),
    Column("used_at", Moment),
)

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    _subject(index=True),
    Column("channel", Text, nullable=False),
    Column("amr", Words, nullable=False),
    Column("request", Text),
    Column("must_enrol", Boolean, nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code_challenge", Text),  # of the one-time code that was sent for it
)

# WebAuthn, section 13.4.3: challenges; each is good for one ceremony of the browser that asked for it
ceremonies = Table(
    "ceremonies",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("subject", Text),
    Column("challenge", LargeBinary, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
