"""What a department's program asks of the provider, and what it makes of the answers."""

import socket

import pytest

from departments import AccessRefused, ClientCredentials, InvalidAddress, ProviderUnreachable, Subscriber, credentials
from tests.provider import Provider

SECRET = "s3cret:+/%ü"


@pytest.fixture
def provider():
    with Provider("dept-civil-affairs", SECRET, "a-token").running() as provider:
        yield provider


@pytest.fixture
def client(provider):
    return ClientCredentials(provider.issuer, "dept-civil-affairs", SECRET)


def test_a_token_for_the_broker_is_asked_for_with_the_clients_secret(provider, client):
    token = client.fetch_token()
    assert (token.value, token.lifetime, token.has_ended) == ("a-token", 300, False)
    assert provider.forms == [
        {"grant_type": ["client_credentials"], "scope": ["events"], "resource": ["urn:onehall:rabbitmq"]}
    ]


def test_a_token_is_renewed_well_before_it_ends(client):
    assert 150 < client.fetch_token().renew_after < 250


def test_neither_secret_nor_token_shows(client):
    assert SECRET not in repr(client)
    assert "a-token" not in repr(client.fetch_token())


def test_a_wrong_secret_is_refused(provider):
    with pytest.raises(
        AccessRefused, match=r"'dept-civil-affairs' \(invalid_client\): check its name and secret"
    ) as why:
        ClientCredentials(provider.issuer, "dept-civil-affairs", "wrong-secret").fetch_token()
    assert "wrong-secret" not in str(why.value)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid_scope", "ask the platform's operator for the scope 'events'"),
        ("invalid_target", "of a department or an organisation"),
        ("unauthorized_client", "'client_credentials'"),
        ("another_error", "ask the platform's operator"),
        ("not\na code", "unreadable error"),
    ],
)
def test_a_refusal_says_what_to_do(provider, client, code, advice):
    provider.refuse(code)
    with pytest.raises(AccessRefused, match=advice) as why:
        client.fetch_token()
    assert "\n" not in str(why.value)


@pytest.mark.parametrize(
    "answer",
    [
        (503, {}),
        (500, b"<html>"),
        (307, {}),
        (200, b"[" * 60_000),
        (200, b"x" * 100_000),
        (200, {"access_token": "t", "token_type": "Bearer"}),
        (200, {"access_token": "", "expires_in": 300}),
        (200, {"access_token": "t", "expires_in": True}),
        (200, {"access_token": "t", "expires_in": "300"}),
        (200, []),
    ],
    ids=str,
)
def test_an_answer_without_a_token_is_a_provider_that_is_away(provider, client, answer):
    provider.answer = lambda *_: (answer[0], answer[1])
    with pytest.raises(ProviderUnreachable, match=provider.issuer):
        client.fetch_token()
    assert len(provider.forms) == 1, "the secret was sent once, and nowhere else"


def test_nobody_at_the_address(provider):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ProviderUnreachable, match=address):
        ClientCredentials(address, "a", "b").fetch_token()
    with pytest.raises(ProviderUnreachable, match="HTTP status 404"):
        ClientCredentials(f"{provider.issuer}/elsewhere", "a", "b").fetch_token()


def test_a_provider_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(credentials, "_WAIT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ProviderUnreachable, match="TimeoutError"):
            ClientCredentials(address, "a", "b").fetch_token()


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "http://127.0.0.1:1"}, {"issuer": None}, {"token_endpoint": "http://elsewhere.example/token"}],
    ids=str,
)
def test_the_secret_goes_to_nobody_but_the_provider(provider, client, discovery):
    provider.discovery = discovery
    with pytest.raises(InvalidAddress):
        client.fetch_token()
    assert provider.forms == []


@pytest.mark.parametrize(
    "issuer",
    ["", "hall.example", "http://hall.example", "ftp://hall.example", "https://a:b@hall.example", "https://hall.example?x",
     "https://hall.example:99999", "https://"],
)  # fmt: skip
def test_an_issuer_is_an_https_address(issuer):
    with pytest.raises(InvalidAddress, match="issuer"):
        ClientCredentials(issuer, "a", "b")


@pytest.mark.parametrize(
    "address", ["amqp://broker.hall.example:5672/", "amqp://10.0.0.7/", "amqp://localhost.example/"]
)
def test_a_token_never_goes_to_a_broker_in_the_clear(client, address):
    with pytest.raises(InvalidAddress, match="must begin with amqps://"):
        Subscriber(address, "dept.civil-affairs.cases", credentials=client)


@pytest.mark.parametrize("address", ["amqps://broker.hall.example/", "amqp://127.0.0.1:5672/", "amqp://localhost/"])
def test_it_goes_over_tls_or_to_this_machine(client, address):
    Subscriber(address, "dept.civil-affairs.cases", credentials=client)
