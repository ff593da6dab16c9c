"""The second step of a sign-in: each factor, and each way to get past it."""

import base64
import os
import secrets
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select, text

from chassis.resealing import reseal
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotFound, SessionEnded, SignInRefused, SignInTooOld, TooManyAttempts
from services.identity import commands
from services.identity import queries as identity_queries
from services.identity.codes.queries import get_codes
from services.identity.codes.tables import one_time_codes as codes
from services.identity.factors import enrolment, password_change, queries, second_step, store
from services.identity.factors.domain import STEP_ATTEMPTS
from services.identity.factors.means import PURPOSE
from services.identity.factors.tables import totp_factors
from services.identity.limits.domain import PASSWORD_AGAIN, SECOND_FACTOR
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars
from services.identity.sealed_columns import SEALED_COLUMNS
from services.identity.sealing import Seal
from tests.integration.identity_driver import COOKIE_KEY, PASSWORD, Driver, at_once, claims_of, race


class Owner:
    """Of an account with an authenticator app, signed in."""

    def __init__(self, driver):
        self.driver = driver
        self.generator, self.recovery_codes = self.set_up_app()

    def set_up_app(self):
        d = self.driver
        offer = self.call(enrolment.begin_totp)
        generator = pyotp.TOTP(offer["secret"])
        codes = self.call(enrolment.finish_totp, offer["sealed"], generator.at(d.now))
        d.after(seconds=30)
        return generator, codes

    def call(self, command, *arguments):
        d = self.driver
        with d.database.transaction() as transaction:
            return command(transaction, d.means, d.actor, d.session, *arguments, d.now)

    def renew_recovery_codes(self):
        d = self.driver
        with d.database.transaction() as transaction:
            return enrolment.renew_recovery_codes(transaction, d.actor, d.session, d.now)

    @property
    def code(self):
        return self.generator.at(self.driver.now)

    def begin(self):
        return self.driver.begin_sign_in(self.driver.account)

    def answer(self, pending, kind, given):
        d = self.driver
        return second_step.answer(d.database, d.means, pending, kind, given, d.now)

    def sign_in(self):
        self.driver.session = self.answer(self.begin(), "totp", self.code)["session"]
        self.driver.after(seconds=30)


@pytest.fixture
def owner(signed_in):
    return Owner(signed_in)


def refused(call, *arguments):
    with pytest.raises(SignInRefused):
        call(*arguments)


def test_a_password_alone_signs_in_who_has_no_second_factor(signed_in):
    assert claims_of(signed_in.tokens()["id_token"])["amr"] == ["pwd"]


def test_who_has_an_app_is_signed_in_by_its_code_and_the_tokens_say_so(owner):
    owner.sign_in()
    tokens = owner.driver.tokens()
    for token in (tokens["id_token"], tokens["access_token"]):
        assert claims_of(token)["amr"] == ["pwd", "otp", "mfa"]
    assert claims_of(tokens["id_token"])["acr"] == "2"


def test_without_the_code_there_is_no_session_and_the_old_one_stays(owner):
    before, pending = owner.driver.session, owner.begin()
    refused(owner.answer, pending, "totp", "000000")
    with owner.driver.database.transaction() as transaction:
        for secret in (before, pending):
            assert (secret == before) == is_session(transaction, secret, owner.driver.now)


def is_session(transaction, secret, now):
    try:
        return bool(identity_queries.get_session(transaction, secret, now))
    except SessionEnded:
        return False


def test_a_code_signs_in_once_also_in_the_next_step_of_time(owner):
    code = owner.code
    assert owner.answer(owner.begin(), "totp", code)["session"]
    refused(owner.answer, owner.begin(), "totp", code)
    owner.driver.after(seconds=30)
    refused(owner.answer, owner.begin(), "totp", code)


def test_two_sign_ins_that_race_with_one_code_give_one_session(owner):
    code, waiting = owner.code, [owner.begin(), owner.begin()]

    def attempt(pending):
        try:
            return owner.answer(pending, "totp", code)["session"]
        except SignInRefused:
            return None

    sessions = race(*(lambda pending=pending: attempt(pending) for pending in waiting))
    assert sum(session is not None for session in sessions) == 1


@pytest.mark.parametrize("steps", [-1, 1])
def test_a_clock_that_is_half_a_minute_off_does(owner, steps):
    owner.driver.after(minutes=5)
    code = owner.generator.at(owner.driver.now + timedelta(seconds=30 * steps))
    assert owner.answer(owner.begin(), "totp", code)["session"]


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_clock_that_is_a_minute_off_does_not(owner, steps):
    owner.driver.after(minutes=5)
    refused(owner.answer, owner.begin(), "totp", owner.generator.at(owner.driver.now + timedelta(seconds=30 * steps)))


def test_the_password_is_asked_anew_after_five_wrong_codes(owner):
    pending = owner.begin()
    for _ in range(STEP_ATTEMPTS):
        refused(owner.answer, pending, "totp", "000000")
    with pytest.raises(SessionEnded):
        owner.answer(pending, "totp", owner.code)


def test_guessing_goes_on_for_no_more_than_twenty_codes_however_many_sign_ins(owner):
    for _ in range(SECOND_FACTOR.burst // STEP_ATTEMPTS):
        pending = owner.begin()
        for _ in range(STEP_ATTEMPTS):
            refused(owner.answer, pending, "totp", "000000")
    refused(owner.answer, owner.begin(), "totp", owner.code)
    # the owner is let in by what nobody guesses
    assert owner.answer(owner.begin(), "recovery", owner.recovery_codes[0])["session"]
    owner.driver.after(seconds=SECOND_FACTOR.seconds)
    assert owner.answer(owner.begin(), "totp", owner.code)["session"]


def test_a_sign_in_waits_for_ten_minutes(owner):
    pending = owner.begin()
    owner.driver.after(minutes=10)
    with pytest.raises(SessionEnded):
        owner.answer(pending, "totp", owner.code)


@pytest.mark.parametrize("pending", ["", "guessed", "\x00"])
def test_a_state_that_is_not_of_this_browser_is_nobodys(owner, pending):
    with pytest.raises(SessionEnded):
        owner.answer(pending.replace("\x00", "x"), "totp", owner.code)


def test_a_waiting_sign_in_is_used_once(owner):
    pending = owner.begin()
    assert owner.answer(pending, "totp", owner.code)["session"]
    owner.driver.after(seconds=30)
    with pytest.raises(SessionEnded):
        owner.answer(pending, "totp", owner.code)


def test_a_recovery_code_is_good_once_however_it_is_typed(owner):
    assert len(set(owner.recovery_codes)) == 10
    typed = owner.recovery_codes[3].upper().replace("-", " ")
    assert owner.answer(owner.begin(), "recovery", typed)["session"]
    refused(owner.answer, owner.begin(), "recovery", owner.recovery_codes[3])


def test_two_sign_ins_that_race_with_one_recovery_code_give_one_session(owner):
    code, waiting = owner.recovery_codes[0], [owner.begin(), owner.begin()]

    def attempt(pending):
        try:
            return owner.answer(pending, "recovery", code)["session"]
        except SignInRefused:
            return None

    sessions = race(*(lambda pending=pending: attempt(pending) for pending in waiting))
    assert sum(session is not None for session in sessions) == 1


def test_a_recovery_code_of_somebody_else_is_worth_nothing(owner, driver):
    stranger = Driver(driver.database)
    stranger.account = stranger.register()
    stranger.sign_in(stranger.account)
    refused(owner.answer, owner.begin(), "recovery", Owner(stranger).recovery_codes[0])


def test_new_recovery_codes_end_the_old_ones(owner):
    owner.sign_in()
    renewed = owner.renew_recovery_codes()
    refused(owner.answer, owner.begin(), "recovery", owner.recovery_codes[0])
    assert owner.answer(owner.begin(), "recovery", renewed[0])["session"]


@pytest.mark.parametrize("kind", ["sms", "mail", "passkey", "pwd", ""])
def test_a_factor_that_the_account_has_not_chosen_lets_nobody_in(owner, kind):
    refused(owner.answer, owner.begin(), kind, owner.code)


@pytest.mark.parametrize(("kind", "amr"), [("mail", ["pwd", "otp", "mfa"]), ("sms", ["pwd", "otp", "sms", "mfa"])])
def test_codes_to_an_address_are_a_factor_once_it_has_been_proved(addressed, kind, amr):
    d = addressed
    assert len(enrol_address(d, kind)) == 10
    pending = d.begin_sign_in(d.account)
    refused(answer_code, d, pending, kind, "000000")
    d.after(minutes=1)
    given = send_code(d, pending, kind)
    refused(answer_code, d, pending, kind, "000000" if given != "000000" else "1")
    refused(answer_code, d, d.begin_sign_in(d.account), kind, given)
    d.session = answer_code(d, pending, kind, given)["session"]
    assert claims_of(d.tokens()["id_token"])["amr"] == amr


def test_a_code_to_the_phone_is_no_code_to_the_mail_address(addressed):
    d = addressed
    enrol_address(d, "sms")
    pending = d.begin_sign_in(d.account)
    d.after(minutes=1)
    given = send_code(d, pending, "sms")
    with pytest.raises(InvalidInput), d.database.transaction() as transaction:
        second_step.send_code(transaction, d.means, pending, "mail", d.now)
    refused(answer_code, d, pending, "mail", given)


def test_a_phone_is_sent_so_many_codes(addressed):
    d = addressed
    enrol_address(d, "sms")
    d.session = None
    pending = d.begin_sign_in(d.account)
    d.after(minutes=1)
    send_code(d, pending, "sms")
    for waiting in (pending, d.begin_sign_in(d.account)):
        with pytest.raises(TooManyAttempts):
            send_code(d, waiting, "sms")


@pytest.fixture
def addressed(signed_in):
    """With a phone as well, which a driver's account has not."""
    phone = Particulars(phone=f"+86137{secrets.randbelow(10**8):08}")
    with signed_in.database.transaction() as transaction:
        subject = signed_in.account.subject
        persons.save(transaction, signed_in.vault, subject, phone, confirmed_at=signed_in.now)
    return signed_in


def answer_code(d, pending, kind, given):
    return second_step.answer(d.database, d.means, pending, kind, given, d.now)


def send_code(d, pending, kind):
    with d.database.transaction() as transaction:
        second_step.send_code(transaction, d.means, pending, kind, d.now)
    return sent_code(d)


def enrol_address(d, kind):
    with d.database.transaction() as transaction:
        challenge = enrolment.begin_code_factor(transaction, d.means, d.actor, d.session, kind, d.now)
    with pytest.raises(InvalidInput):
        enrolment.finish_code_factor(d.database, d.means, d.actor, d.session, challenge, "12345", d.now)
    return enrolment.finish_code_factor(d.database, d.means, d.actor, d.session, challenge, sent_code(d), d.now)


def sent_code(d):
    """The latest one, as the program that sends it reads it."""
    sender = Actor("notify", "notify", scopes=("codes",))
    with d.database.transaction() as transaction:
        latest = select(codes.c.challenge).where(codes.c.subject == d.account.subject, codes.c.code.is_not(None))
        challenge = transaction.execute(latest.order_by(codes.c.issued_at.desc()).limit(1)).scalar_one()
        return get_codes(transaction, sender, d.means.codes, [challenge], d.now)[challenge]["code"]


# Changing how an account is proved


def test_the_secret_of_an_app_is_not_kept_in_the_clear(owner, signed_in):
    with signed_in.database.transaction() as transaction:
        kept = bytes(store.get_totp(transaction, signed_in.account.subject).secret)
    assert owner.generator.secret.encode() not in kept


def test_the_secret_of_an_app_is_sealed_anew_when_the_key_changes(owner, signed_in):
    d = signed_in
    new = base64.urlsafe_b64encode(os.urandom(32)).decode()
    [secrets_of_apps] = [column for column in SEALED_COLUMNS if column.table is totp_factors]
    assert reseal(d.database, secrets_of_apps, Seal(new, PURPOSE))[1] >= 1, "with that key alone nothing opens"
    sealed, _ = reseal(d.database, secrets_of_apps, Seal(new, PURPOSE, COOKIE_KEY))
    assert sealed >= 1
    by_the_new_key = replace(d.means, seal=Seal(new, PURPOSE))
    assert second_step.answer(d.database, by_the_new_key, owner.begin(), "totp", owner.code, d.now)["session"]
    assert reseal(d.database, secrets_of_apps, Seal(COOKIE_KEY, PURPOSE, new))[0] >= sealed, "and back"
    d.after(seconds=30)
    assert owner.answer(owner.begin(), "totp", owner.code)["session"]


def test_an_offer_for_another_account_or_an_old_one_sets_nothing_up(signed_in):
    d = signed_in
    with d.database.transaction() as transaction:
        offer = enrolment.begin_totp(transaction, d.means, d.actor, d.session, d.now)
    code = pyotp.TOTP(offer["secret"])
    d.account = d.register()
    d.sign_in(d.account)
    for later in (0, 16):
        d.after(minutes=later)
        d.sign_in(d.account)
        with pytest.raises(InvalidInput), d.database.transaction() as transaction:
            enrolment.finish_totp(transaction, d.means, d.actor, d.session, offer["sealed"], code.at(d.now), d.now)


def test_a_session_of_before_the_second_factor_changes_nothing_any_more(owner):
    with pytest.raises(SignInTooOld):
        owner.call(enrolment.begin_totp)
    with pytest.raises(SignInTooOld):
        owner.call(enrolment.remove_factor, "totp", None)
    owner.sign_in()
    owner.call(enrolment.remove_factor, "totp", None)
    owner.driver.sign_in(owner.driver.account)


def test_a_sign_in_of_a_while_ago_changes_nothing(owner):
    owner.sign_in()
    owner.driver.after(minutes=16)
    with pytest.raises(SignInTooOld):
        owner.call(enrolment.remove_factor, "totp", None)


def test_nobody_changes_anothers_account_nor_with_a_token_alone(owner):
    owner.sign_in()
    d = owner.driver
    other = d.register()
    for actor, session in ((Actor(other.subject, "web"), d.session), (d.actor, "guessed"), (d.actor, "")):
        with pytest.raises(SessionEnded), d.database.transaction() as transaction:
            enrolment.remove_factor(transaction, d.means, actor, session, "totp", None, d.now)
        with pytest.raises(SessionEnded), d.database.transaction() as transaction:
            queries.get_security(transaction, d.means, actor, session, d.now)


def test_what_is_not_there_cannot_be_removed(owner):
    owner.sign_in()
    for kind in ("passkey", "mail", "anything"):
        with pytest.raises(NotFound):
            owner.call(enrolment.remove_factor, kind, "x")


def test_every_change_is_told(owner):
    owner.sign_in()
    owner.call(enrolment.remove_factor, "totp", None)
    assert told(owner.driver) == ["totp-added", "totp-removed"]


def told(d):
    query = text("SELECT body::json->'data'->>'change' FROM outbox WHERE subject = :subject ORDER BY sequence")
    with d.database.transaction() as transaction:
        changes = transaction.execute(query, {"subject": d.account.subject}).scalars()
        return [change for change in changes if change]


# The password


def change(d, old, new):
    password_change.change_password(d.database, at_once, d.means, d.actor, d.session, old, new, d.now)


def test_a_new_password_signs_in_and_ends_every_other_session_and_token(signed_in):
    d = signed_in
    elsewhere, tokens = d.session, d.tokens()
    d.session = None
    d.sign_in(d.account)
    change(d, PASSWORD, "a better battery")
    with d.database.transaction() as transaction:
        assert is_session(transaction, d.session, d.now)
        assert not is_session(transaction, elsewhere, d.now)
    assert d.refresh("web", tokens["refresh_token"]).status == 400
    refused(d.sign_in, d.account)
    assert commands.sign_in(d.database, at_once, d.account.username, "a better battery", "web", d.now)["session"]
    assert told(d) == ["password-changed"]


@pytest.mark.parametrize("old", ["wrong horse", ""])
def test_the_old_password_is_asked_and_guessing_it_ends(signed_in, old):
    for _ in range(PASSWORD_AGAIN.burst):
        with pytest.raises(InvalidInput):
            change(signed_in, old, "a better battery")
    with pytest.raises(TooManyAttempts):
        change(signed_in, PASSWORD, "a better battery")
    signed_in.sign_in(signed_in.account)


def test_a_password_of_the_persons_own_name_is_refused(signed_in):
    with pytest.raises(InvalidInput) as fault:
        change(signed_in, PASSWORD, f"{signed_in.account.username}!")
    assert fault.value.faults[0]["value"] == "own"


# Staff


def test_staff_without_a_second_factor_set_one_up_before_they_get_a_session(driver):
    driver.account = driver.register(roles=("officer",), department="civil-affairs")
    pending = driver.begin_sign_in(driver.account, "production")
    with driver.database.transaction() as transaction:
        offer = enrolment.begin_required_totp(transaction, driver.means, pending, driver.now)
    code = pyotp.TOTP(offer["secret"]).at(driver.now)
    with pytest.raises(SessionEnded):
        second_step.answer(driver.database, driver.means, pending, "totp", code, driver.now)
    with pytest.raises(InvalidInput):
        enrolment.finish_required_totp(driver.database, driver.means, pending, offer["sealed"], "000000", driver.now)
    opened = enrolment.finish_required_totp(driver.database, driver.means, pending, offer["sealed"], code, driver.now)
    assert len(opened["recovery_codes"]) == 10
    driver.session = opened["session"]
    assert claims_of(driver.tokens()["access_token"])["roles"] == ["officer"]


def test_a_citizen_in_production_needs_none(driver):
    account = driver.register()
    signed_in = commands.sign_in(
        driver.database, at_once, account.username, PASSWORD, "web", driver.now, environment="production"
    )
    assert signed_in["session"]


def test_in_production_a_token_without_two_factors_carries_no_role(driver):
    driver.account = driver.register(roles=("officer",), department="civil-affairs")
    driver.sign_in(driver.account)
    driver.two_factors_for_staff = True
    claims = claims_of(driver.tokens()["access_token"])
    assert claims["roles"] == []
    assert claims["department"] is None
