"""What the broker's management plugin tells: which queues and bindings there are, and how much waits where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pika

from chassis import management

_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of one queue: `ready` to be handed out, and `in_hand`, handed out and not acknowledged."""

    ready: int
    in_hand: int


@dataclass(frozen=True, slots=True)
class Broker:
    """Its state at one look.

    `queues`, their `arguments` and `bindings` (source, queue, routing key) are as they are now. The depths are
    what each quorum queue told last, which it does every 5 s, ready and in hand of the same moment; one that has just
    started tells 0 until then, and of one that has no majority of its replicas nothing is known (None).
    """

    queues: dict[str, Depth | None]
    arguments: dict[str, dict[str, Any]]
    bindings: frozenset[tuple[str, str, str]]


class Management:
    """`url` is `http[s]://user:password@host:port`. Errors are `httpx2.HTTPError`."""

    def __init__(self, url: str, amqp_uri: str) -> None:
        self._vhost = quote(pika.URLParameters(amqp_uri).virtual_host, safe="")
        self._client = management.client(url, _TIMEOUT_SECONDS)

    def look(self) -> Broker:
        # without the statistics that the plugin gathers: they cost most and come later still
        totals = {"disable_stats": "true", "enable_queue_totals": "true"}
        queues = self._get("queues", totals)
        bindings = self._get("bindings", {"columns": "source,destination,routing_key"})
        return Broker(
            {queue["name"]: _depth(queue) for queue in queues},
            {queue["name"]: queue["arguments"] for queue in queues},
            frozenset((binding["source"], binding["destination"], binding["routing_key"]) for binding in bindings),
        )

    def close(self) -> None:
        self._client.close()

    def _get(self, what: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        response = self._client.get(f"/api/{what}/{self._vhost}", params=parameters).raise_for_status()
        answer: list[dict[str, Any]] = response.json()
        return answer


def _depth(queue: dict[str, Any]) -> Depth | None:
    if queue.get("state") != "running":
        return None
    return Depth(queue.get("messages_ready", 0), queue.get("messages_unacknowledged", 0))
