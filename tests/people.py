"""The people of the demo, each signed in once, and what they do over the API."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client

from cli.demo import ITEM, PASSWORD, SECRET
from cli.oidc import Client, sign_in
from deploy.local.platform import Platform
from tests.processes import wait_until

TEST_SECONDS = 240
"""The longest that one test may take."""

APP = Client("app", "http://127.0.0.1:9777/callback")


class People:
    def __init__(self, platform: Platform) -> None:
        self._base = platform.environment["ONEHALL_BASE_URL"]
        self._signed_in: dict[str, OAuth2Client] = {}
        self.example = cache(self._example)

    def sign_in(self, username: str) -> OAuth2Client:
        if username not in self._signed_in:
            self._signed_in[username] = sign_in(self._base, APP, username, PASSWORD)
        return self._signed_in[username]

    def renew(self) -> None:
        """Forget who was signed in so long ago that the access token may end in the middle of a test."""
        for username, client in list(self._signed_in.items()):
            if client.token.is_expired(leeway=TEST_SECONDS):
                self._signed_in.pop(username).close()

    def leave(self) -> None:
        for client in self._signed_in.values():
            client.close()

    def file(self, username: str = "citizen", item: str = ITEM, key: str | None = None, **more: Any) -> httpx2.Response:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        body = {"item": item, "form": self.example(item)} | more
        return self.sign_in(username).post("/api/v1/cases", json=body, headers=headers)

    def file_until_answered(self) -> str:
        """As a program should: the same key again until there is an answer; the case's number."""
        key = str(uuid.uuid4())

        def try_once() -> str | None:
            try:
                response = self.file(key=key)
            except httpx2.TransportError:
                return None
            return response.json()["number"] if response.status_code == httpx2.codes.CREATED else None

        return wait_until("the filing is answered", try_once)

    def file_many(self, count: int, at_once: int = 8) -> list[httpx2.Response]:
        self.example(ITEM)
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda _: self.file(), range(count)))

    def act(self, username: str, number: str, action: str, **more: Any) -> httpx2.Response:
        return self.sign_in(username).post(f"/api/v1/cases/{number}/actions", json={"action": action, **more})

    def close(self, number: str) -> None:
        """The clerk accepts, the officer approves."""
        self.act("clerk", number, "accept").raise_for_status()
        self.act("officer", number, "approve").raise_for_status()

    def rate(self, number: str, score: int = 5) -> httpx2.Response:
        return self.sign_in("citizen").post(f"/api/v1/cases/{number}/rating", json={"score": score})

    def history(self, number: str) -> list[dict[str, Any]]:
        response = self.sign_in("citizen").get(f"/api/v1/cases/{number}/history")
        return response.raise_for_status().json()["items"]

    def _example(self, item: str) -> dict[str, Any]:
        return httpx2.get(f"{self._base}/api/v1/items/{item}").raise_for_status().json()["example"]


def department(platform: Platform, name: str) -> httpx2.Client:
    """A department's own program as a client of the API."""
    base = platform.environment["ONEHALL_BASE_URL"]
    credentials, grant = (f"dept-{name}", SECRET), {"grant_type": "client_credentials"}
    answer = httpx2.post(f"{base}/oauth/token", auth=credentials, data=grant).raise_for_status()
    return httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
