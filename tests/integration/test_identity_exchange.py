"""Token exchange at the hall (RFC 8693): a clerk acts for the citizen before them, and nobody acts for anybody else."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotFound, NotPermitted, TooManyAttempts
from services.identity import commands
from services.identity.codes.queries import get_codes
from services.identity.codes.secrecy import CodeKeys
from services.identity.domain import TOKEN_EXCHANGE
from services.identity.oauth import store as oauth_store
from services.identity.oauth.exchange import ACCESS_TOKEN
from services.identity.oauth.tokens import family_of
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars, with_check_digit
from services.identity.presence import commands as presence_commands
from services.identity.presence import tables
from services.identity.presence.domain import MOST_UNKNOWN, mask_name
from tests.integration.identity_driver import claims_of, race

STRANGER = with_check_digit("11010118900101999")


@pytest.fixture
def citizen(driver):
    """With an ID number that is confirmed: `id_number`."""
    citizen = driver.register()
    day = f"{1800 + secrets.randbelow(100)}0{1 + secrets.randbelow(9)}10"
    number = with_check_digit(f"110101{day}{secrets.randbelow(1000):03}")
    with driver.database.transaction() as transaction:
        persons.save(transaction, driver.vault, citizen.subject, Particulars(id_number=number), driver.now)
    driver.id_number = number
    return citizen


@pytest.fixture
def clerk(driver, citizen):
    """Signed in in this browser; `token` is the access token at the hall."""
    clerk = driver.register(roles=("clerk",))
    driver.sign_in(clerk, "hall")
    driver.token = driver.tokens("hall")["access_token"]
    return clerk


@pytest.fixture
def presence(driver, clerk):
    return driver.read_card(clerk, driver.id_number)["presence_token"]


def refused(reply, error="invalid_request"):
    assert (reply.status, reply.json["error"]) == (400, error), reply.text
    assert "access_token" not in reply.json


def introspected(driver, token):
    return driver.as_client("hall", "introspect", token=token).json


def test_a_clerk_acts_for_the_citizen_whose_card_was_read(driver, citizen, clerk, presence):
    reply = driver.exchange_token(driver.token, presence)
    assert reply.status == 200, reply.text
    answer = reply.json
    assert (answer["issued_token_type"], answer["token_type"], answer["scope"]) == (ACCESS_TOKEN, "Bearer", "cases")
    assert answer["expires_in"] <= 300
    assert not answer.keys() & {"refresh_token", "id_token"}
    claims = claims_of(answer["access_token"])
    assert (claims["sub"], claims["act"]) == (citizen.subject, {"sub": clerk.subject})
    assert (claims["channel"], claims["client_id"]) == ("hall", "hall")
    assert (claims["roles"], claims["department"], claims["acr"]) == ([], None, "3")


def test_introspection_shows_who_acts(driver, citizen, clerk, presence):
    told = introspected(driver, driver.exchange_token(driver.token, presence).json["access_token"])
    assert (told["active"], told["sub"], told["act"]) == (True, citizen.subject, {"sub": clerk.subject})


def test_it_ends_with_the_clerks_session(driver, presence):
    token = driver.exchange_token(driver.token, presence).json["access_token"]
    with driver.database.transaction() as transaction:
        oauth_store.revoke_family(transaction, family_of(claims_of(driver.token)), driver.now)
    assert introspected(driver, token) == {"active": False}


def test_it_can_be_revoked_alone(driver, presence):
    token = driver.exchange_token(driver.token, presence).json["access_token"]
    assert driver.as_client("hall", "revoke", token=token).status == 200
    assert introspected(driver, token) == {"active": False}
    assert introspected(driver, driver.token)["active"]


def test_it_is_over_after_five_minutes(driver, presence):
    token = driver.exchange_token(driver.token, presence).json["access_token"]
    driver.after(minutes=5)
    assert introspected(driver, token) == {"active": False}


def test_the_citizen_reads_in_their_log_who_spoke_for_them(driver, citizen, clerk, presence):
    driver.exchange_token(driver.token, presence)
    with driver.database.transaction() as transaction:
        row = text("SELECT viewer, role, what, purpose, channel FROM access_log WHERE account = :s ORDER BY what")
        noted = [tuple(entry) for entry in transaction.execute(row, {"s": citizen.subject})]
    assert noted == [
        (clerk.subject, "clerk", "identity", "counter", "hall"),
        (clerk.subject, "clerk", "look-up", "counter", "hall"),
    ]


def test_the_name_is_masked_and_the_secret_hashed(driver, citizen, clerk):
    proof = driver.read_card(clerk, driver.id_number)
    assert proof["name"] == mask_name(citizen.name) != citizen.name
    with driver.database.transaction() as transaction:
        assert proof["presence_token"] not in str(transaction.execute(select(tables.presences)).all())


@pytest.mark.parametrize(
    ("name", "masked"), [("陈晓明", "陈*明"), ("林雨", "林*"), ("王", "王*"), ("Anna Lee", "A***e")]
)
def test_masked_names(name, masked):
    assert mask_name(name) == masked


def test_what_is_over_is_removed(driver, presence):
    driver.after(minutes=3)
    with driver.database.transaction() as transaction:
        commands.remove_expired(transaction, driver.now)
        assert transaction.execute(select(tables.presences)).first() is None


# Attacks


def test_without_an_actor_there_is_no_token(driver, presence):
    for changes in ({"actor_token": None}, {"actor_token": ""}, {"actor_token_type": None}):
        refused(driver.exchange_token(**{"actor_token": driver.token, "subject_token": presence} | changes))
    refused(driver.exchange_token(None, presence, actor_token_type=None))
    # and the proof is still good
    assert driver.exchange_token(driver.token, presence).status == 200


def test_an_actor_that_is_none(driver, presence):
    header, payload, signature = driver.token.split(".")
    forged = f"{header}.{payload}.{signature[:-8]}{'A' * 8}"
    for token in ("x", forged, presence):
        refused(driver.exchange_token(token, presence))


def test_an_expired_actor(driver, clerk, presence):
    driver.after(minutes=11)
    proof = driver.read_card(clerk, driver.id_number)["presence_token"]
    refused(driver.exchange_token(driver.token, proof))


def test_a_revoked_actor(driver, presence):
    driver.as_client("hall", "revoke", token=driver.token)
    refused(driver.exchange_token(driver.token, presence))


def test_a_citizen_is_no_actor(driver, citizen, presence):
    driver.sign_in(citizen, "hall")
    refused(driver.exchange_token(driver.tokens("hall")["access_token"], presence))


def test_a_clerk_who_is_none_any_more(driver, clerk, presence):
    with driver.database.transaction() as transaction:
        transaction.execute(text("UPDATE accounts SET roles = '{}' WHERE subject = :s"), {"s": clerk.subject})
    refused(driver.exchange_token(driver.token, presence))


def test_a_token_of_another_client_is_no_actor(driver, presence):
    refused(driver.exchange_token(driver.tokens("web")["access_token"], presence))


def test_an_id_token_is_no_actor(driver, presence):
    refused(driver.exchange_token(driver.tokens("hall")["id_token"], presence))


def test_a_programs_token_is_no_actor(driver, presence):
    client = driver.add_client(grants=("client_credentials", TOKEN_EXCHANGE), scopes=("cases",))
    token = driver.as_client(client.id, "token", grant_type="client_credentials").json["access_token"]
    refused(driver.exchange_token(token, presence, client=client.id))


def test_who_acts_for_somebody_cannot_act_on(driver, clerk, presence):
    acting = driver.exchange_token(driver.token, presence).json["access_token"]
    proof = driver.read_card(clerk, driver.id_number)["presence_token"]
    refused(driver.exchange_token(acting, proof))
    refused(driver.exchange_token(driver.token, acting))
    refused(driver.exchange_token(driver.token, acting, subject_token_type=ACCESS_TOKEN))


def test_a_citizens_token_is_no_presence(driver, citizen, clerk):
    token = driver.token
    driver.sign_in(citizen)
    own = driver.tokens("web")["access_token"]
    for kind in ("urn:onehall:params:oauth:token-type:presence", ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"):
        refused(driver.exchange_token(token, own, subject_token_type=kind))


def test_a_proof_works_once(driver, presence):
    assert driver.exchange_token(driver.token, presence).status == 200
    refused(driver.exchange_token(driver.token, presence))


def test_of_two_exchanges_at_once_one_wins(driver, presence):
    replies = race(*[lambda: driver.exchange_token(driver.token, presence)] * 4)
    assert sorted(reply.status for reply in replies) == [200, 400, 400, 400]


def test_a_proof_expires(driver, presence):
    driver.after(minutes=2)
    refused(driver.exchange_token(driver.token, presence))


def test_another_clerk_cannot_use_it(driver, presence):
    driver.sign_in(driver.register(roles=("clerk",)), "hall")
    refused(driver.exchange_token(driver.tokens("hall")["access_token"], presence))
    assert driver.exchange_token(driver.token, presence).status == 200


@pytest.mark.parametrize("scope", ["openid", "cases profile", "cases events", "root", "cases offline_access"])
def test_the_scope_never_widens(driver, presence, scope):
    refused(driver.exchange_token(driver.token, presence, scope=scope), "invalid_scope")
    assert driver.exchange_token(driver.token, presence).json["scope"] == "cases"


def test_the_scope_is_within_the_actors(driver, presence):
    refused(driver.exchange_token(driver.tokens("hall", scope="openid")["access_token"], presence), "invalid_scope")


@pytest.mark.parametrize(
    "changes",
    [{"audience": "rabbitmq"}, {"audience": "web"}, {"resource": "urn:onehall:rabbitmq"}, {"resource": "urn:other"}],
)
def test_another_audience_is_refused(driver, presence, changes):
    refused(driver.exchange_token(driver.token, presence, **changes), "invalid_target")


def test_another_kind_of_token_is_not_issued(driver, presence):
    kind = "urn:ietf:params:oauth:token-type:refresh_token"
    refused(driver.exchange_token(driver.token, presence, requested_token_type=kind))


def test_other_clients_cannot_exchange(driver, presence):
    other = driver.add_client()
    token = driver.tokens(other.id)["access_token"]
    refused(driver.exchange_token(token, presence, client=other.id), "unauthorized_client")
    # those that may, but are not the hall's
    refused(driver.exchange_token(driver.tokens("web")["access_token"], presence, client="web"))
    other = driver.add_client(grants=("authorization_code", TOKEN_EXCHANGE))
    refused(driver.exchange_token(driver.tokens(other.id)["access_token"], presence, client=other.id))
    assert driver.call("token", {"grant_type": TOKEN_EXCHANGE, "client_id": "hall"}).status == 401


def test_a_program_without_a_secret_cannot_be_given_the_grant(driver):
    for changes in ({"secret_hash": None, "auth_methods": ("none",)}, {"subject_type": "pairwise"}):
        with pytest.raises(InvalidInput):
            driver.add_client(grants=("authorization_code", TOKEN_EXCHANGE), **changes)


# Reading a card


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ()},
        {"roles": ("officer",)},
        {"roles": ("operator", "auditor")},
        {"channel": "web"},
        {"channel": "kiosk"},
        {"act": "somebody"},
    ],
)
def test_only_a_clerk_at_the_hall_proves_presence(driver, clerk, changes):
    with pytest.raises(NotPermitted):
        driver.read_card(clerk, driver.id_number, **changes)


@pytest.mark.parametrize("number", ["", "110101", STRANGER[:-1] + "?", "1" * 500, None, 7, "' OR 1=1"])
def test_what_is_no_id_number(driver, clerk, number):
    with pytest.raises(InvalidInput):
        driver.read_card(clerk, number)


def test_a_number_that_was_only_said_is_nobodys(driver, clerk):
    somebody = driver.register()
    with driver.database.transaction() as transaction:
        persons.save(transaction, driver.vault, somebody.subject, Particulars(id_number=STRANGER))
    with pytest.raises(NotFound):
        driver.read_card(clerk, STRANGER)


def test_nobody_serves_themselves(driver, citizen):
    with driver.database.transaction() as transaction:
        roles = text("UPDATE accounts SET roles = '{clerk}' WHERE subject = :s")
        transaction.execute(roles, {"s": citizen.subject})
    with pytest.raises(NotFound):
        driver.read_card(citizen, driver.id_number, roles=("clerk",))


def test_numbers_cannot_be_tried_out(driver, clerk):
    def read():
        try:
            return driver.read_card(clerk, STRANGER)
        except (NotFound, TooManyAttempts) as error:
            return type(error)

    answers = race(*[read] * (MOST_UNKNOWN + 2))
    assert answers.count(NotFound) == MOST_UNKNOWN
    with pytest.raises(TooManyAttempts):
        driver.read_card(clerk, driver.id_number)
    driver.after(minutes=10)
    assert driver.read_card(clerk, driver.id_number)["presence_token"]


# A code from the phone


@pytest.fixture
def phone(driver, citizen):
    number = f"139{secrets.randbelow(10**8):08}"
    with driver.database.transaction() as transaction:
        persons.save(transaction, driver.vault, citizen.subject, Particulars(phone=f"+86{number}"), driver.now)
    return number


@pytest.fixture
def counter(driver, clerk):
    return Counter(driver, clerk)


class Counter:
    """What the clerk's program does with codes."""

    def __init__(self, driver, clerk):
        self.driver, self.keys = driver, CodeKeys(driver.cookie_key)
        self.actor = Actor(clerk.subject, "hall", "hall", clerk.roles)

    def send(self, phone):
        """The challenge, and the code, if one is sent."""
        driver, sender = self.driver, Actor("notify", "notify", scopes=("codes",))
        with driver.database.transaction() as session:
            arguments = (driver.vault, self.keys, self.actor, phone, driver.now)
            challenge = presence_commands.send_code(session, *arguments)["challenge"]
            sent = get_codes(session, sender, self.keys, [challenge], driver.now)
        return challenge, sent[challenge]["code"] if sent else None

    def prove(self, challenge, code, actor=None):
        driver, by = self.driver, actor or self.actor
        return presence_commands.prove_by_code(driver.database, self.keys, by, challenge, code, driver.now)


def test_a_clerk_acts_for_the_citizen_who_reads_out_the_code(driver, citizen, counter, phone):
    proof = counter.prove(*counter.send(phone))
    token = driver.exchange_token(driver.token, proof["presence_token"]).json["access_token"]
    assert claims_of(token)["sub"] == citizen.subject


def test_a_code_proves_presence_once_and_to_one_clerk(driver, counter, phone):
    challenge, code = counter.send(phone)
    other = replace(counter.actor, subject=driver.register(roles=("clerk",)).subject)
    with pytest.raises(InvalidInput):
        counter.prove(challenge, code, other)
    assert counter.prove(challenge, code)
    with pytest.raises(InvalidInput):
        counter.prove(challenge, code)


def test_guesses_of_a_code_are_counted(counter, phone):
    challenge, code = counter.send(phone)
    for guess in range(5):
        with pytest.raises(InvalidInput):
            counter.prove(challenge, f"{(int(code) + 1 + guess) % 10**6:06}")
    with pytest.raises(InvalidInput):
        counter.prove(challenge, code)


def test_a_phone_that_is_nobodys_is_not_told_apart(counter):
    challenge, code = counter.send(f"138{secrets.randbelow(10**8):08}")
    assert challenge
    assert code is None


def test_only_a_clerk_has_codes_sent(counter, phone):
    counter.actor = replace(counter.actor, roles=())
    with pytest.raises(NotPermitted):
        counter.send(phone)
    with pytest.raises(NotPermitted):
        counter.prove("x", "123456")
