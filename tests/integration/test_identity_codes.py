"""One-time codes: issued, checked, counted, and readable for nobody but who sends them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted, TooManyAttempts
from services.identity.codes import commands, domain, queries
from services.identity.codes import store as code_store
from services.identity.codes.domain import Proved, Recipient
from services.identity.codes.secrecy import CodeKeys
from services.identity.codes.tables import one_time_codes
from tests.integration.identity_driver import COOKIE_KEY, race

NOTIFY = Actor("notify", "notify", scopes=("codes",))


class Codes:
    """Issues and checks with the driver's clock."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.keys = CodeKeys(COOKIE_KEY)
        self.phone = f"+86138{secrets.randbelow(10**8):08}"

    def issue(self, recipient: Recipient | None = None, purpose: str = "sign-in") -> str:
        to = recipient or Recipient(self.phone, "sms")
        with self.driver.database.transaction() as session:
            return commands.issue_code(session, self.keys, to, purpose, self.driver.now)

    def check(self, challenge: str, code: str, purpose: str = "sign-in", keys: CodeKeys | None = None) -> Proved | None:
        with self.driver.database.transaction() as session:
            return commands.check_code(session, keys or self.keys, challenge, purpose, code, self.driver.now)

    def fetch(self, *challenges: str, actor: Actor = NOTIFY) -> dict[str, dict[str, Any]]:
        with self.driver.database.transaction() as session:
            return queries.get_codes(session, actor, self.keys, list(challenges), self.driver.now)

    def sent(self, challenge: str) -> str:
        return str(self.fetch(challenge)[challenge]["code"])

    def wrong(self, challenge: str) -> str:
        return f"{(int(self.sent(challenge)) + 1) % 1_000_000:06}"

    def row(self, challenge: str) -> Any:
        with self.driver.database.transaction() as session:
            return session.execute(select(one_time_codes).where(one_time_codes.c.challenge == challenge)).one()


@pytest.fixture
def codes(driver: Any) -> Codes:
    return Codes(driver)


def test_a_code_proves_who_reads_at_the_address(codes):
    challenge = codes.issue(Recipient(codes.phone, "sms", subject="an-account", locale="en"))
    assert codes.fetch(challenge)[challenge] | {"code": ""} == {
        "kind": "sms",
        "address": codes.phone,
        "code": "",
        "locale": "en",
        "seconds": 300,
    }
    code = codes.sent(challenge)
    assert codes.check(challenge, f" {code[:3]} {code[3:]}") == Proved("an-account", "sms", codes.phone)


def test_a_code_is_good_once(codes):
    challenge = codes.issue()
    code = codes.sent(challenge)
    assert codes.check(challenge, code)
    assert codes.check(challenge, code) is None


def test_a_code_given_many_times_at_once_is_good_once(codes):
    challenge = codes.issue()
    code = codes.sent(challenge)
    answers = race(*[lambda: codes.check(challenge, code)] * 4)
    assert len(answers) == 4
    assert len([answer for answer in answers if answer]) == 1


def test_five_wrong_guesses_end_a_code(codes):
    challenge = codes.issue()
    code, wrong = codes.sent(challenge), codes.wrong(challenge)
    assert [codes.check(challenge, wrong) for _ in range(4)] == [None] * 4
    assert codes.row(challenge).attempts == 4
    assert codes.check(challenge, "no code") is None
    assert codes.check(challenge, code) is None


def test_guesses_at_once_are_no_more_than_five(codes):
    challenge = codes.issue()
    wrong = codes.wrong(challenge)
    race(*[lambda: codes.check(challenge, wrong)] * 8)
    assert codes.row(challenge).attempts == domain.MAX_ATTEMPTS


def test_a_code_expires(codes):
    challenge = codes.issue()
    code = codes.sent(challenge)
    codes.driver.after(minutes=5)
    assert codes.check(challenge, code) is None
    assert codes.fetch(challenge) == {}


def test_a_code_is_for_one_purpose_and_one_challenge(codes):
    first, second = codes.issue(purpose="sign-in"), codes.issue(Recipient(f"{codes.phone}1", "sms"))
    code = codes.sent(first)
    assert codes.check(first, code, purpose="recovery") is None
    if codes.sent(second) != code:
        assert codes.check(second, code) is None
    assert codes.check("unknown", code) is None


def test_the_latest_code_supersedes(codes):
    first = codes.issue()
    code = codes.sent(first)
    codes.driver.after(seconds=36)
    second = codes.issue()
    assert codes.check(first, code) is None
    assert codes.fetch(first, second).keys() == {second}
    assert codes.check(second, codes.sent(second))


def test_a_code_for_another_purpose_stays(codes):
    first = codes.issue(purpose="sign-in")
    codes.driver.after(seconds=36)
    codes.issue(purpose="recovery")
    assert codes.check(first, codes.sent(first))


@pytest.mark.parametrize("kind", ["sms", None])
def test_codes_have_limits_for_somebody_and_nobody_alike(codes, kind):
    to = Recipient(codes.phone, kind)
    for _ in range(domain.MAX_A_DAY_TO_ADDRESS):
        codes.issue(to)
        with pytest.raises(TooManyAttempts) as soon:
            codes.issue(to)
        assert 34 <= soon.value.args[0] <= 36
        codes.driver.after(seconds=36)
    with pytest.raises(TooManyAttempts) as refused:
        codes.issue(to)
    assert 23 * 3600 < refused.value.args[0] <= 24 * 3600
    codes.driver.after(hours=24)
    assert codes.issue(to)


def test_an_account_has_a_limit_over_its_addresses(codes):
    subject = secrets.token_hex(8)
    for number in range(domain.MAX_A_DAY_TO_ACCOUNT):
        codes.issue(Recipient(f"{number}-{subject}@example.org", "mail", subject))
    with pytest.raises(TooManyAttempts):
        codes.issue(Recipient(f"last-{subject}@example.org", "mail", subject))


def test_codes_asked_for_at_once_are_one(codes):
    def ask() -> str | None:
        try:
            return codes.issue()
        except TooManyAttempts:
            return None

    assert len([challenge for challenge in race(ask, ask, ask) if challenge]) == 1


def test_nobody_gets_a_challenge_that_no_code_answers(codes):
    challenge = codes.issue(Recipient(codes.phone))
    assert codes.fetch(challenge) == {}
    assert codes.check(challenge, "000000") is None
    assert codes.row(challenge).attempts == 1


def test_nothing_readable_is_at_rest_and_soon_nothing_at_all(codes):
    challenge = codes.issue()
    code = codes.sent(challenge)
    row = codes.row(challenge)
    assert code.encode() not in row.code
    assert codes.phone.encode() not in row.address
    assert code != row.code_hash
    assert codes.phone not in row.address_hash
    with codes.driver.database.transaction() as session:
        commands.confirm_sent(session, NOTIFY, [challenge])
    assert codes.row(challenge).code is None
    assert codes.check(challenge, code)
    row = codes.row(challenge)
    assert (row.address, row.code_hash) == (None, None)


def test_expired_codes_are_wiped_and_a_day_later_gone(codes):
    challenge = codes.issue()
    later = codes.driver.now + timedelta(minutes=5)
    with codes.driver.database.transaction() as session:
        code_store.remove_expired(session, later)
    row = codes.row(challenge)
    assert (row.address, row.code, row.code_hash) == (None, None, None)
    with codes.driver.database.transaction() as session:
        code_store.remove_expired(session, later + timedelta(hours=24))
        assert session.execute(select(one_time_codes).where(one_time_codes.c.challenge == challenge)).first() is None


def test_a_code_is_good_while_the_key_changes(codes):
    other = "a2trMmtra2tra2tra2tra2tra2tra2tra2tra2tra2s="
    challenge = codes.issue()
    code = codes.sent(challenge)
    assert codes.check(challenge, code, keys=CodeKeys(other)) is None
    assert codes.check(challenge, code, keys=CodeKeys(other, COOKIE_KEY))


@pytest.mark.parametrize(
    "actor",
    [
        Actor("notify", "notify", scopes=("contacts",)),
        Actor("somebody", "web", scopes=("codes",)),
        Actor("", ""),
    ],
)
def test_codes_are_read_by_who_sends_them_only(codes, actor):
    challenge = codes.issue()
    with pytest.raises(NotPermitted):
        codes.fetch(challenge, actor=actor)
    with pytest.raises(NotPermitted), codes.driver.database.transaction() as session:
        commands.confirm_sent(session, actor, [challenge])
    assert codes.sent(challenge)


def test_codes_are_asked_for_in_parts(codes):
    with pytest.raises(InvalidInput):
        codes.fetch(*(str(number) for number in range(101)))
