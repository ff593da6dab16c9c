"""Cookies of the browser: what is in them, how they are set, and who is signed in.

`onehall_session` is the browser session at identity, shared by every client (sign in once). `onehall_web` is the web
channel's own session; its tokens stay at identity. `onehall_sign_in` is a sign-in under way, sealed, for ten minutes.
`onehall_kiosk` and `onehall_hall` are sessions like `onehall_web`, of the kiosk and of a clerk; `onehall_visit` is a
citizen's visit at the counter. `onehall_kiosk_wait` holds the codes of a kiosk that waits, sealed.
`onehall_pending` is a sign-in that waits for the second factor, `onehall_ceremony` one use of a passkey that the
browser has begun.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Request
from starlette.responses import Response

from contracts.actors import Actor
from contracts.errors import NotFound, SessionEnded
from gateway.cache import TimedCache
from gateway.rpc.client import Rpc
from gateway.settings import GatewaySettings
from gateway.tokens import TokenRefused, Tokens

SESSION, WEB, SIGN_IN, LANGUAGE = "onehall_session", "onehall_web", "onehall_sign_in", "onehall_language"
KIOSK, KIOSK_WAIT, KIOSK_NAME = "onehall_kiosk", "onehall_kiosk_wait", "onehall_kiosk_name"
CLERK, VISIT = "onehall_hall", "onehall_visit"
ACTING = "onehall_acting"
"""The mandate by which the visitor acts for somebody: no secret, it serves nobody else."""
OF_A_SESSION = (SESSION, WEB, CLERK, VISIT, ACTING)
"""What ends when the browser's session does. A kiosk has its own, which nobody signs in to with a password."""
PENDING, CEREMONY = "onehall_pending", "onehall_ceremony"
FRESH_SECONDS = 30
SIGN_IN_SECONDS = 600
DEVICE, DEVICE_SECONDS = "onehall_device", 400 * 24 * 3600
LANGUAGE_SECONDS = 365 * 24 * 3600
_NONCE_BYTES = 12


class Cookies:
    """`__Host-` over https: the browser then takes the cookie from this host only, and over https only."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._is_https = settings.is_https
        self._prefix = "__Host-" if settings.is_https else ""

    def read(self, request: Request, name: str) -> str | None:
        return request.cookies.get(self._prefix + name)

    def set(self, response: Response, name: str, value: str, max_age: int | None = None) -> None:
        response.set_cookie(
            self._prefix + name, value, max_age=max_age, path="/", secure=self._is_https, httponly=True, samesite="lax"
        )

    def delete(self, response: Response, name: str) -> None:
        response.delete_cookie(self._prefix + name, path="/", secure=self._is_https, httponly=True, samesite="lax")


def leave(request: Request, response: Response) -> None:
    """Nothing of a session stays with the browser."""
    state = request.app.state
    for name in OF_A_SESSION:
        value = state.cookies.read(request, name)
        if value is not None:
            state.web_sessions.forget(value)
            state.visits.forget(value)
            state.cookies.delete(response, name)


class Seal:
    """Encrypts what a cookie carries for us (AES-256-GCM), so that it can be neither read nor changed."""

    def __init__(self, cookie_key: str, randomness: Any) -> None:
        key = base64.urlsafe_b64decode(cookie_key + "=" * (-len(cookie_key) % 4))
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=b"onehall.gateway.sign-in").derive(key))
        self._randomness = randomness

    def close(self, content: dict[str, Any]) -> str:
        nonce = self._randomness(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, json.dumps(content).encode(), None)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str | None) -> dict[str, Any] | None:
        """None for what was not sealed here."""
        try:
            raw = base64.urlsafe_b64decode(sealed or "")
            content: dict[str, Any] = json.loads(self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None))
        except (ValueError, InvalidTag):
            return None
        return content


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in at a channel. During a visit at the counter the actor is the citizen, and a clerk acts."""

    secret: str
    name: str
    actor: Actor
    locale: str | None


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom the visitor acts, by which mandate, and about what: an item, a case, or all."""

    mandate: str
    name: str
    actor: Actor
    item: str | None
    number: str | None
    item_name: dict[str, str] | None = None


class WebSessions:
    """Asked of identity at most every half minute a session, which also refreshes the access token."""

    def __init__(self, rpc: Rpc, tokens: Tokens) -> None:
        self._rpc = rpc
        self._tokens = tokens
        self._sessions: TimedCache[dict[str, Any]] = TimedCache(FRESH_SECONDS, 10_000)
        self._acting: TimedCache[dict[str, Any]] = TimedCache(FRESH_SECONDS, 10_000)

    async def visitor(self, secret: str, client: str = "web") -> Visitor | None:
        """None when the session is over, or is one of another client."""
        try:
            return await self._visitor(secret, client)
        except TokenRefused:
            # the remembered token ran out: identity refreshes it
            self._sessions.forget(secret)
        except SessionEnded:
            return None
        try:
            return await self._visitor(secret, client)
        except (TokenRefused, SessionEnded):
            return None

    async def _visitor(self, secret: str, client: str) -> Visitor:
        session = await self._sessions.get(secret, lambda: self._rpc.call("identity.get_web_session", secret))
        if session["client"] != client:
            raise SessionEnded
        actor = await self._tokens.actor_of(session["access_token"])
        return Visitor(secret, session["name"], actor, session.get("locale"))

    async def acting(self, secret: str, mandate: str) -> Acting:
        """For whom the session acts by this mandate, known anew every half minute. Raise `NotFound` if it is over."""
        key = (secret, mandate)
        found = await self._acting.get(key, lambda: self._rpc.call("identity.get_acting", secret, mandate))
        try:
            actor = await self._tokens.actor_of(found["access_token"])
        except TokenRefused:
            self._acting.forget(key)
            raise NotFound("mandate") from None
        return Acting(mandate, found["name"], actor, found["item"], found["number"])

    async def begin(self, client: str, tokens: dict[str, Any], previous: str | None) -> str:
        """The new session's secret. The one that this browser had before is over."""
        secret: str = await self._rpc.call("identity.save_web_session", client, tokens, previous)
        if previous:
            self._sessions.forget(previous)
        return secret

    async def end(self, secret: str) -> None:
        self._sessions.forget(secret)
        await self._rpc.call("identity.end_web_session", secret)

    def forget(self, secret: str) -> None:
        """Ask identity the next time."""
        self._sessions.forget(secret)

    def forget_of(self, subject: str) -> None:
        """All of the person's. Other processes of the gateway ask again within half a minute."""
        self._sessions.forget_where(lambda session: session["subject"] == subject)


class Visits:
    """Citizens' visits at the counter. Each asks identity for its token, which is short, every half minute."""

    def __init__(self, rpc: Rpc, tokens: Tokens) -> None:
        self._rpc = rpc
        self._tokens = tokens
        self._visits: TimedCache[dict[str, Any]] = TimedCache(FRESH_SECONDS, 10_000)

    async def visitor(self, secret: str) -> Visitor | None:
        """None when the visit is over."""
        try:
            visit = await self._visits.get(secret, lambda: self._rpc.call("identity.get_visit", secret))
            actor = await self._tokens.actor_of(visit["access_token"])
        except (SessionEnded, TokenRefused):
            self._visits.forget(secret)
            return None
        return Visitor(secret, visit["name"], actor, None)

    def forget(self, secret: str) -> None:
        self._visits.forget(secret)

    async def end(self, secret: str) -> None:
        self._visits.forget(secret)
        await self._rpc.call("identity.end_visit", secret)
