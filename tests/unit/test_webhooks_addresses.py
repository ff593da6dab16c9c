"""Which URLs and addresses webhooks may go to (OWASP, Server-Side Request Forgery Prevention)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from chassis.webhooks import addresses
from chassis.webhooks.addresses import AddressRefused, Endpoint, HostNotFound, UrlRefused
from chassis.webhooks.sender import Request, Sender
from tests.endpoints import HOST, listening


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://a.example", Endpoint("a.example", 443, "/")),
        ("https://A.example/hook?b=1", Endpoint("a.example", 443, "/hook?b=1")),
        ("https://a.example:443/%E4%BD%A0", Endpoint("a.example", 443, "/%E4%BD%A0")),
        ("https://a.example:8443/", Endpoint("a.example", 8443, "/")),
        ("https://[2001:4860:4860::8888]/", Endpoint("2001:4860:4860::8888", 443, "/")),
        ("https://xn--bcher-kva.example?x", Endpoint("xn--bcher-kva.example", 443, "/?x")),
    ],
)
def test_a_url_in_its_parts(url: str, endpoint: Endpoint) -> None:
    assert addresses.parse(url) == endpoint


def test_the_host_as_the_request_names_it() -> None:
    assert addresses.parse("https://a.example/").authority == "a.example"
    assert addresses.parse("https://[2001:4860:4860::8888]:8443/").authority == "[2001:4860:4860::8888]:8443"


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://a.example/", "https"),
        ("ftp://a.example/", "https"),
        ("//a.example/", "https"),
        ("a.example", "https"),
        ("", "characters"),
        ("https://me@a.example/", "userinfo"),
        ("https://me:secret@a.example/", "userinfo"),
        ("https://a.example@127.0.0.1/", "userinfo"),
        ("https://a.example/#part", "fragment"),
        ("https://a.example/#", "fragment"),
        ("https:///hook", "host"),
        ("https://:443/", "host"),
        ("https://a b.example/", "characters"),
        ("https://a.example/\r\nHost: b.example", "characters"),
        ("https://a.example\\@127.0.0.1/", "characters"),
        ("https://bücher.example/", "characters"),
        ("https://a.example/你", "characters"),
        ("https://a.example:x/", "host"),
        ("https://a.example:99999/", "host"),
        ("https://a.example:/", "host"),
        ("https://a%2eexample/", "host"),
        ("https://[::1/", "host"),
        ("https://[fe80::1%25eth0]/", "host"),
        ("https://-a.example/", "host"),
        ("https://a.example:22/", "port"),
        ("https://a.example:0/", "port"),
        ("https://a.example:1023/", "port"),
        (f"https://a.example/{'x' * 2000}", "length"),
    ],
)
def test_a_url_that_is_refused(url: str, rule: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        addresses.parse(url)
    assert refused.value.args == (rule,)


@pytest.mark.parametrize("address", ["1.1.1.1", "192.0.1.1", "2001:4860:4860::8888", "::ffff:1.1.1.1"])
def test_a_public_address(address: str) -> None:
    assert addresses.is_allowed(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "100.64.0.1",  # shared (RFC 6598)
        "100.100.100.200",  # Alibaba Cloud's metadata
        "127.0.0.1",
        "127.8.8.8",
        "168.63.129.16",  # Azure's platform
        "169.254.169.254",  # nearly everybody's metadata
        "172.16.0.1",
        "192.0.0.192",  # Oracle Cloud's metadata
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b::1.1.1.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",  # Amazon's metadata
        "fe80::1",
        "fe80::1%eth0",
        "3fff::1",
        "4000::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_refused(address: str) -> None:
    assert not addresses.is_allowed(address)


def test_a_network_that_was_opened_and_no_other() -> None:
    networks = addresses.parse_networks("10.20.0.0/16, fd12::/16")
    assert all(addresses.is_allowed(each, networks) for each in ("10.20.1.1", "::ffff:10.20.1.1", "fd12::1", "1.1.1.1"))
    assert not any(addresses.is_allowed(each, networks) for each in ("10.21.1.1", "127.0.0.1", "fd13::1"))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "allow", "10.0.0.0/33"])
def test_what_is_no_network_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        addresses.parse_networks(text)


@pytest.mark.parametrize("host", ["127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "localhost"])
def test_other_spellings_of_a_private_address_are_looked_up_and_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        asyncio.run(addresses.find(host, 443, addresses.Resolver(), ()))


def test_a_host_that_is_not_there() -> None:
    with pytest.raises(HostNotFound):
        asyncio.run(addresses.find("nowhere.invalid", 443, addresses.Resolver(), ()))


def test_one_private_address_among_public_ones_is_refused() -> None:
    async def resolve(*_: object) -> list[str]:
        return ["1.1.1.1", "10.0.0.1"]

    with pytest.raises(AddressRefused):
        asyncio.run(addresses.find("a.example", 443, resolve, ()))


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


class Rebinding:
    """A name server that answers otherwise each time (DNS rebinding)."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)

    async def __call__(self, host: str, port: int) -> list[str]:
        return [next(self._answers)]


def test_the_address_that_was_looked_at_is_the_one_that_is_spoken_to(ca: trustme.CA, ca_file: Path) -> None:
    request = Request("https://hook.example:{port}/", (b"k" * 32,), "one", "", "{}")

    async def send(port: int) -> list[tuple[int | None, str | None]]:
        # asked once a connection, and connected to that answer: the second answer belongs to the second connection
        sender = Sender(Rebinding(HOST, "10.9.9.9"), addresses.parse_networks("127.0.0.0/8"), ca_file, 5)
        results = []
        for _ in range(2):
            result = await sender.send(Request(request.url.format(port=port), *_rest(request)))
            results.append((result.status_code, result.error))
            await sender.close()
        return results

    with listening(ca, "hook.example") as endpoint:
        assert asyncio.run(send(endpoint.port)) == [(200, None), (None, "address-refused")]
        assert [received.headers["host"] for received in endpoint.received] == [f"hook.example:{endpoint.port}"]


def _rest(request: Request) -> tuple[tuple[bytes, ...], str, str, str]:
    return request.secrets, request.event_id, request.replay, request.body


def test_a_certificate_for_another_host_is_refused(ca: trustme.CA, ca_file: Path) -> None:
    async def send(port: int) -> str | None:
        sender = Sender(Rebinding(HOST), addresses.parse_networks("127.0.0.0/8"), ca_file, 5)
        return (await sender.send(Request(f"https://hook.example:{port}/", (b"k" * 32,), "one", "", "{}"))).error

    with listening(ca, "other.example") as endpoint:
        assert asyncio.run(send(endpoint.port)) == "certificate"


def test_a_proxy_of_the_environment_is_not_used(ca: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def send(port: int) -> int | None:
        sender = Sender(Rebinding(HOST), addresses.parse_networks("127.0.0.0/8"), ca_file, 5)
        result = await sender.send(Request(f"https://hook.example:{port}/", (b"k" * 32,), "one", "", "{}"))
        await sender.close()
        return result.status_code

    with listening(ca, "hook.example") as endpoint:
        assert asyncio.run(send(endpoint.port)) == 200


def test_a_host_that_takes_long_to_find_holds_nobody_else_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def look_up(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == "slow.example":
            release.wait(30)
        return [(None, None, None, "", ("1.1.1.1", 443))]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", look_up)

    async def look_both_up() -> list[str]:
        resolver = addresses.Resolver()
        slow = [asyncio.create_task(resolver("slow.example", 443)) for _ in range(8)]
        found = await resolver("quick.example", 443)
        assert not any(task.done() for task in slow)
        release.set()
        await asyncio.gather(*slow)
        return found

    assert asyncio.run(look_both_up()) == ["1.1.1.1"]


def test_slow_hosts_of_one_owner_leave_threads_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    release, asked = threading.Event(), []

    def look_up(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        if host.endswith("slow.example"):
            release.wait(30)
        return [(None, None, None, "", ("1.1.1.1", 443))]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(addresses, "_LOOK_UP_SECONDS", 0.05)

    async def ask(resolver: addresses.Resolver, owner: str, host: str) -> list[str]:
        addresses.asking_for.set(owner)
        return await resolver(host, 443)

    async def look_all_up() -> tuple[int, list[str]]:
        resolver = addresses.Resolver()
        slow = [asyncio.create_task(ask(resolver, "slow", f"{n}.slow.example")) for n in range(20)]
        done, waiting = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        assert all(isinstance(task.exception(), HostNotFound) for task in done)
        # given up, but their threads go on: no more of this owner are asked
        monkeypatch.setattr(addresses, "_LOOK_UP_SECONDS", 30)
        found = await asyncio.create_task(ask(resolver, "other", "quick.example"))
        count = len([host for host in asked if host != "quick.example"])
        release.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        return count, found

    assert asyncio.run(look_all_up()) == (addresses._LOOK_UPS_OF_OWNER, ["1.1.1.1"])
    assert len(asked) == 21


def test_with_all_threads_taken_nobody_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: release.wait(30) and [])
    monkeypatch.setattr(addresses, "_LOOK_UPS", 1)

    async def look_two_up() -> None:
        resolver = addresses.Resolver()
        slow = asyncio.create_task(resolver("slow.example", 443))
        await asyncio.sleep(0)
        try:
            with pytest.raises(addresses.ResolverBusy):
                await resolver("quick.example", 443)
        finally:
            release.set()
            await slow

    asyncio.run(look_two_up())
