"""Tokens of our provider at a real broker: what they open, and how the warden ends what has run out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pika
import pytest
from joserfc.jwk import ECKey
from pika.exceptions import ChannelClosedByBroker, ConnectionClosedByBroker, ProbableAuthenticationError

from chassis import broker
from contracts import topology
from deploy.local.platform import Platform
from services.identity.broker import Management
from services.identity.domain import Client
from services.identity.oauth.keys import ALGORITHM, SigningKeys
from services.identity.oauth.pairwise import Subjects
from services.identity.oauth.tokens import BrokerResource, Issuer, issue_broker_token, issue_client_token
from services.identity.persons.people import People
from services.identity.warden import Warden
from tests.processes import wait_until
from tests.provider import serving

PROGRAM = Client("program", "Program", scopes=("cases", "events"), department="civil-affairs")
HOSPITAL = Client("hospital", "Hospital", scopes=("cases", "events"), organisation="city-hospital")
MINE = topology.subscription_queue("civil-affairs", "warden")
THEIRS = topology.subscription_queue("civil-affairs-north", "warden")
HOSPITALS = topology.subscription_queue("city-hospital", "warden")
LONG = timedelta(minutes=5)
SHORT = timedelta(seconds=1)


class Keys:
    """The key address of the platform, which the broker reads when it meets a key that it does not know."""

    def __init__(self, port: int) -> None:
        self.rotate()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())

    def rotate(self) -> None:
        key = ECKey.generate_key("P-256")
        kid = key.thumbprint()
        public = key.as_dict(private=False) | {"kid": kid, "use": "sig", "alg": ALGORITHM}
        self.signing = SigningKeys({ALGORITHM: ECKey.import_key(key.as_pem(private=True), {"kid": kid})}, (public,))
        self.subjects = Subjects(None, None)
        self.people = People(None, None)

    @contextmanager
    def served(self) -> Iterator[Keys]:
        with serving(self._server):
            yield self

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keys = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"keys": keys.signing.public}).encode()
                self.send_response(200 if self.path == "/oauth/jwks" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture(scope="module")
def keys(servers: Platform) -> Iterator[Keys]:
    with Keys(servers.ports["gateway"]).served() as keys:
        yield keys


@pytest.fixture(scope="module", autouse=True)
def queues(amqp_uri: str) -> Iterator[None]:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
    made = (MINE, THEIRS, HOSPITALS)
    broker.declare(connection.channel(), made)
    yield
    for queue in made:
        for name in queue.parts:
            connection.channel().queue_delete(name)
        connection.channel().exchange_delete(queue.back)
    connection.close()


@pytest.fixture
def token(servers: Platform, keys: Keys) -> Callable[..., str]:
    def token(client: Client, lifetime: timedelta = LONG) -> str:
        issuer = Issuer(
            servers.environment["ONEHALL_BASE_URL"],
            keys.signing,
            keys.subjects,
            BrokerResource("/", lifetime),
            people=keys.people,
        )
        return str(issue_broker_token(issuer, client, datetime.now(UTC))["access_token"])

    return token


@pytest.fixture
def connect(servers: Platform) -> Iterator[Callable[[str], Any]]:
    opened = []

    def connect(token: str) -> Any:
        account = pika.PlainCredentials("", token)
        connection = pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", servers.ports["broker"], "/", account)
        )
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        if connection.is_open:
            connection.close()


@pytest.fixture
def management(servers: Platform) -> Iterator[Management]:
    with closing(Management(servers.environment["ONEHALL_BROKER_MANAGEMENT_URL"], "/")) as management:
        yield management


def consume(connection: Any, queue: topology.Queue) -> tuple[Any, str]:
    channel = connection.channel()
    return channel, channel.basic_consume(queue.name, lambda *_: None)


def closed(connection: Any) -> str | None:
    """Why the broker has closed it; None while it is open."""
    try:
        connection.process_data_events(0)
    except ConnectionClosedByBroker as error:
        return str(error.reply_text)
    return None


def test_a_refused_account_stands_in_no_error(servers: Platform) -> None:
    address = urlsplit(servers.environment["ONEHALL_BROKER_MANAGEMENT_URL"])
    url = f"http://identity:wr0ng-password@{address.hostname}:{address.port}"
    with closing(Management(url, "/")) as management, pytest.raises(httpx2.HTTPStatusError) as caught:
        management.connections()
    assert "wr0ng" not in repr(caught.value) + str(caught.value)


# What a token opens


@pytest.mark.parametrize(
    ("client", "own", "other"), [(PROGRAM, MINE, THEIRS), (PROGRAM, MINE, HOSPITALS), (HOSPITAL, HOSPITALS, MINE)]
)
def test_a_token_opens_the_owners_queues_only(
    client: Client, own: topology.Queue, other: topology.Queue, token: Callable[..., str], connect: Callable[[str], Any]
) -> None:
    connection = connect(token(client))
    consume(connection, own)
    with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
        consume(connection, other)


@pytest.mark.parametrize(
    "act",
    [
        lambda channel: channel.basic_publish(MINE.back, MINE.name, b""),
        lambda channel: channel.basic_publish("", MINE.name, b""),
        lambda channel: channel.basic_publish("cases.events", "case.submitted", b""),
        lambda channel: channel.basic_publish("nameko-rpc", "identity.sign_in", b""),
        lambda channel: channel.queue_declare("dept.civil-affairs.another"),
        lambda channel: channel.queue_delete(MINE.name),
        lambda channel: channel.queue_bind(MINE.name, "cases.events", "#"),
        lambda channel: channel.basic_consume("notify.cases", print),
    ],
)
def test_a_token_opens_reading_only(act: Any, token: Callable[..., str], connect: Callable[[str], Any]) -> None:
    channel = connect(token(PROGRAM)).channel()
    channel.confirm_delivery()
    with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
        act(channel)


def test_a_token_for_the_api_or_an_old_one_opens_nothing(
    servers: Platform, keys: Keys, token: Callable[..., str], connect: Callable[[str], Any]
) -> None:
    issuer = Issuer(servers.environment["ONEHALL_BASE_URL"], keys.signing, keys.subjects, people=keys.people)
    for_the_api = issue_client_token(issuer, PROGRAM, "cases events", datetime.now(UTC))["access_token"]
    for refused in (for_the_api, token(PROGRAM, -SHORT), "", "no token"):
        with pytest.raises(ProbableAuthenticationError):
            connect(refused)


def test_a_new_key_is_known_at_its_first_token(
    keys: Keys, token: Callable[..., str], connect: Callable[[str], Any]
) -> None:
    connect(token(PROGRAM))
    keys.rotate()
    assert connect(token(PROGRAM)).is_open


# What the warden ends


def test_an_expired_token_in_the_middle_of_a_stream_ends_the_connection(
    token: Callable[..., str], connect: Callable[[str], Any], management: Management
) -> None:
    warden = Warden(management, SHORT, "onehall")
    mine, theirs = connect(token(PROGRAM, SHORT)), connect(token(HOSPITAL))
    consume(mine, MINE)
    consume(theirs, HOSPITALS)

    def ended() -> str | None:
        warden.look([PROGRAM], datetime.now(UTC))
        return closed(mine)

    assert "the access token has expired and was not renewed" in str(wait_until("it is closed", ended))
    assert closed(theirs) is None


def test_a_renewed_token_and_a_new_consumer_keep_the_connection(
    token: Callable[..., str], connect: Callable[[str], Any], management: Management
) -> None:
    warden, begun = Warden(management, LONG, "onehall"), datetime.now(UTC)
    connection = connect(token(PROGRAM))
    channel, tag = consume(connection, MINE)
    wait_until("the consumer is seen", management.consumers)
    warden.look([PROGRAM], begun)

    connection.update_secret(token(PROGRAM), "renewal")
    channel.basic_cancel(tag)
    new = channel.basic_consume(MINE.name, lambda *_: None)
    wait_until("the new consumer is seen", lambda: new in {consumer.tag for consumer in management.consumers()})
    warden.look([PROGRAM], begun + LONG / 2)

    warden.look([PROGRAM], begun + LONG + LONG / 4)
    assert closed(connection) is None
    warden.look([PROGRAM], begun + 2 * LONG)
    assert wait_until("it is closed", lambda: closed(connection))


def test_the_broker_refuses_a_consumer_to_an_expired_token(
    token: Callable[..., str], connect: Callable[[str], Any]
) -> None:
    connection = connect(token(PROGRAM, SHORT))

    def refused() -> bool:
        try:
            channel, tag = consume(connection, MINE)
        except ChannelClosedByBroker as error:
            return "ACCESS_REFUSED" in str(error)
        channel.basic_cancel(tag)
        channel.close()
        return False

    wait_until("the expired token is refused", refused)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"is_disabled": True}, "the client is disabled"),
        ({"ends_at": datetime(2026, 1, 1, tzinfo=UTC)}, "the client's last day is over"),
    ],
)
def test_who_may_not_sign_in_any_more_is_closed_at_once(
    changed: dict[str, Any],
    reason: str,
    token: Callable[..., str],
    connect: Callable[[str], Any],
    management: Management,
) -> None:
    warden = Warden(management, LONG, "onehall")
    mine, theirs = connect(token(PROGRAM)), connect(token(HOSPITAL))
    ended = Client(PROGRAM.id, "Program", scopes=PROGRAM.scopes, department="civil-affairs", **changed)

    def look() -> str | None:
        warden.look([ended, HOSPITAL], datetime.now(UTC))
        return closed(mine)

    assert reason in str(wait_until("it is closed", look))
    assert closed(theirs) is None


def test_the_platforms_own_account_is_never_a_clients(amqp_uri: str, management: Management) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
    namesake = Client("onehall", "Namesake", scopes=("events",), department="civil-affairs", is_disabled=True)
    wait_until("the connection is seen", lambda: "onehall" in {found.user for found in management.connections()})
    Warden(management, LONG, "onehall").look([namesake], datetime.now(UTC))
    connection.process_data_events(0)
    connection.close()


def test_a_broker_that_cannot_be_asked_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with closing(Management("http://user:password@127.0.0.1:1", "/")) as management, caplog.at_level(logging.INFO):
        warden = Warden(management, LONG, "onehall")
        for _ in range(3):
            warden.look([PROGRAM], datetime.now(UTC))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "password" not in caplog.text
