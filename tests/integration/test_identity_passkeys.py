"""Passkeys: the ways in, and each way to get in with one that is not right."""

import json
import secrets
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from chassis import context
from contracts.errors import InvalidInput, NotFound, SessionEnded, SignInRefused, SignInTooOld, TooManyAttempts
from services.identity.browser_sessions import Browser
from services.identity.factors import enrolment, passkeys, required_passkey, store
from services.identity.factors.domain import MAX_PASSKEYS
from services.identity.limits.domain import PASSKEY_ADDRESS
from tests.authenticators import IS_COPIED, MAY_BE_COPIED, PRESENT, VERIFIED, Authenticator
from tests.integration.identity_driver import claims_of, race

HOST, ORIGIN = "hall.example", "https://hall.example"


class Owner:
    """Somebody in a browser of their own, with an authenticator."""

    def __init__(self, driver, **fields):
        self.driver = replace(driver, session=None)
        self.account = self.driver.account = self.driver.register(**fields)
        self.driver.sign_in(self.account)
        self.key = Authenticator(HOST, ORIGIN)
        self.environment = "local"

    @property
    def means(self):
        return replace(self.driver.means, base_url=ORIGIN, environment=self.environment)

    def in_transaction(self, command, *arguments):
        with self.driver.database.transaction() as transaction:
            return command(transaction, *arguments, self.driver.now)

    # Adding one

    def begin_adding(self):
        return self.in_transaction(passkeys.begin_registration, self.means, self.driver.actor, self.driver.session)

    def finish_adding(self, ceremony, credential, name="phone"):
        d = self.driver
        owner = (d.actor, d.session)
        return passkeys.finish_registration(d.database, self.means, *owner, ceremony, credential, name, d.now)

    def add(self, key=None):
        begun = self.begin_adding()
        return self.finish_adding(begun["ceremony"], (key or self.key).create(begun["options"]))

    def remove(self, kind, which=None):
        who = (self.means, self.driver.actor, self.driver.session)
        self.in_transaction(enrolment.remove_factor, *who, kind, which)

    @property
    def kept(self):
        with self.driver.database.transaction() as transaction:
            return store.list_passkeys(transaction, self.account.subject)

    # Signing in

    def begin(self, pending=None):
        return self.in_transaction(passkeys.begin_sign_in, self.means, pending)

    def finish(self, ceremony, credential, pending=None):
        d, here = self.driver, Browser("web")
        return passkeys.finish_sign_in(d.database, self.means, ceremony, credential, here, d.now, pending=pending)

    def give_password(self):
        return self.driver.begin_sign_in(self.account)

    def sign_in(self, pending=None, **forged):
        begun = self.begin(pending)
        self.driver.session = self.finish(begun["ceremony"], self.key.get(begun["options"], **forged), pending)[
            "session"
        ]

    def amr(self):
        return claims_of(self.driver.tokens()["id_token"])["amr"]


@pytest.fixture
def owner(driver):
    owner = Owner(driver)
    owner.codes = owner.add()
    owner.sign_in()
    return owner


@pytest.fixture
def other(driver):
    other = Owner(driver)
    other.add()
    other.sign_in()
    return other


def refused(call, *arguments, **how):
    with pytest.raises(SignInRefused):
        call(*arguments, **how)


def test_a_passkey_alone_signs_in_with_two_factors(owner):
    assert len(owner.codes) == 10
    tokens = owner.driver.tokens()
    for token in (tokens["id_token"], tokens["access_token"]):
        assert claims_of(token)["amr"] == ["hwk", "user", "mfa"]
    assert claims_of(tokens["id_token"])["acr"] == "2"


def test_a_key_that_is_copied_between_devices_is_software(driver):
    owner = Owner(driver)
    owner.key.flags |= MAY_BE_COPIED | IS_COPIED
    owner.add()
    owner.sign_in()
    assert owner.amr() == ["swk", "user", "mfa"]


def test_a_passkey_is_the_second_step_after_the_password(owner):
    owner.sign_in(owner.give_password())
    assert owner.amr() == ["pwd", "hwk", "user", "mfa"]


def test_what_is_asked_of_the_authenticator(owner, other):
    asked = json.loads(owner.begin_adding()["options"])
    assert (asked["rp"]["id"], asked["attestation"]) == (HOST, "none")
    chosen = asked["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert [each["id"] for each in asked["excludeCredentials"]] == [owner.kept[0].id]
    of_anybody = json.loads(owner.begin()["options"])
    assert (of_anybody["rpId"], of_anybody["userVerification"]) == (HOST, "required")
    assert of_anybody.get("allowCredentials", []) == [], "nobody is told whose keys there are"
    of_owner = json.loads(owner.begin(owner.give_password())["options"])
    assert [each["id"] for each in of_owner["allowCredentials"]] == [owner.kept[0].id]


# Answers that are not right

NOT_RIGHT = {
    "another site's page": {"origin": "https://hall.example.evil.example"},
    "our page over http": {"origin": "http://hall.example"},
    "another port": {"origin": "https://hall.example:8443"},
    "a key for another site": {"rp_id": "evil.example"},
    "a key for a parent of the host": {"rp_id": "example"},
    "nobody has unlocked it": {"flags": PRESENT},
    "nobody was there": {"flags": VERIFIED},
    "another challenge": {"challenge": "bm90LXRoZS1jaGFsbGVuZ2U"},
    "no challenge": {"challenge": ""},
    "made for a registration": {"type": "webauthn.create"},
    "another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "another person": {"user": b"somebody-else"},
}


@pytest.mark.parametrize("forged", NOT_RIGHT.values(), ids=NOT_RIGHT)
@pytest.mark.parametrize("is_second", [False, True], ids=["alone", "after the password"])
def test_an_answer_that_is_not_right_lets_nobody_in(owner, forged, is_second):
    pending = owner.give_password() if is_second else None
    before = owner.kept
    refused(owner.sign_in, pending, **forged)
    assert owner.kept == before
    owner.sign_in(pending)


def test_who_was_not_named_before_is_named_by_the_key(owner):
    refused(owner.sign_in, user=None)
    owner.sign_in(owner.give_password(), user=None)


@pytest.mark.parametrize("credential", ["", "{", "[]", "null", "1", '{"id": 1}', "[" * 100_000, "x" * 30_000])
def test_what_is_no_answer_lets_nobody_in(owner, credential):
    refused(owner.finish, owner.begin()["ceremony"], credential)
    with pytest.raises(InvalidInput):
        owner.finish_adding(owner.begin_adding()["ceremony"], credential)


def test_an_answer_is_good_once(owner):
    begun = owner.begin()
    given = owner.key.get(begun["options"])
    assert owner.finish(begun["ceremony"], given)["session"]
    refused(owner.finish, begun["ceremony"], given)
    refused(owner.finish, owner.begin()["ceremony"], given)


def test_a_wrong_answer_uses_the_challenge_up(owner):
    begun = owner.begin()
    refused(owner.finish, begun["ceremony"], owner.key.get(begun["options"], flags=PRESENT))
    refused(owner.finish, begun["ceremony"], owner.key.get(begun["options"]))


def test_of_two_at_once_with_one_challenge_one_is_let_in(owner):
    begun = owner.begin()
    given = owner.key.get(begun["options"])

    def attempt():
        try:
            return owner.finish(begun["ceremony"], given)["session"]
        except SignInRefused:
            return None

    assert sum(session is not None for session in race(attempt, attempt)) == 1


def test_a_challenge_is_good_for_five_minutes(owner):
    begun = owner.begin()
    owner.driver.after(minutes=5)
    refused(owner.finish, begun["ceremony"], owner.key.get(begun["options"]))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_counter_that_does_not_rise_is_a_copied_key(owner, count):
    owner.sign_in()
    refused(owner.sign_in, count=count)
    assert owner.kept[0].sign_count == 2
    owner.sign_in(count=9)


def changes_told(owner):
    said = text("SELECT change FROM security_notices WHERE subject = :s ORDER BY told_at")
    with owner.driver.database.transaction() as session:
        return list(session.execute(said, {"s": owner.account.subject}).scalars())


def test_the_owner_of_a_copied_key_is_told_once_a_day(owner):
    owner.sign_in()
    for _ in range(2):
        refused(owner.sign_in, count=1)
    assert changes_told(owner).count("passkey-copied") == 1
    owner.driver.after(days=1)
    refused(owner.sign_in, count=1)
    assert changes_told(owner).count("passkey-copied") == 2


def test_nobody_is_told_of_a_copy_by_who_has_not_the_key(owner, other):
    owner.sign_in()
    begun = owner.begin()
    forged = json.loads(other.key.get(begun["options"], count=1)) | {"id": owner.kept[0].id, "rawId": owner.kept[0].id}
    refused(owner.finish, begun["ceremony"], json.dumps(forged))
    assert "passkey-copied" not in changes_told(owner)


def test_a_key_that_counts_nothing_is_let_in(driver):
    owner = Owner(driver)
    owner.add()
    owner.sign_in(count=0)
    owner.sign_in(count=0)


def test_a_key_of_somebody_else_is_no_second_step(owner, other):
    pending = owner.give_password()
    begun = owner.begin(pending)
    for handle in (other.key.user, None):
        refused(owner.finish, begun["ceremony"], other.key.get(begun["options"], user=handle), pending)
        begun = owner.begin(pending)
    # nor does the other's way in open this one's
    alone = other.begin()
    refused(owner.finish, alone["ceremony"], other.key.get(alone["options"]), pending)


def test_a_challenge_of_one_account_is_none_of_another(owner, other):
    mine, theirs = owner.give_password(), other.give_password()
    begun = other.begin(theirs)
    refused(owner.finish, begun["ceremony"], owner.key.get(begun["options"]), mine)
    begun = owner.begin(mine)
    refused(owner.finish, begun["ceremony"], owner.key.get(begun["options"]))
    refused(owner.finish, begun["ceremony"], owner.key.get(begun["options"]), mine)


def test_a_key_that_was_removed_lets_nobody_in(owner):
    owner.remove("passkey", owner.kept[0].id)
    assert not owner.kept
    refused(owner.sign_in)


def test_one_address_asks_for_so_many_challenges(owner):
    token = context.address.set(f"2001:db8:{secrets.randbelow(60_000):x}::1")
    try:
        for _ in range(PASSKEY_ADDRESS.burst):
            owner.begin()
        with pytest.raises(TooManyAttempts):
            owner.begin()
    finally:
        context.address.reset(token)


# Adding one


@pytest.mark.parametrize(
    "forged",
    [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"flags": PRESENT}, {"challenge": "bm9uZQ"}],
    ids=["another site's page", "for another site", "nobody has unlocked it", "another challenge"],
)
def test_a_key_that_was_not_made_here_is_not_added(owner, forged):
    begun = owner.begin_adding()
    with pytest.raises(InvalidInput):
        owner.finish_adding(begun["ceremony"], Authenticator(HOST, ORIGIN).create(begun["options"], **forged))
    assert len(owner.kept) == 1


def test_a_challenge_adds_one_key_for_the_one_who_asked(owner, other):
    begun = owner.begin_adding()
    new = Authenticator(HOST, ORIGIN)
    with pytest.raises(InvalidInput):
        other.finish_adding(begun["ceremony"], new.create(begun["options"]))
    begun = owner.begin_adding()
    owner.finish_adding(begun["ceremony"], new.create(begun["options"]))
    with pytest.raises(InvalidInput):
        owner.finish_adding(begun["ceremony"], Authenticator(HOST, ORIGIN).create(begun["options"]))
    assert (len(owner.kept), len(other.kept)) == (2, 1)


def test_a_challenge_for_signing_in_adds_no_key(owner):
    begun, asked = owner.begin(), json.loads(owner.begin_adding()["options"])
    asked["challenge"] = json.loads(begun["options"])["challenge"]
    with pytest.raises(InvalidInput):
        owner.finish_adding(begun["ceremony"], Authenticator(HOST, ORIGIN).create(json.dumps(asked)))


def test_a_key_stays_its_owners(owner, other):
    other.key.id = owner.key.id
    with pytest.raises(InvalidInput):
        other.add()
    owner.sign_in()


def test_an_account_has_so_many_keys(owner):
    for _ in range(MAX_PASSKEYS - 1):
        assert owner.add(Authenticator(HOST, ORIGIN)) == [], "recovery codes are made once"
        owner.sign_in()
    with pytest.raises(InvalidInput):
        owner.begin_adding()


def test_adding_and_removing_one_needs_a_sign_in_of_just_now_with_two_factors(driver):
    owner = Owner(driver)
    owner.add()
    for use in (owner.begin_adding, lambda: owner.remove("passkey", owner.kept[0].id)):
        with pytest.raises(SignInTooOld):
            use()
    owner.sign_in()
    begun = owner.begin_adding()
    owner.driver.after(minutes=16)
    # between the challenge and the answer, too
    with pytest.raises(SignInTooOld):
        owner.add()
    with pytest.raises(SignInTooOld):
        owner.finish_adding(begun["ceremony"], Authenticator(HOST, ORIGIN).create(begun["options"]))


def test_nobody_removes_anothers(owner, other):
    with pytest.raises(NotFound):
        owner.remove("passkey", other.kept[0].id)
    assert other.kept


def test_there_are_none_for_an_address_without_a_host_name(signed_in):
    d = signed_in
    with pytest.raises(InvalidInput), d.database.transaction() as transaction:
        passkeys.begin_registration(transaction, d.means, d.actor, d.session, d.now)
    assert passkeys.relying_party("http://localhost:8000") == passkeys.RelyingParty(
        "localhost", "http://localhost:8000"
    )
    assert passkeys.relying_party("http://[::1]:8000") is None


# Staff


@pytest.fixture
def newcomer(driver):
    """An officer who has no second factor yet, outside a local run."""
    officer = Owner(driver, roles=("officer",), department="civil-affairs")
    officer.environment = "production"
    officer.pending = driver.begin_sign_in(officer.account, "production")
    return officer


def finish_required(newcomer, begun, credential):
    d, made = newcomer.driver, (begun["ceremony"], credential, "key")
    return required_passkey.finish(d.database, newcomer.means, newcomer.pending, *made, Browser("web"), d.now)


def test_staff_set_up_a_passkey_before_they_get_a_session(newcomer):
    begun = newcomer.in_transaction(required_passkey.begin, newcomer.means, newcomer.pending)
    opened = finish_required(newcomer, begun, newcomer.key.create(begun["options"]))
    assert len(opened["recovery_codes"]) == 10
    newcomer.driver.session = opened["session"]
    assert {"mfa", "pwd"} <= set(newcomer.amr())
    with pytest.raises(SessionEnded):
        newcomer.in_transaction(required_passkey.begin, newcomer.means, newcomer.pending)


@pytest.mark.parametrize("how", ["garbage", "another's ceremony", "a ceremony to sign in"])
def test_what_is_no_new_passkey_gives_no_session(newcomer, other, how):
    begun = newcomer.in_transaction(required_passkey.begin, newcomer.means, newcomer.pending)
    credential = newcomer.key.create(begun["options"])
    if how == "another's ceremony":
        begun = other.begin_adding()
        credential = newcomer.key.create(begun["options"])
    if how == "a ceremony to sign in":
        begun = newcomer.begin()
    with pytest.raises(InvalidInput):
        finish_required(newcomer, begun, "{}" if how == "garbage" else credential)
    assert newcomer.kept == []


def test_a_passkey_is_no_way_past_the_second_factor_that_there_is(owner):
    owner.pending = owner.give_password()
    with pytest.raises(SessionEnded):
        owner.in_transaction(required_passkey.begin, owner.means, owner.pending)


def test_staff_keep_one_second_factor(driver):
    officer = Owner(driver, roles=("officer",), department="civil-affairs")
    officer.add()
    officer.sign_in()
    officer.environment = "production"
    [only] = officer.kept
    with pytest.raises(InvalidInput) as fault:
        officer.remove("passkey", only.id)
    assert fault.value.faults[0]["rule"] == "lastFactor"
    assert officer.kept
    officer.add(Authenticator(HOST, ORIGIN))
    officer.sign_in()
    officer.remove("passkey", only.id)
    assert len(officer.kept) == 1


def test_of_two_removals_at_once_one_leaves_the_last_factor(driver):
    officer = Owner(driver, roles=("officer",), department="civil-affairs")
    officer.add()
    officer.sign_in()
    officer.add(Authenticator(HOST, ORIGIN))
    officer.environment = "production"

    def attempt(which):
        try:
            officer.remove("passkey", which)
        except InvalidInput:
            return False
        return True

    removed = race(*(lambda which=row.id: attempt(which) for row in officer.kept))
    assert sorted(removed) == [False, True]
    assert len(officer.kept) == 1
