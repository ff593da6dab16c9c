"""Clients are told that a session has ended (OpenID Connect Back-Channel Logout 1.0): what they hear, and how often."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from chassis.webhooks.addresses import Resolver
from chassis.webhooks.rules import DELAYS, Result
from chassis.webhooks.sender import Sender
from services.identity import commands
from services.identity.notices.commands import MOST_EACH, TAKEN_FOR
from services.identity.notices.sending import NoticeSender
from services.identity.oauth.logout_token import EVENT
from services.identity.sessions import commands as sessions
from services.identity.sessions.tables import logout_notices
from services.identity.tables import browser_sessions
from tests.integration.identity_driver import BASE, COOKIE_KEY, claims_of, header_of, race
from tests.processes import Failpoint, kill, running, wait_until

URI = "https://rp.example/logout?x=y"


class Recorder:
    """Answers for every client, by name; keeps the messages that were for it."""

    def __init__(self, **answers):
        self.answers = answers
        self.messages = []

    async def send(self, message):
        message.endpoint()
        self.messages.append(message)
        answer = self.answers.get(message.owner, 200)
        if isinstance(answer, Result):
            return answer
        return Result(datetime.now(UTC), 1, answer)

    def of(self, client):
        return [message for message in self.messages if message.owner == client]


@pytest.fixture
def driver(signed_in):
    yield signed_in
    with signed_in.database.transaction() as transaction:
        transaction.execute(logout_notices.delete())


def told(driver, **fields):
    """A client that is signed in and wants to hear of the end."""
    client = driver.add_client(backchannel_logout_uri=URI, **fields)
    return client, driver.tokens(client.id)


def sign_out(driver):
    with driver.database.transaction() as transaction:
        sessions.sign_out(transaction, driver.session, driver.now)


def send(driver, sender, now=None):
    notices = NoticeSender(driver.database, driver.issuer, sender, lambda: now or driver.now)
    return asyncio.run(notices.send_due())


def waiting(driver, client):
    with driver.database.transaction() as transaction:
        found = select(logout_notices).where(logout_notices.c.client_id == client)
        return transaction.execute(found).all()


# What they hear


@pytest.mark.parametrize("fields", [{}, {"id_token_alg": "RS256"}, {"subject_type": "pairwise"}])
def test_a_logout_token_says_which_session_of_whom_has_ended(driver, fields):
    client, tokens = told(driver, **fields)
    sign_out(driver)
    sender = Recorder()
    send(driver, sender)
    (message,) = sender.of(client.id)
    ((name, token),) = parse_qsl(message.body)
    assert (message.uri, name) == (URI, "logout_token")
    assert dict(message.headers(driver.now))["content-type"] == "application/x-www-form-urlencoded"
    head, said, identified = header_of(token), claims_of(token), claims_of(tokens["id_token"])
    assert (head["typ"], head["alg"]) == ("logout+jwt", client.id_token_alg)
    assert (said["iss"], said["aud"], said["events"]) == (BASE, client.id, {EVENT: {}})
    # the client's own names, as its ID token has them
    assert (said["sub"], said["sid"]) == (identified["sub"], identified["sid"])
    assert "nonce" not in said
    assert said["iat"] == int(driver.now.timestamp())
    assert 0 < said["exp"] - said["iat"] <= 120
    with driver.database.transaction() as transaction:
        keys = KeySet.import_key_set({"keys": [dict(key) for key in driver.issuer(transaction).keys.public]})
    assert jwt.decode(token, keys, [client.id_token_alg]).claims == said
    assert waiting(driver, client.id) == []


def test_it_opens_nothing_and_names_nobody_as_a_hint(driver):
    """Not taken for an access token or an ID token (RFC 8725, section 3.11)."""
    client, _ = told(driver)
    sign_out(driver)
    sender = Recorder()
    send(driver, sender)
    token = sender.of(client.id)[0].token
    assert driver.userinfo(token).status == 401
    assert driver.end_session(id_token_hint=token)["page"] == "error"


# Whom, and when


def end_all(driver, transaction):
    driver.after(hours=2)
    while sessions.end_expired(transaction, driver.now):
        pass


def end_one(driver, transaction):
    sid = transaction.execute(
        select(browser_sessions.c.sid).where(browser_sessions.c.subject == driver.account.subject)
    )
    sessions.end_session(transaction, driver.account.subject, sid.scalar_one(), driver.now)


WAYS = {
    "sign-out": lambda driver, transaction: sessions.sign_out(transaction, driver.session, driver.now),
    "from elsewhere": end_one,
    "time": end_all,
    "the app is ended": lambda driver, transaction: sessions.end_app(
        transaction, driver.account.subject, driver.client, driver.now
    ),
    **{
        reason.value: lambda driver, transaction, reason=reason: sessions.end_sessions(
            transaction, driver.account.subject, driver.now, reason=reason
        )
        for reason in sessions.Reason
        if reason.ends_all_access
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_a_session_ends_is_told(driver, way):
    client, _ = told(driver)
    driver.client = client.id
    with driver.database.transaction() as transaction:
        WAYS[way](driver, transaction)
    sender = Recorder()
    send(driver, sender)
    assert len(sender.of(client.id)) == 1


def test_another_person_in_the_same_browser_is_told(driver):
    client, _ = told(driver)
    driver.sign_in(driver.register())
    sender = Recorder()
    send(driver, sender)
    assert len(sender.of(client.id)) == 1


def test_a_client_that_is_disabled_hears_nothing(driver):
    client, _ = told(driver)
    sign_out(driver)
    with driver.database.transaction() as transaction:
        commands.disable_client(transaction, client.id)
    sender = Recorder()
    send(driver, sender)
    assert sender.of(client.id) == []


# How often


@pytest.mark.parametrize("status", [200, 204])
def test_a_client_that_has_signed_out_hears_it_once(driver, status):
    client, _ = told(driver)
    sign_out(driver)
    sender = Recorder(**{client.id: status})
    for _ in range(3):
        send(driver, sender)
        driver.after(hours=1)
    assert len(sender.of(client.id)) == 1


def test_a_client_that_refuses_the_token_is_not_asked_again(driver):
    client, _ = told(driver)
    sign_out(driver)
    sender = Recorder(**{client.id: 400})
    send(driver, sender)
    assert waiting(driver, client.id) == []


@pytest.mark.parametrize("answer", [500, 503, 404, 302, Result(datetime.now(UTC), 1, error="host-not-found")])
def test_whatever_else_is_tried_again_later_by_a_token_of_its_own(driver, answer):
    client, _ = told(driver)
    sign_out(driver)
    sender = Recorder(**{client.id: answer})
    send(driver, sender)
    send(driver, sender)
    assert len(sender.of(client.id)) == 1
    driver.after(seconds=DELAYS[0] * 1.2)
    send(driver, sender)
    first, second = (claims_of(message.token) for message in sender.of(client.id))
    assert first["jti"] != second["jti"]
    assert second["iat"] > first["iat"]


def test_it_is_tried_over_hours_and_then_given_up(driver):
    client, _ = told(driver)
    sign_out(driver)
    sender, began = Recorder(**{client.id: 500}), driver.now
    while waiting(driver, client.id):
        send(driver, sender)
        driver.now = max((notice.next_attempt_at for notice in waiting(driver, client.id)), default=driver.now)
    assert len(sender.of(client.id)) == len(DELAYS) + 1
    assert timedelta(hours=20) < driver.now - began < timedelta(hours=28)


def test_a_client_may_say_when_to_come_again(driver):
    client, _ = told(driver)
    sign_out(driver)
    sender = Recorder(**{client.id: Result(datetime.now(UTC), 1, 503, retry_after=900)})
    send(driver, sender)
    driver.after(seconds=899)
    send(driver, sender)
    assert len(sender.of(client.id)) == 1


def test_of_many_senders_at_once_one_tells_it(driver):
    clients = [told(driver)[0].id for _ in range(3)]
    sign_out(driver)
    senders = [Recorder() for _ in range(4)]
    race(*[lambda sender=sender: send(driver, sender) for sender in senders])
    assert sorted(message.owner for sender in senders for message in sender.messages) == sorted(clients)


def test_what_a_sender_took_with_it_into_death_is_told_by_another(driver):
    client, _ = told(driver)
    sign_out(driver)

    class Dying:
        async def send(self, message):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(driver, Dying())
    sender = Recorder()
    send(driver, sender)
    assert sender.of(client.id) == []
    driver.after(seconds=TAKEN_FOR.total_seconds() + 1)
    send(driver, sender)
    assert len(sender.of(client.id)) == 1


def test_a_client_that_does_not_answer_leaves_places_to_others(driver):
    slow = driver.add_client(backchannel_logout_uri=URI).id
    for _ in range(MOST_EACH + 2):
        driver.session = None
        driver.sign_in(driver.account)
        driver.tokens(slow)
    quick, _ = told(driver)
    with driver.database.transaction() as transaction:
        sessions.end_sessions(transaction, driver.account.subject, driver.now, reason=sessions.Reason.NOT_ME)
    sender = Recorder()
    send(driver, sender)
    assert len(sender.of(slow)) == MOST_EACH
    assert len(sender.of(quick.id)) == 1


# Where it goes


@pytest.mark.parametrize(
    "uri", ["https://127.0.0.1:9443/out", "http://127.0.0.1:9443/out", "https://localhost:9443/out"]
)
def test_nobody_reaches_our_own_network_by_it(driver, uri):
    """SSRF: the guard of webhooks, by the address that the name has when it is sent."""
    client = driver.add_client(backchannel_logout_uri=uri).id
    driver.tokens(client)
    sign_out(driver)
    results = []

    async def run():
        sender = Sender(Resolver(), (), None, 1.0)

        class Watched:
            async def send(self, message):
                results.append(await sender.send(message))
                return results[-1]

        await NoticeSender(driver.database, driver.issuer, Watched(), lambda: driver.now).send_due()
        await sender.close()

    asyncio.run(run())
    assert [result.error for result in results] == ["address-refused"]
    assert len(waiting(driver, client)) == 1


# The process


def own(webhook_settings):
    return webhook_settings | {"ONEHALL_COOKIE_KEY": COOKIE_KEY}


SENDER = ["services.identity.notices"]


def test_the_process_tells_a_client_over_tls_also_after_it_was_killed(webhook_settings, driver, endpoint, tmp_path):
    client = driver.add_client(backchannel_logout_uri=endpoint.url).id
    driver.tokens(client)
    failpoint = Failpoint("notices.sent", tmp_path)
    with running(SENDER, own(webhook_settings), **failpoint.environment) as process:
        sign_out(driver)
        failpoint.wait()
        kill(process)
    (request,) = endpoint.received
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert claims_of(dict(parse_qsl(request.body.decode()))["logout_token"])["aud"] == client
    (notice,) = waiting(driver, client)
    assert notice.next_attempt_at > datetime.now(UTC), "nobody else takes it at once"
    with driver.database.transaction() as transaction:
        transaction.execute(logout_notices.update().values(next_attempt_at=datetime.now(UTC)))
    with running(SENDER, own(webhook_settings)) as process:
        wait_until("the client is told", lambda: waiting(driver, client) == [])
        process.terminate()
        assert process.wait(30) == 0
    assert len(endpoint.received) == 2
