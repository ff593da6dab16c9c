"""The tables of identity. Every secret is kept as its SHA-256 only, every token or key sealed (`sealing`)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
Moment = DateTime(timezone=True)
Words = ARRAY(Text, as_tuple=True)

accounts = Table(
    "accounts",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("username", Text, nullable=False, unique=True),  # as normalize_username spells it
    Column("password_hash", Text),  # of nobody who can sign in: a ward
    Column("name", Text, nullable=False),
    Column("email", Text),  # of accounts of before `identifiers`, until identity has sealed it
    Column("locale", Text, nullable=False),
    Column("roles", Words, nullable=False),
    Column("department", Text),
    Column("assurance", SmallInteger, nullable=False, server_default="1"),
    Column("sequence", BigInteger, nullable=False),
    Column("registered_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("hall", Text),
    Column("disabled_at", Moment),
)

Index(
    "accounts_of_staff",
    accounts.c.username,
    postgresql_where=or_(accounts.c.roles != text("'{}'"), accounts.c.disabled_at.is_not(None)),
)
Index("accounts_plain_email", accounts.c.subject, postgresql_where=accounts.c.email.is_not(None))

clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text),
    Column("auth_methods", Words, nullable=False),
    Column("redirect_uris", Words, nullable=False),
    Column("post_logout_uris", Words, nullable=False),
    Column("grants", Words, nullable=False),
    Column("scopes", Words, nullable=False),
    Column("first_party", Boolean, nullable=False),
    Column("channel", Text, nullable=False),
    Column("department", Text),
    Column("organisation", Text),
    Column("ends_at", Moment),
    Column("is_disabled", Boolean, nullable=False),
    Column("jwks", JSONB(none_as_null=True)),
    Column("require_par", Boolean, nullable=False),
    Column("id_token_alg", Text, nullable=False),
    Column("userinfo_alg", Text),
    Column("access_token_seconds", Integer),
    Column("refresh_token_seconds", Integer),
    Column("requires_dpop", Boolean, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("sector", Text),
    Column("backchannel_logout_uri", Text),
    Column("registration_hash", Text),
)

browser_sessions = Table(
    "browser_sessions",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("signed_in_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("signed_in_for", Text),  # hash of an authorization request, until it is answered
    Column("amr", Words, nullable=False, server_default="{pwd}"),
    Column("sid", Text, nullable=False, unique=True),
    Column("browser", Text),  # "Firefox, Windows"
)

consents = Table(
    "consents",
    metadata,
    Column("subject", Text, ForeignKey("accounts.subject"), primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), primary_key=True),
    Column("scopes", Words, nullable=False),
    Column("given_at", Moment, nullable=False),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("code_hash", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("nonce", Text),
    Column("code_challenge", Text, nullable=False),
    Column("signed_in_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("claims", JSONB(none_as_null=True)),
    Column("dpop_jkt", Text),
    Column("amr", Words, nullable=False, server_default="{pwd}"),
    Column("sid", Text),
)

# RFC 9126: an authorization request that a client has sent beforehand
pushed_requests = Table(
    "pushed_requests",
    metadata,
    Column("uri_hash", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False),
    Column("parameters", Text, nullable=False),  # form-encoded, without the client's credentials
    Column("is_opened", Boolean, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

# a row is an assertion that was used, kept until it would have expired
client_assertions = Table(
    "client_assertions",
    metadata,
    Column("client_id", Text, ForeignKey("clients.id"), primary_key=True),
    Column("jti_hash", Text, primary_key=True),
    Column("expires_at", Moment, nullable=False),
)

initial_access_tokens = Table(
    "initial_access_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

token_families = Table(
    "token_families",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("scope", Text, nullable=False),
    Column("signed_in_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("code_hash", Text, unique=True),
    Column("revoked_at", Moment),
    Column("dpop_jkt", Text),
    Column("claims", JSONB(none_as_null=True)),
    Column("amr", Words, nullable=False, server_default="{pwd}"),
    Column("sid", Text, index=True),
    # keyed hashes of what the client was told, in ID tokens and by userinfo
    Column("told", Words, nullable=False, server_default="{}"),
)

# a spent token stays until its family ends, so that its second use is noticed
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("family_id", Text, ForeignKey("token_families.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", Moment, nullable=False),
    Column("spent_at", Moment),
    Column("successor", LargeBinary),  # of a spent one, sealed with its own secret
)

revoked_access_tokens = Table(
    "revoked_access_tokens",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("expires_at", Moment, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("public_jwk", JSONB, nullable=False),
    Column("private_key", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("alg", Text, nullable=False),
    Column("current_from", Moment, nullable=False),
)

sealed_secrets = Table(
    "sealed_secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# single use of DPoP proofs, for as long as each would be accepted
dpop_proofs = Table(
    "dpop_proofs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("expires_at", Moment, nullable=False, index=True),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False),
    Column("subject", Text, ForeignKey("accounts.subject"), nullable=False, index=True),
    Column("family_id", Text, ForeignKey("token_families.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("tokens", LargeBinary, nullable=False),
    Column("access_token_expires_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("sid", Text, index=True),
)
