"""The same calls as HTTP requests to the services themselves, for as long as the broker is gone."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx2

from contracts.errors import ServiceUnavailable
from gateway.rpc.calls import Call

log = logging.getLogger(__name__)


class Direct:
    def __init__(self, urls: dict[str, str], secret: str, seconds: float = 10.0) -> None:
        self._urls = urls
        # trust_env=False: a proxy for the outside world must not see these calls
        self._client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
            timeout=httpx2.Timeout(seconds, connect=2),
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=50),
            trust_env=False,
        )

    async def call(self, call: Call) -> dict[str, Any]:
        """The reply's body, `{"result": ..., "error": ...}`. Raise `ServiceUnavailable` when there is none."""
        body = {"args": call.args, "kwargs": call.kwargs, "context": call.context}
        try:
            response = await self._client.post(
                f"{self._urls[call.service]}/rpc/{call.method}", content=json.dumps(body, ensure_ascii=False).encode()
            )
        except httpx2.HTTPError as error:
            raise ServiceUnavailable(call.service) from error
        if response.status_code != httpx2.codes.OK:
            log.error("%s over HTTP answered %s", call.name, response.status_code)
            raise ServiceUnavailable(call.service)
        reply: dict[str, Any] = response.json()
        return reply

    async def is_alive(self, service: str) -> bool:
        try:
            response = await self._client.get(f"{self._urls[service]}/healthz", timeout=2)
        except httpx2.HTTPError:
            return False
        return response.status_code == httpx2.codes.OK

    async def close(self) -> None:
        await self._client.aclose()
