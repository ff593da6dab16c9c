"""Registering by oneself, rising to a higher level, and leaving."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select, text

from contracts.actors import Actor
from contracts.errors import (
    InvalidInput,
    NotFound,
    NotPermitted,
    SessionEnded,
    SignInRefused,
    TooManyAttempts,
    UsernameTaken,
)
from services.identity import commands, queries, tables
from services.identity import store as identity_store
from services.identity.access_log.queries import list_entries
from services.identity.codes.domain import RESEND_AFTER
from services.identity.codes.queries import get_codes
from services.identity.codes.secrecy import CodeKeys
from services.identity.persons import leaving, own_data, raising, registration, store
from services.identity.persons.identifiers import EMAIL, ID_NUMBER, PHONE, Particulars, with_check_digit
from services.identity.persons.registration import LIFETIME, Secrets
from services.identity.persons.registry import Outcome
from services.identity.persons.tables import registrations
from services.identity.sealing import Seal
from tests.integration.identity_driver import COOKIE_KEY, PASSWORD, at_once, race

SENDER = Actor("notify", "notify", scopes=("codes",))
CLERK = Actor("carol", "hall", "hall", roles=("clerk",))
SECRETS = Secrets(Seal(COOKIE_KEY, "registrations"), CodeKeys(COOKIE_KEY), None)


def new_number() -> str:
    return with_check_digit(
        f"11010119{secrets.randbelow(90) + 10}0{secrets.randbelow(9) + 1}11{secrets.randbelow(900):03}"
    )


class Somebody:
    """On the way to an account, with a mailbox and a phone."""

    def __init__(self, driver):
        self.driver = driver
        self.secrets = replace(SECRETS, vault=driver.vault)
        self.email = f"{secrets.token_hex(6)}@example.org"
        self.phone = f"+86137{secrets.randbelow(10**8):08}"
        self.said = {
            "username": f"new-{secrets.token_hex(5)}",
            "password": PASSWORD + " " + secrets.token_hex(4),
            "name": "陈晓明",
            "id_number": new_number(),
        }
        self.secret = None

    def begin(self, **changes):
        asked = {"email": self.email, "phone": self.phone, "locale": "zh-Hant"} | changes
        with self.driver.database.transaction() as session:
            self.secret = registration.begin_registration(session, self.secrets, **asked, now=self.driver.now)
        return self

    def received(self):
        """What is on its way to the addresses, by kind."""
        with self.driver.database.transaction() as session:
            challenges = self.row(session).challenges
            codes = get_codes(session, SENDER, self.secrets.codes, list(challenges.values()), self.driver.now)
        return {kind: codes[each] for kind, each in challenges.items() if each in codes}

    def row(self, session):
        from services.identity.sealing import hash_secret

        return session.execute(
            select(registrations).where(registrations.c.secret_hash == hash_secret(self.secret))
        ).one()

    def prove(self, **codes):
        codes = codes or {kind: sent["code"] for kind, sent in self.received().items()}
        with self.driver.database.transaction() as session:
            return registration.prove_addresses(session, self.secrets, self.secret, codes, self.driver.now)

    def finish(self, **changes):
        return registration.finish_registration(
            self.driver.database, at_once, self.secrets, self.secret, self.said | changes, self.driver.now
        )

    def register(self):
        self.begin().prove()
        return self.finish()


@pytest.fixture
def somebody(driver):
    return Somebody(driver)


def actor_of(account):
    return Actor(account.subject, "web", scopes=("cases",))


def events_of(driver, subject):
    with driver.database.transaction() as session:
        rows = session.execute(
            text("SELECT body::json->>'type' FROM outbox WHERE subject = :s ORDER BY sequence"), {"s": subject}
        )
        return list(rows.scalars())


# Registering


def test_somebody_registers(driver, somebody):
    account = somebody.register()
    with driver.database.transaction() as session:
        particulars = store.open_particulars(session, driver.vault, account.subject)
        assert particulars == Particulars(somebody.said["id_number"], somebody.phone, somebody.email)
        assert set(store.list_confirmed(session, account.subject)) == {EMAIL, PHONE}
        assert store.find_by_id_number(session, driver.vault, particulars.id_number) is None, "it was only said"
        assert identity_store.get_account(session, account.subject).assurance == 1
    assert (account.locale, account.name) == ("zh-Hant", "陈晓明")
    assert events_of(driver, account.subject) == ["account.registered"]
    commands.sign_in(driver.database, at_once, somebody.said["username"], somebody.said["password"], "web", driver.now)
    with pytest.raises(NotFound):
        somebody.finish(username="again")


def test_both_addresses_are_sent_a_code_in_the_language(somebody):
    received = somebody.begin().received()
    assert (received[EMAIL]["kind"], received[EMAIL]["address"]) == ("mail", somebody.email)
    assert (received[PHONE]["kind"], received[PHONE]["address"]) == ("sms", somebody.phone)
    assert {sent["locale"] for sent in received.values()} == {"zh-Hant"}


def test_an_address_that_somebody_has_looks_like_any_other_and_its_holder_hears_of_it(driver, somebody):
    holder = somebody.register()
    other = Somebody(driver)
    other.email, other.phone = somebody.email.upper(), somebody.phone
    driver.after(minutes=1)
    other.begin()
    assert other.received() == {}
    assert events_of(driver, holder.subject) == ["account.registered", "account.details-claimed"]
    assert other.prove(email="123456", phone="123456") == []
    # and once a day is enough
    driver.after(minutes=1)
    Somebody(driver).begin(email=somebody.email)
    assert events_of(driver, holder.subject).count("account.details-claimed") == 1
    driver.after(days=1)
    Somebody(driver).begin(email=somebody.email)
    assert events_of(driver, holder.subject).count("account.details-claimed") == 2


def test_nobody_uses_up_the_codes_of_whose_address_it_is(driver, somebody):
    holder = somebody.register()
    for _ in range(12):
        driver.after(minutes=1)
        try:
            Somebody(driver).begin(email=somebody.email)
        except TooManyAttempts:
            break
    else:
        pytest.fail("there is no limit")
    from services.identity.codes.commands import issue_code
    from services.identity.codes.domain import Recipient

    with driver.database.transaction() as session:
        recipient = Recipient(somebody.email, "mail", holder.subject)
        assert issue_code(session, somebody.secrets.codes, recipient, "recovery", driver.now)


def test_without_both_codes_there_is_no_account(driver, somebody):
    somebody.begin()
    with pytest.raises(NotFound):
        somebody.finish()
    codes = {kind: sent["code"] for kind, sent in somebody.received().items()}
    assert somebody.prove(email=codes[EMAIL], phone="0") == [EMAIL]
    with pytest.raises(NotFound):
        somebody.finish()
    assert somebody.prove(email="000000", phone=codes[PHONE]) == [EMAIL, PHONE]
    driver.after(seconds=LIFETIME.total_seconds())
    with pytest.raises(NotFound):
        somebody.finish()


def test_a_code_of_one_registration_proves_nothing_in_another(driver, somebody):
    other = Somebody(driver).begin()
    codes = {kind: sent["code"] for kind, sent in somebody.begin().received().items()}
    assert other.prove(**codes) == []


def test_codes_are_sent_again_to_what_is_not_proved(driver, somebody):
    first = somebody.begin().received()
    somebody.prove(email=first[EMAIL]["code"])
    driver.now += RESEND_AFTER
    with driver.database.transaction() as session:
        registration.send_codes_again(session, somebody.secrets, somebody.secret, driver.now)
    again = somebody.received()
    assert set(again) == {PHONE}
    assert somebody.prove(phone=again[PHONE]["code"]) == [EMAIL, PHONE]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": ""}, "/email"),
        ({"email": "nowhere"}, "/email"),
        ({"phone": "123"}, "/phone"),
        ({"locale": "fr"}, "/locale"),
    ],
)
def test_what_is_no_address_is_told_and_nothing_is_sent(somebody, changes, pointer):
    with pytest.raises(InvalidInput) as refused:
        somebody.begin(**changes)
    assert [fault["pointer"] for fault in refused.value.faults] == [pointer]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id_number": ""}, "/id_number"),
        ({"id_number": "110101199003070012"}, "/id_number"),
        ({"name": " "}, "/name"),
        ({"name": "a\0"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"username": ""}, "/username"),
        ({"password": ""}, "/password"),
    ],
)
def test_what_is_wrong_at_the_last_step_can_be_put_right(somebody, changes, pointer):
    somebody.begin().prove()
    with pytest.raises(InvalidInput) as refused:
        somebody.finish(**changes)
    assert pointer in [fault["pointer"] for fault in refused.value.faults]
    assert somebody.finish()


def test_a_taken_name_can_be_put_right(driver, somebody):
    taken = driver.register().username
    somebody.begin().prove()
    with pytest.raises(UsernameTaken):
        somebody.finish(username=taken)
    assert somebody.finish()


def test_of_two_that_finish_at_once_one_makes_an_account(driver, somebody):
    somebody.begin().prove()

    def finish(username):
        try:
            return somebody.finish(username=username)
        except NotFound:
            return None

    names = [f"race-{secrets.token_hex(4)}" for _ in range(4)]
    made = [account for account in race(*(lambda n=n: finish(n) for n in names)) if account]
    assert len(made) == 1


def test_nothing_of_it_can_be_read_in_the_database(driver, somebody):
    somebody.begin()
    with driver.database.transaction() as session:
        dump = "\n".join(session.execute(text("SELECT r::text FROM registrations r")).scalars())
    for value in (somebody.email, somebody.phone, somebody.secret):
        assert value not in dump
        assert value.encode().hex() not in dump


def test_somebody_elses_number_registers_like_any_other(driver, somebody):
    account = somebody.register()
    at_counter(driver, account, somebody.said["id_number"])
    other = Somebody(driver)
    other.said["id_number"] = somebody.said["id_number"]
    assert other.register()
    with driver.database.transaction() as session:
        assert store.find_by_id_number(session, driver.vault, somebody.said["id_number"]) == account.subject


# The registry


class Register:
    def __init__(self, *outcomes):
        self.outcomes, self.asked = list(outcomes), []

    def check(self, name, id_number):
        self.asked.append((name, id_number))
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


def check(driver, account, register, said=None):
    return raising.check_registry(driver.database, driver.vault, register, actor_of(account), said, driver.now)


def level_of(driver, account):
    with driver.database.transaction() as session:
        shown = raising.get_assurance(session, driver.vault, actor_of(account))
    return shown["level"], [change["method"] for change in shown["changes"]]


def test_a_match_raises_the_level(driver, somebody):
    account, register = somebody.register(), Register(Outcome.MATCH)
    assert check(driver, account, register) == {"outcome": "match", "level": 2}
    assert register.asked == [("陈晓明", somebody.said["id_number"])]
    assert level_of(driver, account) == (2, ["registry"])
    with driver.database.transaction() as session:
        assert store.find_by_id_number(session, driver.vault, somebody.said["id_number"]) == account.subject
        shown = raising.get_assurance(session, driver.vault, actor_of(account))
    assert somebody.said["id_number"][6:14] not in str(shown)


@pytest.mark.parametrize("outcome", [Outcome.NO_MATCH, Outcome.UNAVAILABLE, Outcome.LIMITED])
def test_anything_else_raises_nothing(driver, somebody, outcome):
    account = somebody.register()
    assert check(driver, account, Register(outcome)) == {"outcome": str(outcome), "level": 1}
    assert level_of(driver, account) == (1, [])


def test_a_number_that_was_wrong_may_be_said_anew_until_it_is_confirmed(driver, somebody):
    account, right = somebody.register(), new_number()
    check(driver, account, Register(Outcome.NO_MATCH))
    register = Register(Outcome.MATCH)
    assert check(driver, account, register, right)["outcome"] == "match"
    check(driver, account, register, new_number())
    assert [number for _, number in register.asked] == [right, right]


def test_the_register_is_not_asked_without_end(driver, somebody):
    account, register = somebody.register(), Register(Outcome.NO_MATCH)
    for _ in range(5):
        check(driver, account, register)
    with pytest.raises(TooManyAttempts):
        check(driver, account, register)
    assert len(register.asked) == 5
    driver.after(days=1)
    assert check(driver, account, register)


def test_what_was_not_answered_does_not_count(driver, somebody):
    account, register = somebody.register(), Register(Outcome.UNAVAILABLE)
    for _ in range(8):
        check(driver, account, register)
    assert check(driver, account, Register(Outcome.MATCH))["level"] == 2


def test_a_number_that_is_another_persons_is_no_match_and_they_hear_of_it(driver, somebody):
    holder = somebody.register()
    check(driver, holder, Register(Outcome.MATCH))
    other = Somebody(driver)
    other.said["id_number"] = somebody.said["id_number"]
    account = other.register()
    assert check(driver, account, Register(Outcome.MATCH)) == {"outcome": "no-match", "level": 1}
    assert events_of(driver, holder.subject)[-1] == "account.details-claimed"


def test_of_two_accounts_that_confirm_one_number_at_once_one_gets_it(driver, somebody):
    first, other = somebody.register(), Somebody(driver)
    other.said["id_number"] = somebody.said["id_number"]
    second = other.register()
    outcomes = race(*(lambda a=a: check(driver, a, Register(Outcome.MATCH))["outcome"] for a in (first, second)))
    assert sorted(outcomes) == ["match", "no-match"]


@pytest.mark.parametrize(
    "actor", [Actor("", ""), Actor("dept", "dept"), Actor("s", "hall", act="carol"), Actor("unknown", "web")]
)
def test_only_a_person_for_themselves_has_an_account(driver, actor):
    with driver.database.transaction() as session:
        for ask in (raising.get_assurance, partial(own_data.get_personal_data, now=driver.now)):
            with pytest.raises(NotPermitted):
                ask(session, driver.vault, actor)
    with pytest.raises(NotPermitted):
        raising.check_registry(driver.database, driver.vault, Register(Outcome.MATCH), actor, None, driver.now)
    with pytest.raises(NotPermitted):
        leaving.close_account(driver.database, at_once, actor, PASSWORD, driver.now)


# The counter


def at_counter(driver, account, number, actor=CLERK):
    return raising.raise_at_counter(driver.database, driver.vault, actor, account.username, number, driver.now)


def test_a_clerk_who_has_seen_the_card_raises_to_the_third_level(driver):
    account, number = driver.register(), new_number()
    assert at_counter(driver, account, number) == {"name": "T***n", "level": 3}
    with driver.database.transaction() as session:
        assert store.find_by_id_number(session, driver.vault, number) == account.subject
        rise = store.list_levels(session, account.subject)[-1]
    assert (rise.level, rise.method, rise.by) == (3, "counter", "carol")
    assert at_counter(driver, account, number)["level"] == 3
    assert level_of(driver, account) == (3, ["counter"]), "once"


@pytest.mark.parametrize(
    "actor",
    [
        replace(CLERK, roles=()),
        replace(CLERK, roles=("officer",)),
        replace(CLERK, channel="web"),
        replace(CLERK, act="somebody"),
    ],
)
def test_nobody_but_a_clerk_at_the_hall_raises(driver, actor):
    with pytest.raises(NotPermitted):
        at_counter(driver, driver.register(), new_number(), actor)


def test_a_clerk_does_not_raise_what_cannot_be(driver):
    account, number, clerk = driver.register(), new_number(), driver.register(roles=("clerk",))
    with pytest.raises(InvalidInput):
        at_counter(driver, account, "110101199003070012")
    with pytest.raises(NotFound):
        at_counter(driver, replace(account, username="nobody-at-all"), number)
    with pytest.raises(NotFound):
        at_counter(driver, clerk, number, replace(CLERK, subject=clerk.subject))
    at_counter(driver, account, number)
    with pytest.raises(NotFound):
        at_counter(driver, account, new_number())
    with pytest.raises(InvalidInput):
        at_counter(driver, driver.register(), number)


def test_a_clerk_does_not_find_out_whose_a_number_is(driver):
    account, other = driver.register(), driver.register()
    clerk = replace(CLERK, subject=f"clerk-{account.subject}")
    taken = new_number()
    at_counter(driver, account, taken)
    # in turn: another number of one person, and a number that is somebody else's
    wrong = [(account, new_number(), NotFound), (other, taken, InvalidInput)] * 10
    for asked, number, refusal in wrong:
        with pytest.raises(refusal):
            at_counter(driver, asked, number, clerk)
    for asked, number in ((account, new_number()), (other, taken), (account, taken)):
        with pytest.raises(TooManyAttempts):
            at_counter(driver, asked, number, clerk)
    with driver.database.transaction() as session:
        looks = text("SELECT count(*) FROM access_log WHERE account = :a AND viewer = :c")
        assert session.execute(looks, {"a": account.subject, "c": clerk.subject}).scalar() >= 1, "refused, and seen"
        told = text("SELECT count(*) FROM outbox WHERE subject = :s AND routing_key LIKE 'account.details-claimed%'")
        assert session.execute(told, {"s": account.subject}).scalar() == 1, "whose number it is has heard of it"


# My data, and leaving


def test_everything_about_me_is_given_to_me_and_no_secret(driver, somebody):
    account = somebody.register()
    driver.account = account
    signed_in = commands.sign_in(
        driver.database, at_once, account.username, somebody.said["password"], "app", driver.now
    )
    with driver.database.transaction() as session:
        data = own_data.get_personal_data(session, driver.vault, actor_of(account), driver.now)
        mine = list_entries(session, actor_of(account), None, number=None, cursor=None, limit=None, now=driver.now)
    assert data["account"]["username"] == account.username
    assert {kind: each["value"] for kind, each in data["identifiers"].items()} == {
        ID_NUMBER: somebody.said["id_number"],
        PHONE: somebody.phone,
        EMAIL: somebody.email,
    }
    assert data["identifiers"][ID_NUMBER]["confirmed_at"] is None
    assert [each["channel"] for each in data["sessions"]] == ["app"]
    assert signed_in["session"] not in str(data)
    assert "argon2" not in str(data)
    assert [(entry["role"], entry["what"]) for entry in mine["items"]] == [("self", "export")]


def test_an_account_is_closed_and_what_identifies_it_is_gone(driver, somebody):
    account, password = somebody.register(), somebody.said["password"]
    at_counter(driver, account, somebody.said["id_number"])
    driver.session = commands.sign_in(driver.database, at_once, account.username, password, "web", driver.now)[
        "session"
    ]
    tokens = driver.tokens("web")
    with pytest.raises(SignInRefused):
        leaving.close_account(driver.database, at_once, actor_of(account), "wrong", driver.now)
    leaving.close_account(driver.database, at_once, actor_of(account), password, driver.now)
    assert events_of(driver, account.subject)[-1] == "account.closed"
    with pytest.raises(SignInRefused):
        commands.sign_in(driver.database, at_once, account.username, password, "web", driver.now)
    assert driver.refresh("web", tokens["refresh_token"]).status == 400
    assert driver.userinfo(tokens["access_token"]).status == 401
    with driver.database.transaction() as session:
        with pytest.raises(SessionEnded):
            queries.get_session(session, driver.session, driver.now)
        assert store.open_particulars(session, driver.vault, account.subject) == Particulars()
        assert (
            queries.get_contacts(
                session, driver.vault, Actor("notify", "notify", scopes=("contacts",)), [account.subject], driver.now
            )
            == {}
        )
        row = session.execute(
            text("SELECT a::text FROM accounts a WHERE subject = :s"), {"s": account.subject}
        ).scalar_one()
    for erased in (account.username, account.name, somebody.email):
        assert erased not in row
    with pytest.raises(NotPermitted):
        leaving.close_account(driver.database, at_once, actor_of(account), password, driver.now)
    # and the person may come again
    again = Somebody(driver)
    again.email, again.phone, again.said = somebody.email, somebody.phone, somebody.said
    driver.after(minutes=1)
    at_counter(driver, again.register(), somebody.said["id_number"])


def test_staff_do_not_close_their_accounts(driver):
    clerk = driver.register(roles=("clerk",))
    with pytest.raises(NotPermitted):
        leaving.close_account(driver.database, at_once, actor_of(clerk), PASSWORD, driver.now)


def test_every_table_that_holds_something_of_a_person_is_erased_or_kept_on_purpose():
    referring = {
        table.name
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if any(key.column is tables.accounts.c.subject for key in column.foreign_keys)
    }
    assert {"identifiers", "browser_sessions", "web_sessions", "token_families", "consents"} <= referring
    # what is not given out to the person is what only works for a while, or would help to guess
    assert referring - own_data.SHOWN == {
        "authorization_codes",
        "claim_notices",
        "client_sessions",
        "device_authorizations",
        "logout_notices",
        "pending_sign_ins",
        "presences",
        "recovery_attempts",
        "recovery_codes",
        "security_notice_addresses",
        "visits",
        "web_sessions",
    }
    assert {table.name for table in leaving.KEPT} == {"accounts", "assurance_changes", "logout_notices"}
