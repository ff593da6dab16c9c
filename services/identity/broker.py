"""What the broker's management plugin tells of connections, and how one is closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx2

from chassis import management

_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Connection:
    """`user` is the client's id, of those that signed in with a token."""

    name: str
    user: str
    connected_at: datetime


@dataclass(frozen=True, slots=True)
class Consumer:
    """Unlike any other at the same time."""

    connection: str
    channel: int
    tag: str


class Management:
    """`url` is `http[s]://user:password@host:port`. Errors are `httpx2.HTTPError`."""

    def __init__(self, url: str, vhost: str) -> None:
        self._vhost = quote(vhost, safe="")
        self._client = management.client(url, _TIMEOUT_SECONDS)

    def connections(self) -> list[Connection]:
        """Every open one, ours too. One that is only just opening has no user yet, and is left out."""
        rows = self._get(f"vhosts/{self._vhost}/connections", ("name", "user", "connected_at"))
        return [
            Connection(row["name"], row["user"], datetime.fromtimestamp(row["connected_at"] / 1000, UTC))
            for row in rows
            if {"name", "user", "connected_at"} <= row.keys()
        ]

    def consumers(self) -> list[Consumer]:
        columns = ("channel_details.connection_name", "channel_details.number", "consumer_tag")
        rows = self._get(f"consumers/{self._vhost}", columns)
        # of one whose channel has just closed, the details are an empty list
        found = [(row["channel_details"], row["consumer_tag"]) for row in rows if row.get("channel_details")]
        return [Consumer(details["connection_name"], details["number"], tag) for details, tag in found]

    def close_connection(self, connection: str, reason: str) -> None:
        """The client reads the reason in `connection.close`. One that is gone already is as good."""
        answer = self._client.delete(f"/api/connections/{quote(connection, safe='')}", headers={"X-Reason": reason})
        if answer.status_code != httpx2.codes.NOT_FOUND:
            answer.raise_for_status()

    def close(self) -> None:
        self._client.close()

    def _get(self, what: str, columns: Iterable[str]) -> list[dict[str, Any]]:
        answer = self._client.get(f"/api/{what}", params={"columns": ",".join(columns)}).raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows
