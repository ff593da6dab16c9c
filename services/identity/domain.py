"""The rules of identity: names, clients, sessions, consent, and what an authorization request needs next."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from contracts import broker_accounts
from contracts.actors import CHANNELS
from contracts.errors import Fault, InvalidInput
from contracts.filters import is_part
from services.identity.assurance import PASSWORD, level_of
from services.identity.staff.domain import staff_faults

PROGRAM_SCOPES = ("contacts", "codes", "events", "evidence:answer", "introspect")
"""Scopes over everybody's data, which no person can grant: for programs that sign in as themselves."""
SCOPES = ("openid", "profile", "email", "offline_access", "cases", *PROGRAM_SCOPES)

LOCALES = ("zh-Hans", "zh-Hant", "en")

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 (the name of a grant)
CLIENT_CREDENTIALS = "client_credentials"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
GRANTS = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE)
PERSONAL_GRANTS = (AUTHORIZATION_CODE, DEVICE_CODE, TOKEN_EXCHANGE)

SECRET_AUTH_METHODS = ("client_secret_basic", "client_secret_post")
KEY_AUTH_METHODS = ("private_key_jwt",)
PUBLIC_AUTH_METHODS = ("none",)
CONFIDENTIAL_AUTH_METHODS = (*SECRET_AUTH_METHODS, *KEY_AUTH_METHODS)
AUTH_METHODS = (*CONFIDENTIAL_AUTH_METHODS, *PUBLIC_AUTH_METHODS)

PROMPTS = ("none", "login", "consent", "select_account")

SESSION_ABSOLUTE = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=1)
EXCHANGED_LIFETIME = timedelta(minutes=5)
KIOSK_ABSOLUTE = timedelta(minutes=30)
KIOSK_IDLE = timedelta(minutes=6)
"""Of the gateway's session at a kiosk. Its pages end it sooner by themselves; this holds when the browser is gone."""
CODE_LIFETIME = timedelta(seconds=60)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
REFRESH_TOKEN_IDLE = timedelta(days=30)
REFRESH_TOKEN_ABSOLUTE = timedelta(days=90)
REFRESH_GRACE = timedelta(seconds=10)
"""How long the answer to a spent refresh token is given again, if its successor was not used: it may have been lost."""

SIGNING_ALGORITHMS = ("ES256", "RS256")
SUBJECT_TYPES = ("public", "pairwise")
PAIRWISE = "pairwise"

ACCESS_TOKEN_SECONDS = (60, 3_600)
REFRESH_TOKEN_SECONDS = (3_600, int(REFRESH_TOKEN_ABSOLUTE.total_seconds()))
"""What a client may be given instead of the platform's lifetimes: least and most."""

MAX_USERNAME = 64
MAX_PASSWORD = 1024
# no more than these: a rare name needs characters that Unicode gives no meaning yet
UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets

_ATOM = r"[^\s@,;:<>()\[\]\\\".]+"
MAIL_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[\w-]+(?:\.[\w-]+)*")

_PORT = r":(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# RFC 8252, section 7.3: the loopback address by number; `localhost` may be resolved to elsewhere
LOOPBACK = re.compile(rf"http://(?:127\.0\.0\.1|\[::1\])(?P<port>{_PORT})?(?=[/?]|\Z)")
_REST = r"[A-Za-z0-9._~:/?@!$&'()*+,;=%-]"  # RFC 3986, but `#`, `[` and `]`
WEB_ADDRESS = re.compile(rf"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?:{_PORT})?(?:[/?]{_REST}*)?")
# RFC 8252, section 7.1: a scheme of an app is a domain name in reverse; `onehall` is the platform's own
APP_ADDRESS = re.compile(rf"(?:[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+|onehall):{_REST}+")
MAX_LOGOUT_URI = 2_000
_HTTPS_PORT, _LOWEST_OTHER_PORT = 443, 1024
CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")


class DemoDataInProduction(Exception):
    """Demo accounts have a password that everybody knows; they exist in local runs only."""


class UnknownPrompt(ValueError):
    """The `prompt` parameter holds a word that OpenID Connect does not define, or `none` with others."""


@dataclass(frozen=True, slots=True)
class Account:
    """`subject` is what others know an account by: random, never the user name. Citizens have no role.

    `department` is whose cases an officer decides, `hall` where a clerk works (`staff.domain`).

    How the person is reached and their ID number are not in it: they are sealed, and opened where they are needed
    (`persons.store`). `assurance` is how sure it is who they are (`assurance`).
    """

    subject: str
    username: str
    name: str
    locale: str = "zh-Hans"
    roles: tuple[str, ...] = ()
    department: str | None = None
    assurance: int = 1
    hall: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A program that may ask for tokens. Without a secret it is public (RFC 6749, section 2.1).

    It works for a department, for an organisation outside government, or for neither. `jwks` are the public keys that
    it signs with (RFC 7523). `access_token_seconds` and `refresh_token_seconds` stand in for the platform's own
    lifetimes. `sector` groups clients that know a person by the same pairwise subject (OpenID Connect Core, 8.1).
    `registration_hash` is of the token that changes the registration (RFC 7592).
    """

    id: str
    name: str
    secret_hash: str | None = None
    auth_methods: tuple[str, ...] = PUBLIC_AUTH_METHODS
    redirect_uris: tuple[str, ...] = ()
    post_logout_uris: tuple[str, ...] = ()
    grants: tuple[str, ...] = (AUTHORIZATION_CODE, REFRESH_TOKEN)
    scopes: tuple[str, ...] = ("openid",)
    first_party: bool = False
    channel: str = "web"
    department: str | None = None
    organisation: str | None = None
    ends_at: datetime | None = None
    is_disabled: bool = False
    jwks: dict[str, Any] | None = None
    require_par: bool = False
    id_token_alg: str = "ES256"  # noqa: S105 (the name of an algorithm)
    userinfo_alg: str | None = None
    access_token_seconds: int | None = None
    refresh_token_seconds: int | None = None
    requires_dpop: bool = False
    subject_type: str = "public"
    sector: str | None = None
    backchannel_logout_uri: str | None = None
    registration_hash: str | None = None

    @property
    def is_public(self) -> bool:
        return self.secret_hash is None and "private_key_jwt" not in self.auth_methods

    @property
    def owner(self) -> str | None:
        """Whose subscriptions it may read: its department's, or its organisation's outside government."""
        return self.department or self.organisation

    @property
    def may_hear_events(self) -> bool:
        return self.owner is not None and "events" in self.scopes

    def has_ended(self, now: datetime) -> bool:
        return self.ends_at is not None and now >= self.ends_at

    def is_live(self, now: datetime) -> bool:
        """Whether it is given tokens. One that is not live is to everybody as if it were not there."""
        return not self.is_disabled and not self.has_ended(now)

    def accepts_redirect_uri(self, uri: str) -> bool:
        """Simple string comparison (RFC 9700, section 2.1), but for the port of a native app's loopback address."""
        if uri in self.redirect_uris:
            return True
        return self.is_public and is_loopback(uri) and without_port(uri) in map(without_port, self.redirect_uris)

    def permits_scopes(self, scopes: frozenset[str]) -> bool:
        return scopes <= frozenset(self.scopes)


class Ending(StrEnum):
    """Why a program's connection to the broker is closed."""

    DISABLED = "disabled"
    ENDED = "ended"
    EXPIRED = "expired"
    SURPLUS = "surplus"


def reason_to_end(client: Client, proved_at: datetime, now: datetime, longest: timedelta) -> Ending | None:
    """`proved_at` is when the broker last accepted a token, which is good for `longest`."""
    if client.is_disabled:
        return Ending.DISABLED
    if client.has_ended(now):
        return Ending.ENDED
    return Ending.EXPIRED if now - proved_at > longest else None


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Somebody signed in at `signed_in_at`, in a browser that all clients share.

    `signed_in_for` is the hash of the authorization request that sent them to the sign-in page, until it is answered.
    `amr` is how they signed in (RFC 8176). `sid` is what the session is called while it lives, whatever its secret.
    """

    account: Account
    signed_in_at: datetime
    signed_in_for: str | None = None
    amr: tuple[str, ...] = (PASSWORD,)
    sid: str | None = None

    @property
    def level(self) -> int:
        return level_of(self.account.assurance, self.amr)


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for until it is exchanged. `signed_in_at` becomes the tokens' `auth_time`.

    `claims` is what the client asked for by name (`oauth.claims_request`). `dpop_jkt` is the thumbprint of the key that
    whoever redeems it must prove to have (RFC 9449, section 10).
    """

    code_hash: str
    client_id: str
    subject: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    signed_in_at: datetime
    expires_at: datetime
    claims: dict[str, Any] | None = None
    dpop_jkt: str | None = None
    amr: tuple[str, ...] = (PASSWORD,)
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class TokenFamily:
    """All tokens that came of one authorization: they are refreshed, and revoked, together.

    `dpop_jkt` is the thumbprint of the key without which its refresh tokens are worth nothing (RFC 9449, section 5).
    `sid` is the session that they came of, if one of a browser. `told` are hashes of what the client was told
    (`oauth.telling`).
    """

    id: str
    client_id: str
    subject: str
    scope: str
    signed_in_at: datetime
    created_at: datetime
    code_hash: str | None = None
    revoked_at: datetime | None = None
    dpop_jkt: str | None = None
    claims: dict[str, Any] | None = None
    amr: tuple[str, ...] = (PASSWORD,)
    sid: str | None = None
    told: tuple[str, ...] = ()


def is_loopback(uri: str) -> bool:
    return LOOPBACK.match(uri) is not None


def without_port(uri: str) -> str:
    found = LOOPBACK.match(uri)
    if found is None or found["port"] is None:
        return uri
    return uri[: found.start("port")] + uri[found.end("port") :]


def normalize_username(text: str) -> str | None:
    """One spelling of a user name, or `None` if nobody can have it. `Ａnna`, `anna` and `ANNA` are one."""
    name = unicodedata.normalize("NFKC", text).casefold().strip()
    return name if len(name) <= MAX_USERNAME and is_text(name) else None


def is_text(text: str) -> bool:
    """Something, and nothing in it that is invisible or cannot be stored."""
    return bool(text) and all(unicodedata.category(character)[0] != "C" for character in text)


def is_mail_address(text: str) -> bool:
    """One bare address, also outside ASCII (RFC 6531), without what would need quotes (RFC 5321, section 4.1.2)."""
    # `=?` begins an encoded word (RFC 2047), behind which anything can stand
    is_one = len(text) <= MAX_EMAIL and MAIL_ADDRESS.fullmatch(text) is not None
    return is_one and "=?" not in text and is_text(text)


def is_session_live(signed_in_at: datetime, seen_at: datetime, now: datetime, channel: str = "web") -> bool:
    is_open_to_all = channel == "kiosk"
    absolute, idle = (KIOSK_ABSOLUTE, KIOSK_IDLE) if is_open_to_all else (SESSION_ABSOLUTE, SESSION_IDLE)
    return now < signed_in_at + absolute and now < seen_at + idle


def access_token_lifetime(client: Client) -> timedelta:
    return ACCESS_TOKEN_LIFETIME if client.access_token_seconds is None else _seconds(client.access_token_seconds)


def refresh_token_expiry(client: Client, family: TokenFamily, now: datetime) -> datetime:
    """A family that is used lives on, but not for ever."""
    idle = REFRESH_TOKEN_IDLE if client.refresh_token_seconds is None else _seconds(client.refresh_token_seconds)
    return min(now + idle, family.created_at + REFRESH_TOKEN_ABSOLUTE)


def _seconds(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a client wants the person to be asked (OpenID Connect Core, section 3.1.2.1)."""

    prompt: frozenset[str] = frozenset()
    max_age: timedelta | None = None

    @property
    def is_silent(self) -> bool:
        return "none" in self.prompt

    @property
    def limits_login(self) -> bool:
        """Not every session will do."""
        return self.demands_login or self.max_age is not None

    @property
    def demands_login(self) -> bool:
        """max_age=0 is the same as prompt=login; choosing an account is done on the sign-in page."""
        return bool(self.prompt & {"login", "select_account"}) or self.max_age == timedelta(0)


def parse_wish(prompt: str | None, max_age: str | None) -> Wish:
    """Raise `UnknownPrompt`, or `ValueError` for a `max_age` that is no number of seconds."""
    words = frozenset((prompt or "").split())
    if not words <= set(PROMPTS) or ("none" in words and len(words) > 1):
        raise UnknownPrompt(prompt)
    if max_age is None:
        return Wish(words)
    if re.fullmatch(r"[0-9]{1,9}", max_age) is None:
        raise ValueError("max_age is no number of seconds")
    return Wish(words, timedelta(seconds=int(max_age)))


def is_login_fresh(wish: Wish, signed_in: BrowserSession, request_hash: str, now: datetime) -> bool:
    """Who signed in for this very request has done what it demands. That it was seen before proves no sign-in."""
    if signed_in.signed_in_for == request_hash:
        return True
    is_too_old = wish.max_age is not None and now - signed_in.signed_in_at > wish.max_age
    return not wish.demands_login and not is_too_old


def needs_consent(client: Client, wish: Wish, scopes: frozenset[str], granted: frozenset[str]) -> bool:
    return not client.first_party and ("consent" in wish.prompt or not scopes <= granted)


def require_valid_account(account: Account, faults: Sequence[Fault] = ()) -> None:
    """Raise `InvalidInput` with everything that is wrong, `faults` of what comes with the account included."""
    wrong = [Fault(pointer="/username", rule="format", value="username")] if not account.username else []
    wrong += [Fault(pointer="/name", rule="characters", value="text")] if UNSTORABLE.search(account.name) else []
    wrong += [*faults, *staff_faults(account.roles, account.department, account.hall)]
    wrong += _unknown("/locale", (account.locale,), LOCALES)
    if wrong:
        raise InvalidInput(wrong)


def require_valid_client(client: Client) -> None:
    """Raise `InvalidInput` with everything that is wrong."""
    faults = [] if CLIENT_ID.fullmatch(client.id) else [Fault(pointer="/id", rule="pattern", value=CLIENT_ID.pattern)]
    faults += _unknown("/auth_methods", client.auth_methods, _possible_auth_methods(client))
    faults += _unknown("/grants", client.grants, GRANTS) + _unknown("/scopes", client.scopes, SCOPES)
    faults += _unknown("/channel", (client.channel,), CHANNELS)
    for field, uris in (("redirect_uris", client.redirect_uris), ("post_logout_uris", client.post_logout_uris)):
        faults += [Fault(pointer=f"/{field}", rule="format", value=uri) for uri in uris if not is_registrable_uri(uri)]
    if client.backchannel_logout_uri is not None and not is_logout_uri(client.backchannel_logout_uri):
        faults.append(Fault(pointer="/backchannel_logout_uri", rule="format", value=client.backchannel_logout_uri))
    if AUTHORIZATION_CODE in client.grants and not client.redirect_uris:
        faults.append(Fault(pointer="/redirect_uris", rule="minItems", value=1))
    if set(client.grants) & set(PERSONAL_GRANTS):
        faults += [Fault(pointer="/scopes", rule="not", value=s) for s in client.scopes if s in PROGRAM_SCOPES]
    # RFC 6749, section 4.4: "MUST only be used by confidential clients"
    if CLIENT_CREDENTIALS in client.grants and client.is_public:
        faults.append(Fault(pointer="/grants", rule="not", value=CLIENT_CREDENTIALS))
    # who acts for others proves which program they do it with, and others know a person by the name that it knows
    if TOKEN_EXCHANGE in client.grants and (client.is_public or client.subject_type == PAIRWISE):
        faults.append(Fault(pointer="/grants", rule="not", value=TOKEN_EXCHANGE))
    faults += _owner_faults(client) + _token_faults(client)
    if faults:
        raise InvalidInput(faults)


def _possible_auth_methods(client: Client) -> tuple[str, ...]:
    """A method needs what it proves: a secret, keys, or neither."""
    with_secret = SECRET_AUTH_METHODS if client.secret_hash is not None else ()
    with_keys = KEY_AUTH_METHODS if client.jwks is not None else ()
    return with_secret + with_keys or PUBLIC_AUTH_METHODS


def _owner_faults(client: Client) -> list[Fault]:
    """The owner's name becomes a part of queue names and of the broker's permissions, where `*` opens everything."""
    owners = {"/department": client.department, "/organisation": client.organisation}
    faults = [
        Fault(pointer=pointer, rule="format", value="one word of letters, digits, - and _, 64 at most")
        for pointer, owner in owners.items()
        if owner is not None and not is_part(owner)
    ]
    if all(owners.values()):
        faults.append(Fault(pointer="/organisation", rule="not", value="department"))
    # the broker knows its users by name only: a token must not pass for a process of ours
    if client.owner is not None and client.id in broker_accounts.NAMES:
        faults.append(Fault(pointer="/id", rule="not", value=client.id))
    return faults


def _token_faults(client: Client) -> list[Fault]:
    faults = _unknown("/id_token_alg", (client.id_token_alg,), SIGNING_ALGORITHMS)
    faults += _unknown("/userinfo_alg", (client.userinfo_alg or "ES256",), SIGNING_ALGORITHMS)
    faults += _unknown("/subject_type", (client.subject_type,), SUBJECT_TYPES)
    for name, seconds, (least, most) in (
        ("access_token_seconds", client.access_token_seconds, ACCESS_TOKEN_SECONDS),
        ("refresh_token_seconds", client.refresh_token_seconds, REFRESH_TOKEN_SECONDS),
    ):
        if seconds is not None and not least <= seconds <= most:
            fault = ("minimum", least) if seconds < least else ("maximum", most)
            faults.append(Fault(pointer=f"/{name}", rule=fault[0], value=fault[1]))
    return faults + _sector_faults(client)


def _sector_faults(client: Client) -> list[Fault]:
    if client.subject_type != PAIRWISE:
        return []
    # inside the platform a person has one name: the channels share a case history
    faults = [Fault(pointer="/subject_type", rule="not", value=PAIRWISE)] if client.first_party else []
    # OpenID Connect Core, section 8.1: addresses at several hosts need a sector that is said
    if client.sector is None and len({urlsplit(uri).hostname for uri in client.redirect_uris}) > 1:
        faults.append(Fault(pointer="/sector", rule="required", value=None))
    return faults


def is_registrable_uri(uri: str) -> bool:
    """Absolute, without a fragment (RFC 6749, section 3.1.2), of the web or of an app, and nothing else."""
    return WEB_ADDRESS.fullmatch(uri) is not None or APP_ADDRESS.fullmatch(uri) is not None


def is_logout_uri(uri: str) -> bool:
    """Where we may tell a client of the end of a session (Back-Channel Logout 1.0, section 2.2).

    "MUST NOT include a fragment component"; without TLS at the loopback address only; no port of another protocol.
    """
    is_protected = uri.startswith("https://") and WEB_ADDRESS.fullmatch(uri) is not None
    is_ours = LOOPBACK.match(uri) is not None and WEB_ADDRESS.fullmatch(uri) is not None
    if len(uri) > MAX_LOGOUT_URI or not (is_protected or is_ours):
        return False
    port = urlsplit(uri).port
    return port is None or port == _HTTPS_PORT or port >= _LOWEST_OTHER_PORT


def _unknown(pointer: str, values: tuple[str, ...], known: tuple[str, ...]) -> list[Fault]:
    return [Fault(pointer=pointer, rule="enum", value=value) for value in values if value not in known]
