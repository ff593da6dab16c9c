"""Access tokens, checked here against identity's public keys: JWT as RFC 9068 profiles it, ES256 only.

Two kinds need identity besides. A token that is bound to a key (RFC 9449) comes with a proof that works once at all
gateways, so identity, which they share, is asked whether it is new. And of a client with pairwise subjects the token
does not say who it is for, since the client reads it; identity does, once a token.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from chassis import dpop
from contracts import actors
from contracts.actors import CHANNELS, CHECKS, Actor, Mandate
from contracts.errors import ServiceUnavailable, SessionEnded
from gateway.rpc.client import Rpc

AUDIENCE = "urn:onehall:api"
ALGORITHM = "ES256"
TYPES = ("at+jwt", "application/at+jwt")
KEYS_FRESH_SECONDS = 300
REFETCH_SECONDS = 5
REMEMBERED = 10_000

log = logging.getLogger(__name__)


class TokenRefused(Exception):
    """No token, or not one of ours, or no longer. Args: a reason, shown as `error_description`; none for no token."""

    @property
    def challenge(self) -> str:
        # RFC 6750, section 3.1: without any credentials the answer names no error
        if not self.args:
            return 'Bearer realm="onehall"'
        return f'Bearer realm="onehall", error="invalid_token", error_description="{self.args[0]}"'


class ProofNeeded(TokenRefused):
    """A bound token without a good proof of its key, or a proof with a token that is not bound. Args: a reason."""

    @property
    def challenge(self) -> str:
        # RFC 9449, section 7.1
        algs = " ".join(dpop.ALGORITHMS)
        return f'DPoP realm="onehall", error="invalid_dpop_proof", error_description="{self.args[0]}", algs="{algs}"'


class InsufficientScope(Exception):
    """Args: the scope that the token lacks."""

    @property
    def challenge(self) -> str:
        return f'Bearer realm="onehall", error="insufficient_scope", scope="{self.args[0]}"'


class Keys:
    """Identity's signing keys by `kid`, fetched when one is unknown, at most every few seconds."""

    def __init__(self, rpc: Rpc, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._rpc = rpc
        self._url = f"{issuer}/oauth/jwks"
        self._clock = clock
        self._keys: dict[str, ECKey] = {}
        self._fetched = float("-inf")
        self._fetching = asyncio.Lock()

    async def get(self, kid: str) -> ECKey | None:
        age = self._clock() - self._fetched
        known = self._keys.get(kid)
        if age > KEYS_FRESH_SECONDS or (known is None and age > REFETCH_SECONDS):
            await self._refetch(self._fetched)
        return self._keys.get(kid)

    async def _refetch(self, seen: float) -> None:
        async with self._fetching:
            if self._fetched != seen:
                return
            try:
                answer = await self._rpc.call("identity.answer_protocol", "jwks", "GET", self._url, {}, "")
            except ServiceUnavailable:
                # keys outlive a short absence of identity; without any, nobody can be known
                if not self._keys:
                    raise
                log.warning("identity does not answer: its old keys are used on")
            else:
                self._keys = _signing_keys(json.loads(answer["body"]))
            self._fetched = self._clock()


def _signing_keys(document: dict[str, Any]) -> dict[str, ECKey]:
    return {
        fields["kid"]: ECKey.import_key(fields)
        for fields in document["keys"]
        if fields.get("kty") == "EC" and fields.get("crv") == "P-256" and fields.get("use", "sig") == "sig"
    }


@dataclass(frozen=True, slots=True)
class KnownToken:
    """`jkt` is the thumbprint of the key that must be proved with it, if it is bound to one."""

    actor: Actor
    expires: float
    jkt: str | None


class Tokens:
    """A token that was found good is remembered until it expires: checking a signature costs more than the call."""

    def __init__(self, rpc: Rpc, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._rpc = rpc
        self._keys = Keys(rpc, issuer)
        self._issuer = issuer
        self._clock = clock
        self._known: dict[bytes, KnownToken] = {}

    async def actor_of(self, token: str) -> Actor:
        """Who a bearer token speaks for. Raise `TokenRefused`."""
        known = await self._know(token)
        # RFC 9449, section 7.2: a bound token must not be taken without its proof
        if known.jkt is not None:
            raise ProofNeeded("the token is bound to a key: send it by the scheme DPoP, with a proof")
        return known.actor

    async def actor_of_proved(self, token: str, proof: str, method: str, url: str) -> Actor:
        """Who a token speaks for that came by the scheme DPoP. Raise `TokenRefused`."""
        known = await self._know(token)
        if known.jkt is None:
            raise ProofNeeded("the token is bound to no key: send it by the scheme Bearer")
        try:
            proved = dpop.read_proof(proof, method, url, self._clock(), token)
        except dpop.ProofRefused as error:
            raise ProofNeeded(str(error)) from error
        if proved.jkt != known.jkt:
            raise ProofNeeded("the proof is of another key than the token's")
        if not await self._rpc.call("identity.use_proof", proved.id, proved.expires_at):
            raise ProofNeeded("the proof was used before")
        return known.actor

    async def _know(self, token: str) -> KnownToken:
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is not None and known.expires > self._clock():
            return known
        claims = await self._claims(token)
        if claims.get("subject_type") == "pairwise":
            claims = claims | {"sub": await self._subject(token)}
        known = KnownToken(self._actor(claims), float(claims["exp"]), _thumbprint(claims))
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[digest] = known
        return known

    async def _subject(self, token: str) -> str:
        try:
            subject: str = await self._rpc.call("identity.get_subject", token)
        except SessionEnded as error:
            raise TokenRefused("no longer good") from error
        return subject

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            signed = jws.extract_compact(token.encode("ascii"))
            header = signed.headers()
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise TokenRefused("not a token of this platform") from error
        # RFC 8725, sections 3.1 and 3.11: one algorithm, one explicit type
        if header.get("alg") != ALGORITHM or str(header.get("typ")).lower() not in TYPES:
            raise TokenRefused("not an access token of this platform")
        key = await self._keys.get(str(header.get("kid")))
        if key is None:
            raise TokenRefused("signed by an unknown key")
        return self._verified(token, key)

    def _verified(self, token: str, key: ECKey) -> dict[str, Any]:
        try:
            claims = json.loads(jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload)
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefused("the signature is wrong") from error
        if not isinstance(claims, dict) or not isinstance(claims.get("exp"), (int, float)):
            raise TokenRefused("claims are missing")
        self._require_current(claims)
        return claims

    def _require_current(self, claims: dict[str, Any]) -> None:
        audience = claims.get("aud")
        if claims.get("iss") != self._issuer:
            raise TokenRefused("issued elsewhere")
        if audience != AUDIENCE and not (isinstance(audience, list) and AUDIENCE in audience):
            raise TokenRefused("meant for another audience")
        if claims["exp"] <= self._clock():
            raise TokenRefused("expired")

    def _actor(self, claims: dict[str, Any]) -> Actor:
        try:
            channel = claims.get("channel") or "web"
            if channel not in CHANNELS:
                raise TokenRefused("unknown channel")
            return Actor(
                subject=claims["sub"],
                client=claims["client_id"],
                channel=channel,
                roles=tuple(claims.get("roles") or ()),
                department=claims.get("department"),
                scopes=tuple(claims.get("scope", "").split()),
                organisation=claims.get("organisation"),
                act=_acting(claims),
                acr=_level(claims.get("acr")),
                mandate=_mandate(claims),
                hall=claims.get("hall"),
                checks=_checks(claims.get("checks")),
            )
        except KeyError as error:
            raise TokenRefused("claims are missing") from error


def _checks(said: Any) -> tuple[str, ...]:
    """They are only told on: a word that we do not know is left out."""
    return tuple(word for word in CHECKS if word in said) if isinstance(said, list) else ()


def _acting(claims: dict[str, Any]) -> str | None:
    """RFC 8693, section 4.1. Who acts for somebody must not pass for them because we cannot read who it is."""
    if "act" not in claims:
        return None
    act = claims["act"]
    if not isinstance(act, dict) or not isinstance(act.get("sub"), str) or not act["sub"] or "act" in act:
        raise TokenRefused("acted with in an unknown way")
    subject: str = act["sub"]
    return subject


def _level(acr: object) -> int:
    """A level that we do not know is none."""
    return int(acr) if acr in ("1", "2", "3") else 0


def _mandate(claims: dict[str, Any]) -> Mandate | None:
    """RFC 9396, section 9.1. A limit that we do not know must not be taken for none."""
    if "authorization_details" not in claims:
        return None
    match claims["authorization_details"]:
        case [{"type": actors.MANDATE, "item": str(item), **rest}] if not rest:
            return Mandate(item=item)
        case [{"type": actors.MANDATE, "case": str(number), **rest}] if not rest:
            return Mandate(case=number)
    raise TokenRefused("limited in an unknown way")


def _thumbprint(claims: dict[str, Any]) -> str | None:
    """RFC 9449, section 6.1. A confirmation of a kind that we do not know must not be taken for none."""
    if "cnf" not in claims:
        return None
    confirmation = claims["cnf"]
    if not isinstance(confirmation, dict) or not isinstance(confirmation.get("jkt"), str):
        raise TokenRefused("bound in an unknown way")
    thumbprint: str = confirmation["jkt"]
    return thumbprint
