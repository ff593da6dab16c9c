"""Access tokens that the gateway checks in a second of one core: each for the first time, and again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.tokens import ALGORITHM, AUDIENCE, TYPES, Tokens

ISSUER = "https://onehall.example"
DISTINCT = 5_000  # fewer than are remembered, so that the second measurement checks no signature
REPEATED = 50_000
ROUNDS = 3


class Identity:
    """In place of identity, which is asked for its keys only."""

    def __init__(self, key: ECKey) -> None:
        public = key.as_dict(private=False) | {"use": "sig", "alg": ALGORITHM}
        self._answer = {"body": json.dumps({"keys": [public]})}

    async def call(self, name: str, *arguments: Any) -> Any:
        return self._answer


def measure() -> tuple[float, float]:
    """Distinct tokens, signature checked, and tokens seen before: the best of the rounds, in a second of CPU."""
    return asyncio.run(_measure())


async def _measure() -> tuple[float, float]:
    key = ECKey.generate_key("P-256")
    key = ECKey.import_key(key.as_dict(private=True) | {"kid": key.thumbprint()})
    made = [_token(key, number) for number in range(DISTINCT)]
    first, again = [], []
    for _ in range(ROUNDS):
        tokens = Tokens(Identity(key), ISSUER)  # type: ignore[arg-type]
        await tokens.actor_of(made[0])  # it has the keys now
        first.append(await _rate(tokens.actor_of, made[1:]))
        again.append(await _rate(tokens.actor_of, made * (REPEATED // DISTINCT)))
    return max(first), max(again)


async def _rate(check: Callable[[str], Awaitable[Any]], tokens: Sequence[str]) -> float:
    started = time.process_time()
    for token in tokens:
        await check(token)
    return len(tokens) / (time.process_time() - started)


def _token(key: ECKey, number: int) -> str:
    """With the claims that identity's have."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 600,
        "sub": f"{number:032x}",
        "client_id": "app",
        "scope": "openid profile offline_access cases",
        "channel": "app",
        "roles": [],
        "department": None,
        "auth_time": now,
        "acr": "1",
        "jti": f"{number:032x}.{number:043x}",
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": TYPES[0]}, claims, key, [ALGORITHM])
