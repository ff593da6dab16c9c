"""Signing in to a real broker with tokens: renewed in place, waited for, refused. The provider is one that obeys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2
import pytest

from departments import AccessRefused, ClientCredentials, InvalidAddress, Subscriber, feed
from deploy.local.platform import Platform
from tests.integration.subscribing import Command, Department, Proxy, Queue, event, numbers, running
from tests.processes import wait_until
from tests.provider import Provider

SECRET = "the-clients-secret"


@pytest.fixture
def provider(amqp_uri: str) -> Iterator[Provider]:
    """Its client is a broker account of the same name, and its token that account's password."""
    account = urlsplit(amqp_uri)
    with Provider(str(account.username), SECRET, str(account.password)).running() as provider:
        yield provider


@pytest.fixture
def client(provider: Provider) -> ClientCredentials:
    return ClientCredentials(provider.issuer, provider.client_id, SECRET)


class Management:
    """What the broker's operators can see and do."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._http = httpx2.Client(base_url=address, auth=(str(parts.username), str(parts.password)))

    def consumers(self, queue: str) -> set[tuple[str, str]]:
        """(channel, consumer tag) of each consumer of `queue`."""
        found = self._http.get("/api/consumers/%2F").raise_for_status().json()
        return {
            (consumer["channel_details"]["name"], consumer["consumer_tag"])
            for consumer in found
            # of one whose channel has just closed, the details are an empty list
            if consumer["queue"]["name"] == queue and consumer["channel_details"]
        }

    def close_reader(self, queue: str, reason: str) -> None:
        """End the connection that reads `queue`."""
        found = self._http.get("/api/connections").raise_for_status().json()
        name = next(
            connection["name"]
            for connection in found
            if connection["client_properties"].get("connection_name") == f"onehall-subscribe {queue}"
        )
        self._http.delete(f"/api/connections/{quote(name, safe='')}", headers={"X-Reason": reason}).raise_for_status()

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def management(servers: Platform) -> Iterator[Management]:
    management = Management(servers.environment["ONEHALL_BROKER_MANAGEMENT_URL"])
    yield management
    management.close()


def without_account(amqp_uri: str) -> str:
    parts = urlsplit(amqp_uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def test_a_client_signs_in_with_a_token(amqp_uri: str, queue: Queue, client: ClientCredentials) -> None:
    queue.put(event(0))
    department = Department()
    with running(Subscriber(without_account(amqp_uri), queue.name, credentials=client), department):
        wait_until("it is handled", lambda: department.handled == ["N-0"])


def test_a_token_is_renewed_again_and_again_and_no_event_moves(
    queue: Queue, proxy: Proxy, provider: Provider, client: ClientCredentials
) -> None:
    provider.lifetime = 1
    department = Department()
    with running(Subscriber(without_account(proxy.uri), queue.name, prefetch=10, credentials=client), department):
        for batch in range(5):
            queue.put(*(event(number) for number in range(batch * 100, batch * 100 + 100)))
            issued = provider.issued
            wait_until("a new token", lambda issued=issued: provider.issued > issued)  # type: ignore[misc]
        wait_until("all are handled", lambda: len(department.handled) == 500)
    assert department.attempts == numbers(500)
    assert proxy.connections == 1
    assert queue.count() == 0


def test_each_token_is_proved_by_a_new_consumer_of_the_same_channel(
    amqp_uri: str, queue: Queue, provider: Provider, client: ClientCredentials, management: Management
) -> None:
    provider.lifetime = 1
    seen: list[set[tuple[str, str]]] = []

    def look() -> bool:
        consumers = management.consumers(queue.name)
        if len(consumers) > 1 and consumers not in seen:
            seen.append(consumers)
        return len(seen) == 2

    with running(Subscriber(without_account(amqp_uri), queue.name, credentials=client), Department()):
        wait_until("the reader with one proof, and then with another", look)
    assert len(seen[0] & seen[1]) == 1, "the reader stays"
    assert len({channel for consumers in seen for channel, _ in consumers}) == 1


def test_a_handler_that_takes_longer_than_a_token_keeps_its_event(
    queue: Queue, proxy: Proxy, provider: Provider, client: ClientCredentials
) -> None:
    provider.lifetime = 1
    queue.put(event(0), event(1))
    department = Department()

    def handle(envelope):  # type: ignore[no-untyped-def]
        issued = provider.issued
        wait_until("two more tokens", lambda: provider.issued > issued + 1)
        department(envelope)

    with running(Subscriber(without_account(proxy.uri), queue.name, credentials=client), handle):
        wait_until("both are handled", lambda: len(department.handled) == 2)
    assert department.handled == ["N-0", "N-1"]
    assert proxy.connections == 1


def test_a_provider_that_is_away_is_waited_for_until_the_token_ends_and_longer(
    queue: Queue, proxy: Proxy, provider: Provider, client: ClientCredentials, caplog: pytest.LogCaptureFixture
) -> None:
    provider.lifetime = 2
    department = Department()
    with running(Subscriber(without_account(proxy.uri), queue.name, credentials=client), department):
        wait_until("the reader reads", lambda: queue.readers() == 1)
        provider.be_away()
        wait_until("the first renewal failed", lambda: "trying again until the access token ends" in caplog.text)
        queue.put(event(0))
        wait_until("it is handled meanwhile", lambda: department.handled == ["N-0"])
        wait_until("the token has ended", lambda: "the access token has ended" in caplog.text)
        queue.put(event(1))
        provider.come_back()
        wait_until("what came meanwhile is handled", lambda: department.handled == ["N-0", "N-1"])
    assert proxy.connections == 2


def test_a_connection_that_the_platform_closes_is_made_again_with_a_new_token(
    amqp_uri: str,
    queue: Queue,
    provider: Provider,
    client: ClientCredentials,
    management: Management,
    caplog: pytest.LogCaptureFixture,
) -> None:
    department = Department()
    with running(Subscriber(without_account(amqp_uri), queue.name, credentials=client), department):
        wait_until("the broker knows the reader", lambda: management.consumers(queue.name))
        management.close_reader(queue.name, "the access token has ended")
        wait_until("another token", lambda: provider.issued == 2)
        queue.put(event(0))
        wait_until("it is handled", lambda: department.handled == ["N-0"])
    lines = [record.getMessage() for record in caplog.records if record.name == "departments.feed"]
    assert lines == [
        f"lost {queue.name} (CONNECTION_FORCED - the access token has ended); connecting again",
        f"reading {queue.name}",
    ]


def test_a_client_that_is_disabled_while_it_runs_waits_and_says_so_once(
    amqp_uri: str,
    queue: Queue,
    provider: Provider,
    client: ClientCredentials,
    management: Management,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_REFUSED_SECONDS", (0.1,))
    department = Department()
    with running(Subscriber(without_account(amqp_uri), queue.name, credentials=client), department):
        wait_until("the broker knows the reader", lambda: management.consumers(queue.name))
        provider.refuse("invalid_client")
        management.close_reader(queue.name, "the client was disabled")
        wait_until("it was refused three times", lambda: len(provider.forms) == 4)
        provider.come_back()
        queue.put(event(0))
        wait_until("it is handled", lambda: department.handled == ["N-0"])
    assert caplog.text.count("ask the platform's operator whether it was disabled") == 1


def test_who_is_refused_at_the_start_is_told_so_at_once(
    amqp_uri: str, queue: Queue, provider: Provider, client: ClientCredentials
) -> None:
    address = without_account(amqp_uri)
    provider.token = "of another time"
    with pytest.raises(AccessRefused, match=r"the broker at .* refused 'onehall': ask the platform's operator"):
        Subscriber(address, queue.name, credentials=client).run(print)
    provider.refuse("invalid_scope")
    with pytest.raises(AccessRefused, match="for the scope 'events'"):
        Subscriber(address, queue.name, credentials=client).run(print)
    with pytest.raises(InvalidAddress, match="leave the account out"):
        Subscriber(amqp_uri, queue.name, credentials=client)


def test_the_command_signs_in(amqp_uri: str, queue: Queue, provider: Provider, tmp_path: Path) -> None:
    queue.put(event(0), event(1))
    arguments = ("--department", queue.department, "--issuer", provider.issuer, "--client-id", provider.client_id)
    address = without_account(amqp_uri)
    code, output, _ = Command(address, *arguments, "--count", "1", ONEHALL_CLIENT_SECRET=SECRET).end()
    assert (code, json.loads(output)["subject"]) == (0, "N-0")
    secret_file = tmp_path / "secret"
    secret_file.write_text(f"{SECRET}\n")
    code, output, _ = Command(address, *arguments, "--count", "1", "--client-secret-file", str(secret_file)).end()
    assert (code, json.loads(output)["subject"]) == (0, "N-1")


def test_the_command_says_what_is_missing(amqp_uri: str, provider: Provider) -> None:
    arguments = ("--department", "nobody", "--issuer", provider.issuer)
    address = without_account(amqp_uri)
    code, output, errors = Command(address, *arguments, "--client-id", "x", ONEHALL_CLIENT_SECRET="wrong").end()
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert "refused client 'x' (invalid_client)" in errors
    assert "wrong" not in errors
    code, _, errors = Command(address, *arguments, "--client-id", "x").end()
    assert (code, "set ONEHALL_CLIENT_SECRET" in errors) == (2, True)
    code, _, errors = Command(address, *arguments).end()
    assert (code, "belong together" in errors) == (2, True)
