"""Logins a second of people who have a browser session, so that no password is hashed, over an echo RPC."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from bench.filings import measure_echo, prepare
from bench.http_load import FORM, Connection, Request
from cli.demo import PASSWORD
from cli.oidc import authorize
from deploy.local.platform import Platform
from services.identity import passwords
from tests.people import APP

CONNECTIONS = 16
LOGINS = 1_000
ROUNDS = 3
HASHES = 20

VERIFIER = "bench-" + 40 * "v"
"""One for all: making it is the client's work, which is not measured."""


def measure(platform: Platform) -> tuple[float, float]:
    """Logins and echoes a second: medians of alternating rounds."""
    token, _ = prepare(platform)
    url, cookies = _sign_in(platform.environment["ONEHALL_BASE_URL"])
    logins, echoes = [], []
    for _ in range(ROUNDS):
        echoes.append(measure_echo(platform, token))
        gateway = int(platform.environment["ONEHALL_PORT"])
        logins.append(LOGINS / asyncio.run(_log_in_many(gateway, url, cookies)))
    return statistics.median(logins), statistics.median(echoes)


def measure_hash() -> float:
    """Milliseconds of CPU for one password (argon2id), the best of some."""
    took = []
    for _ in range(HASHES):
        started = time.process_time()
        passwords.hash_password(PASSWORD)
        took.append(time.process_time() - started)
    return 1000 * min(took)


def _sign_in(base: str) -> tuple[str, str]:
    """The path that asks for a code, and the cookies of a browser that is signed in."""
    query = {
        "client_id": APP.client_id,
        "response_type": "code",
        "redirect_uri": APP.redirect_uri,
        "scope": APP.scope,
        "nonce": "bench",
        "state": "bench",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    path = f"/oauth/authorize?{urlencode(query)}"
    with httpx2.Client() as browser:
        authorize(browser, base + path, APP.redirect_uri, "citizen", PASSWORD)
        return path, "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)


async def _log_in_many(gateway: int, path: str, cookies: str) -> float:
    """The seconds that they took."""
    numbers = iter(range(LOGINS))

    async def work() -> None:
        connection = await Connection.open(gateway)
        for _ in numbers:
            await _log_in(connection, path, cookies)
        connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return time.perf_counter() - started


async def _log_in(connection: Connection, path: str, cookies: str) -> None:
    """Five requests, as of a program that was just started: it knows the issuer's address, and nothing else."""
    await connection.ask(Request("/.well-known/openid-configuration"), 200)
    location = await connection.ask_where(Request(path, headers=(f"Cookie: {cookies}",)))
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(location).query)["code"][0],
        "redirect_uri": APP.redirect_uri,
        "client_id": APP.client_id,
        "code_verifier": VERIFIER,
    }
    request = Request("/oauth/token", "POST", body=urlencode(form).encode(), content_type=FORM)
    tokens = json.loads(await connection.ask(request, 200))
    await connection.ask(Request("/oauth/jwks"), 200)
    await connection.ask(Request("/oauth/userinfo", headers=(f"Authorization: Bearer {tokens['access_token']}",)), 200)
