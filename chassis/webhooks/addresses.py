"""Which addresses a webhook may go to. Whoever names an endpoint must not reach our own network by it (SSRF)."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks = tuple[Network, ...]
Resolve = Callable[[str, int], Awaitable[list[str]]]

asking_for: ContextVar[str] = ContextVar("asking_for", default="")
"""The owner of the webhook whose host is looked up."""

MAX_URL = 2_000
HTTPS_PORT, HTTP_PORT = 443, 80
_PORTS = {"https": HTTPS_PORT, "http": HTTP_PORT}
_LOWEST_OTHER_PORT = 1024
"""The ports below belong to protocols that nobody should be made to speak to by us."""

_LOOK_UP_SECONDS = 5.0
_LOOK_UPS = 128
_LOOK_UPS_OF_OWNER = 4

_PRINTABLE = re.compile("[!-~]+")
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")

_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
"""All that is given out as global unicast (IANA). NAT64, site-local and the like lie outside."""

# `is_global` lets these through, in some versions of Python at least
_SPECIAL: Networks = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's platform services, at a public address
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890), and Oracle Cloud's metadata
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "2002::/16",  # 6to4 (RFC 3056): any IPv4 address, written otherwise
        "3fff::/20",  # documentation (RFC 9637)
    )
)


class UrlRefused(ValueError):
    """Args: the rule that the URL breaks: length, characters, https, userinfo, fragment, host, port."""


class HostNotFound(Exception):
    """Args: the host."""


class ResolverBusy(Exception):
    """Args: the host. Nobody has looked for it: too many look-ups of others are under way."""


class AddressRefused(Exception):
    """Args: the host. It is, or one of its addresses is, none that webhooks may go to."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL in its parts. `target` is path and query."""

    host: str
    port: int
    target: str
    scheme: str = "https"

    @property
    def authority(self) -> str:
        """As the header `Host` names it (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str, *, plain_at_loopback: bool = False) -> Endpoint:
    """Raise `UrlRefused`. Whether the host may be spoken to is only known from its addresses.

    `plain_at_loopback` lets `http` through where the host is a loopback address, by number.
    """
    if len(url) > MAX_URL:
        raise UrlRefused("length")
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise UrlRefused("characters")
    try:
        parts = urlsplit(url)
        port = _PORTS.get(parts.scheme, HTTPS_PORT) if parts.port is None else parts.port
    except ValueError as error:
        raise UrlRefused("host") from error
    kept = {
        "https": parts.scheme == "https"
        or (plain_at_loopback and parts.scheme == "http" and _is_loopback(parts.hostname)),
        "userinfo": "@" not in parts.netloc,
        "fragment": "#" not in url,
        "host": _HOST.fullmatch(parts.netloc.removesuffix(f":{parts.port}")) is not None,
        "port": port == HTTPS_PORT or port >= _LOWEST_OTHER_PORT,
    }
    for rule, is_kept in kept.items():
        if not is_kept:
            raise UrlRefused(rule)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.hostname or "", port, target, parts.scheme)


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def parse_networks(text: str) -> Networks:
    """`10.20.0.0/16,fd00::/8`; empty for none. Raise `ValueError`."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_allowed(address: str, networks: Iterable[Network] = ()) -> bool:
    """Whether a webhook may go to this IP address: a public one, or one of `networks`."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return _is_public(parsed) or any(parsed in network for network in networks)


def _is_public(address: Address) -> bool:
    if address.version == 6 and address not in _GLOBAL_IPV6:
        return False
    is_special = address.is_multicast or address.is_reserved or any(address in network for network in _SPECIAL)
    return address.is_global and not is_special


async def find(host: str, port: int, resolve: Resolve, networks: Iterable[Network]) -> list[str]:
    """The host's IP addresses. Raise `HostNotFound`, or `AddressRefused` if one of them is not allowed.

    One bad address among good ones is refused as a whole: nobody has both by honest means.
    """
    addresses = await resolve(host, port)
    if not all(is_allowed(address, networks) for address in addresses):
        raise AddressRefused(host)
    return addresses


class Resolver:
    """The system's, in threads of its own. A look-up cannot be broken off, and slow ones must not hold others up.

    So each owner (`asking_for`) has a few at a time, counted until their threads end, and waits for its own ones only.
    Raise `HostNotFound`, or `ResolverBusy` when all threads are taken.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="resolver")
        self._under_way = 0
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def __call__(self, host: str, port: int) -> list[str]:
        places = self._places.setdefault(asking_for.get(), asyncio.Semaphore(_LOOK_UPS_OF_OWNER))
        await places.acquire()
        if self._under_way >= _LOOK_UPS:
            places.release()
            raise ResolverBusy(host)
        look_up = self._start(host, port, places)
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                # it goes on in its thread, and its place is taken as long as that
                return await asyncio.shield(look_up)
        except (OSError, UnicodeError) as error:
            raise HostNotFound(host) from error

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, host: str, port: int, places: asyncio.Semaphore) -> asyncio.Future[list[str]]:
        def end(look_up: asyncio.Future[list[str]]) -> None:
            self._under_way -= 1
            places.release()
            if not look_up.cancelled():
                # nobody may be waiting for it any more
                look_up.exception()

        look_up = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)
        self._under_way += 1
        look_up.add_done_callback(end)
        return look_up


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
