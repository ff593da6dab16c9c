"""The broker's management plugin, over HTTP."""

from __future__ import annotations

import httpx2


def client(url: str, seconds: float) -> httpx2.Client:
    """`url` is `http[s]://user:password@host:port`.

    The account goes into a header: an address that holds it would stand in every error, and so in the logs. The broker
    is next door, so a proxy for the outside world is not asked.
    """
    address = httpx2.URL(url)
    return httpx2.Client(
        base_url=address.copy_with(username=None, password=None),
        auth=(address.username, address.password) if address.username else None,
        timeout=seconds,
        trust_env=False,
    )
