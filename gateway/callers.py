"""Where a request comes from: the address that limits its guessing."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import context

Network = IPv4Network | IPv6Network

_MOST_HOPS = 20


class CallerAddress:
    """Puts it into the request's context, and from there into every call of a service."""

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer = scope["client"][0] if scope.get("client") else None
            forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
            context.address.set(caller_address(peer, forwarded, self._proxies))
        await self._app(scope, receive, send)


def caller_address(peer: str | None, forwarded: str, proxies: Sequence[Network]) -> str | None:
    """The last address of the chain that is none of our own proxies'.

    `X-Forwarded-For` is believed as far as a trusted proxy wrote it: from its end. What stands before may be invented.
    """
    hops = [part.strip() for part in forwarded.split(",")[-_MOST_HOPS:] if part.strip()]
    address = peer
    while address is not None and hops and _is_trusted(address, proxies):
        before = _parsed(hops.pop())
        if before is None:
            # a proxy that writes no address: its own is the last that is known
            break
        address = str(before)
    return address


def _is_trusted(address: str, proxies: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in proxies)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    # some proxies write `[2001:db8::1]:443` or `192.0.2.1:443`
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    host = host.partition(":")[0] if host.count(":") == 1 else host
    try:
        return ip_address(host)
    except ValueError:
        return None
