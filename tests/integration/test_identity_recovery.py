"""Getting back into an account, and nobody else into it."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from chassis import context, schedule
from contracts.actors import Actor
from contracts.errors import (
    InvalidInput,
    NotFound,
    NotPermitted,
    SessionEnded,
    SignInRefused,
    SignInTooOld,
    TooManyAttempts,
)
from services.identity import commands, queries, store
from services.identity.codes import queries as code_queries
from services.identity.codes.secrecy import CodeKeys
from services.identity.codes.tables import one_time_codes
from services.identity.factors import enrolment
from services.identity.factors import store as factor_store
from services.identity.limits.devices import KNOWN_DEVICES, remember
from services.identity.limits.sign_in import Doorkeeper
from services.identity.mandates import commands as mandates
from services.identity.mandates.queries import list_mandates
from services.identity.persons import address_change, leaving
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars
from services.identity.persons.tables import identifiers
from services.identity.recovery import attempts, finishing, handing_over, waiting
from services.identity.recovery.attempts import Desk
from services.identity.recovery.domain import Waits
from services.identity.recovery.tables import recoveries
from services.identity.sealing import Seal
from services.identity.security_notices import commands as notice_commands
from services.identity.security_notices import refusing
from services.identity.security_notices.codes import NoticeKeys
from services.identity.security_notices.looking_up import Lookup
from services.identity.security_notices.queries import get_security_notices
from services.identity.security_notices.tables import security_notices
from services.identity.staff import commands as staff
from services.identity.staff.domain import Hand
from tests.integration.identity_driver import COOKIE_KEY, PASSWORD, at_once, mail_of, race
from tests.integration.test_identity_registering import new_number

NOTIFY = Actor("notify", "notify", scopes=("codes",))
NEW = "blauer Regenschirm am Montag"
OPERATOR = Hand("os:root", "onehall", "command-line")
CLERK = Actor("carol", "hall", channel="hall", roles=("clerk",), scopes=("cases",))


class Owner:
    """A person with a phone and a mail address, and all that they may do who have lost their password."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.account = driver.register()
        self.mail, self.phone = mail_of(self.account), f"+86139{secrets.randbelow(10**8):08}"
        self.number = new_number()
        with driver.database.transaction() as session:
            own = Particulars(self.number, self.phone, self.mail)
            persons.save(session, driver.vault, self.account.subject, own, driver.now)
        self.keys = CodeKeys(COOKIE_KEY)
        self.notice_keys = NoticeKeys(COOKIE_KEY)
        self.lookup = Lookup(driver.database, self.notice_keys, self.keys.limits)
        self.devices = Seal(COOKIE_KEY, KNOWN_DEVICES)
        self.desk = Desk(driver.means, self.devices, Waits())

    @property
    def subject(self) -> str:
        return str(self.account.subject)

    def begin(self, said: str | None = None, way: str = "mail", device: str | None = None) -> str:
        with self.driver.database.transaction() as session:
            name = self.account.username if said is None else said
            return attempts.begin(session, self.desk, name, way, "en", device, self.driver.now)

    def code(self, kind: str) -> str | None:
        """The latest that is on its way to this person."""
        with self.driver.database.transaction() as session:
            code = one_time_codes.c
            sent = select(code.challenge).where(code.subject == self.subject, code.kind == kind)
            challenge = session.execute(sent.order_by(code.issued_at.desc()).limit(1)).scalar()
            found = code_queries.get_codes(session, NOTIFY, self.keys, [challenge or ""], self.driver.now)
        return str(found[challenge]["code"]) if challenge in found else None

    def prove(self, secret: str, code: str | None) -> dict[str, Any]:
        return attempts.prove(self.driver.database, self.desk, secret, code or "", self.driver.now)

    def begun(self, way: str = "mail") -> str:
        """An attempt with its address proved."""
        self.driver.after(minutes=1)
        secret = self.begin(way=way)
        self.prove(secret, self.code(way))
        return secret

    def further(self, secret: str, kind: str, given: str) -> dict[str, Any]:
        return attempts.prove_further(self.driver.database, self.desk, secret, kind, given, self.driver.now)

    def prove_phone(self, secret: str) -> dict[str, Any]:
        with self.driver.database.transaction() as session:
            attempts.send_other(session, self.desk, secret, self.driver.now)
        return self.further(secret, "sms", self.code("sms") or "")

    def wait(self, secret: str) -> dict[str, Any]:
        with self.driver.database.transaction() as session:
            return attempts.wait(session, self.desk, secret, self.driver.now)

    def run_due(self) -> int:
        def handler(session: Any, due: Any) -> None:
            waiting.on_ready(session, due, self.driver.now)

        return schedule.run_due(self.driver.database, "identity", waiting.READY, handler, self.driver.now)

    def told(self) -> list[dict[str, Any]]:
        """As notify sends it, in order."""
        with self.driver.database.transaction() as session:
            bodies = session.execute(
                text("SELECT body FROM outbox WHERE subject = :s AND routing_key LIKE 'account.security%' ORDER BY id"),
                {"s": self.subject},
            ).scalars()
            events = [json.loads(body)["data"] for body in bodies]
            ids = [each["alert"] for each in events]
            found = get_security_notices(
                session, self.driver.vault, self.notice_keys, NOTIFY, ids[-100:], self.driver.now
            )
        return [found.get(each["alert"], {"code": None, "addresses": {}}) | each for each in events]

    def changes(self) -> list[str]:
        return [each["change"] for each in self.told()]

    def code_of(self, change: str) -> str:
        return str(next(each["code"] for each in reversed(self.told()) if each["change"] == change))

    def finish(self, code: str, password: str = NEW) -> str:
        return finishing.finish_link(self.lookup, at_once, self.desk, code, password, None, self.driver.now)

    def finish_at_once(self, secret: str, password: str = NEW) -> str:
        database, now = self.driver.database, self.driver.now
        return finishing.finish_attempt(database, at_once, self.desk, secret, password, None, now)

    def refuse(self, change: str) -> dict[str, Any]:
        return refusing.refuse(self.lookup, self.code_of(change), self.driver.now)

    def refuse_code(self, code: str) -> bool:
        try:
            refusing.refuse(self.lookup, code, self.driver.now)
        except NotFound:
            return False
        return True

    def signs_in(self, password: str) -> bool:
        try:
            commands.sign_in(self.driver.database, at_once, self.account.username, password, "web", self.driver.now)
        except SignInRefused:
            return False
        return True

    def tell(self, change: str, **how: Any) -> str:
        with self.driver.database.transaction() as session:
            return notice_commands.note_change(session, self.subject, change, self.driver.now, **how)

    def add_totp(self) -> None:
        with self.driver.database.transaction() as session:
            means = self.driver.means
            sealed = means.seal.close(b"JBSWY3DPEHPK3PXP", self.subject.encode())
            factor_store.save_totp(session, self.subject, sealed, 0, self.driver.now)
            self.recovery_codes = enrolment.first_recovery_codes(session, self.subject)
        self.tell("totp-added")


@pytest.fixture
def owner(driver: Any) -> Owner:
    return Owner(driver)


def factors(owner: Owner) -> Any:
    with owner.driver.database.transaction() as session:
        return factor_store.get_factors(session, owner.subject)


# The way back


def test_who_reads_mail_and_phone_sets_a_new_password_at_once(owner):
    secret = owner.begun()
    assert owner.prove_phone(secret)["wait_seconds"] == 0
    assert owner.wait(secret)["ready_at"] is None
    cookie = owner.finish_at_once(secret)
    assert owner.signs_in(NEW)
    assert not owner.signs_in(PASSWORD)
    assert cookie, "the browser is known, so that strangers' guesses do not keep it out"
    assert owner.changes() == ["password-recovered"]


def test_who_reads_at_one_address_waits_a_day_and_everybody_is_told(owner):
    waits = owner.wait(owner.begun())
    assert waits == {"ready_at": (owner.driver.now + timedelta(hours=24)).isoformat(), "way": "mail"}
    assert [(each["change"], each["addresses"]) for each in owner.told()] == [
        ("recovery-begun", {"mail": owner.mail, "sms": owner.phone})
    ]
    owner.driver.after(hours=23, minutes=59)
    assert owner.run_due() == 0
    owner.driver.after(minutes=1)
    assert owner.run_due() >= 1
    ready, link = owner.told()[1:]
    assert (ready["change"], ready["addresses"]) == ("recovery-ready", {"mail": owner.mail, "sms": owner.phone})
    assert (link["change"], link["addresses"]) == ("recovery-link", {"mail": owner.mail}), "to that address alone"
    owner.finish(link["code"])
    assert owner.signs_in(NEW)


@pytest.mark.parametrize("said", ["username", "mail", "phone", "number"])
def test_one_is_found_by_whatever_one_knows(owner, said):
    names = {"username": owner.account.username.upper(), "mail": owner.mail, "phone": owner.phone[3:]}
    secret = owner.begin((names | {"number": owner.number})[said])
    assert owner.prove(secret, owner.code("mail"))["way"] == "mail"


def test_a_second_factor_that_is_shown_stays_and_nobody_waits(owner):
    owner.add_totp()
    secret = owner.begun()
    assert owner.further(secret, "recovery", owner.recovery_codes[0].upper())["wait_seconds"] == 0
    owner.finish_at_once(secret)
    assert factors(owner).has_totp


def test_lost_factors_go_after_the_wait_and_not_before(owner):
    owner.add_totp()
    secret = owner.begun()
    shown = owner.prove_phone(secret)
    assert (shown["wait_seconds"], shown["loses_factors"]) == (24 * 3600, True)
    owner.wait(secret)
    assert factors(owner).has_totp
    owner.driver.after(hours=24)
    owner.run_due()
    assert factors(owner).has_totp
    owner.finish(owner.code_of("recovery-link"))
    assert factors(owner).is_empty
    assert owner.signs_in(NEW)


def test_one_address_against_a_second_factor_waits_longest(owner):
    owner.add_totp()
    owner.driver.after(minutes=1)
    secret = owner.begin()
    assert owner.prove(secret, owner.code("mail"))["wait_seconds"] == 72 * 3600


def test_the_level_stays_and_every_session_and_token_ends(owner):
    driver = owner.driver
    with driver.database.transaction() as session:
        persons.raise_level(session, owner.subject, 3, "counter", "carol", driver.now)
    driver.account = owner.account
    driver.sign_in(owner.account)
    tokens = driver.tokens("web")
    secret = owner.begun()
    owner.prove_phone(secret)
    owner.finish_at_once(secret)
    assert driver.userinfo(tokens["access_token"]).status == 401
    assert driver.refresh("web", tokens["refresh_token"]).status == 400
    with driver.database.transaction() as session:
        assert store.get_account(session, owner.subject).assurance == 3
        with pytest.raises(SessionEnded):
            queries.get_session(session, driver.session, driver.now)


def test_a_password_that_is_refused_uses_nothing_up(owner):
    secret = owner.begun()
    owner.prove_phone(secret)
    with pytest.raises(InvalidInput):
        owner.finish_at_once(secret, owner.account.username)
    owner.finish_at_once(secret)


# Nobody else


def test_an_attempt_that_has_to_wait_sets_no_password(owner):
    secret = owner.begun()
    with pytest.raises(NotFound):
        owner.finish_at_once(secret)
    with pytest.raises(NotFound):
        owner.finish_at_once(owner.begin("nobody-at-all"))


def test_a_link_is_good_once_also_for_two_at_once(owner):
    owner.wait(owner.begun())
    owner.driver.after(hours=24)
    owner.run_due()
    code = owner.code_of("recovery-link")

    def finish(password: str) -> str:
        try:
            owner.finish(code, password)
        except NotFound:
            return "late"
        return password

    first, second = NEW, f"{NEW} nochmal"
    done = race(lambda: finish(first), lambda: finish(second))
    assert done.count("late") == 1
    assert owner.signs_in(next(each for each in done if each != "late"))
    with pytest.raises(NotFound):
        owner.finish(code)


def test_of_a_finish_and_a_stop_at_once_one_wins(owner):
    owner.wait(owner.begun())
    owner.driver.after(hours=24)
    owner.run_due()
    code, stop = owner.code_of("recovery-link"), owner.code_of("recovery-begun")

    def finish() -> str | None:
        try:
            owner.finish(code)
        except NotFound:
            return None
        return "finished"

    finished = "finished" in race(finish, lambda: owner.refuse_code(stop))
    assert owner.changes()[-1] == ("password-recovered" if finished else "recovery-cancelled")
    assert owner.signs_in(NEW) == finished
    assert owner.signs_in(PASSWORD) != finished


def test_the_owner_stops_a_recovery_by_one_click_and_keeps_the_password(owner):
    owner.wait(owner.begun())
    assert owner.refuse("recovery-begun")["stops_only"]
    owner.driver.after(hours=24)
    assert owner.run_due() == 0
    assert owner.changes() == ["recovery-begun", "recovery-cancelled"]
    assert owner.signs_in(PASSWORD)


def test_who_signs_in_has_lost_nothing(owner):
    owner.wait(owner.begun())
    owner.driver.after(hours=24)
    owner.run_due()
    code = owner.code_of("recovery-link")
    assert owner.signs_in(PASSWORD)
    assert owner.changes()[-1] == "recovery-cancelled"
    with pytest.raises(NotFound):
        owner.finish(code)


def test_beginning_again_neither_shortens_nor_lengthens_the_wait(owner):
    first = owner.wait(owner.begun())
    owner.driver.after(hours=5)
    assert owner.wait(owner.begun()) == first
    assert owner.changes() == ["recovery-begun"]


def test_a_stranger_learns_nothing_from_what_is_said(owner):
    clerk = owner.driver.register(roles=("clerk",))
    gone = Owner(owner.driver)
    leaving.close_account(owner.driver.database, at_once, Actor(gone.subject, "web"), PASSWORD, owner.driver.now)
    disabled = Owner(owner.driver)
    with owner.driver.database.transaction() as session:
        staff.disable(session, OPERATOR, disabled.account.username, owner.driver.now)
    said = (
        "nobody-at-all",
        clerk.username,
        disabled.account.username,
        gone.account.username,
        gone.mail,
        owner.account.username,
        new_number(),
    )
    for name in said:
        secret = owner.begin(name)
        with pytest.raises(InvalidInput) as wrong:
            owner.prove(secret, "000000")
        assert wrong.value.faults == [{"pointer": "/code", "rule": "code", "value": None}]
        with owner.driver.database.transaction() as session, pytest.raises(NotFound):
            attempts.show(session, owner.desk, secret, owner.driver.now)
    assert owner.code("mail") is not None
    assert gone.code("mail") is None
    assert disabled.code("mail") is None


def test_a_stranger_learns_nothing_from_limits_of_an_address(owner):
    """The same address by other names, within the half minute in which it is sent no second code."""
    for said in (owner.account.username, owner.mail, owner.phone, owner.number, "nobody-at-all"):
        assert owner.begin(said)


def test_a_name_is_tried_so_often_and_the_owners_browser_gets_through(owner):
    for _ in range(5):
        owner.begin()
    with pytest.raises(TooManyAttempts):
        owner.begin(f" {owner.account.username.upper()} ")
    owner.driver.after(minutes=1)
    known = remember(owner.devices, None, owner.account.username, owner.driver.now)
    assert owner.prove(owner.begin(device=known), owner.code("mail"))


def test_so_many_codes_leave_some_for_signing_in(owner):
    for _ in range(5):
        owner.driver.after(minutes=1)
        owner.begin()
    with owner.driver.database.transaction() as session:
        sent = select(one_time_codes.c.challenge).where(one_time_codes.c.subject == owner.subject)
        assert len(session.execute(sent).all()) == 4


def test_asking_is_the_same_work_for_somebody_staff_and_nobody(owner):
    clerk, work = owner.driver.register(roles=("clerk",)), []

    def note(connection, cursor, statement, *rest):
        if "outbox" not in statement:
            work.append(statement)

    def ask(said):
        work.clear()
        with owner.driver.database.transaction() as session:
            event.listen(session, "before_cursor_execute", note)
            attempts.begin(session, owner.desk, said, "mail", "en", None, owner.driver.now)
            event.remove(session, "before_cursor_execute", note)
        return list(work)

    # but for the event by which the code is sent, which is one insert
    assert ask(owner.account.username) == ask("nobody-at-all") == ask(clerk.username)


def test_a_code_is_guessed_five_times(owner):
    secret = owner.begin()
    right = owner.code("mail")
    for wrong in range(5):
        with pytest.raises(InvalidInput):
            owner.prove(secret, f"{(int(right) + 1 + wrong) % 1_000_000:06}")
    with pytest.raises(InvalidInput):
        owner.prove(secret, right)


def test_codes_of_notices_are_guessed_a_few_times_from_one_address(owner):
    token = context.address.set("203.0.113.77")
    try:
        for _ in range(20):
            with pytest.raises(NotFound):
                refusing.refuse(owner.lookup, "2345-6789-abcd", owner.driver.now)
        with pytest.raises(TooManyAttempts):
            refusing.refuse(owner.lookup, "2345-6789-abcd", owner.driver.now)
    finally:
        context.address.reset(token)


def test_staff_do_not_recover_by_themselves(owner):
    with owner.driver.database.transaction() as session:
        session.execute(text("UPDATE accounts SET roles = '{clerk}' WHERE subject = :s"), {"s": owner.subject})
    owner.begin()
    assert owner.code("mail") is None


# At the counter, and by an operator


def at_counter(owner: Owner, number: str, actor: Actor | None = None) -> dict[str, str]:
    vault, clerk = owner.driver.vault, actor or replace(CLERK, subject=f"clerk-{secrets.token_hex(4)}")
    return handing_over.begin_at_counter(
        owner.driver.database, vault, owner.notice_keys, owner.keys.limits, clerk, number, owner.driver.now
    )


def test_a_clerk_who_has_seen_the_card_lets_nobody_wait(owner):
    owner.add_totp()
    handed = at_counter(owner, owner.number)
    assert handed["name"] == "T***n"
    assert owner.changes()[-1] == "recovery-ready"
    owner.finish(handed["code"])
    assert owner.signs_in(NEW)
    assert factors(owner).is_empty
    with pytest.raises(NotFound):
        owner.finish(handed["code"])


@pytest.mark.parametrize("actor", [replace(CLERK, roles=()), replace(CLERK, channel="web"), replace(CLERK, act="x")])
def test_nobody_but_a_clerk_at_the_hall_lets_nobody_wait(owner, actor):
    with pytest.raises(NotPermitted):
        at_counter(owner, owner.number, actor)


def test_a_clerk_does_not_recover_their_own_account_nor_one_that_is_not_confirmed(owner):
    with pytest.raises(NotFound):
        at_counter(owner, owner.number, replace(CLERK, subject=owner.subject))
    with pytest.raises(NotFound):
        at_counter(owner, new_number())


def test_a_clerk_does_not_try_numbers_out(owner):
    clerk = replace(CLERK, subject=f"clerk-{secrets.token_hex(4)}")
    for _ in range(20):
        with pytest.raises(NotFound):
            at_counter(owner, new_number(), clerk)
    with pytest.raises(TooManyAttempts):
        at_counter(owner, owner.number, clerk)


def test_a_clerk_hands_back_as_many_accounts_as_can_be_served(owner):
    clerk = replace(CLERK, subject=f"clerk-{secrets.token_hex(4)}")
    for _ in range(10):
        at_counter(owner, owner.number, clerk)
    for number in (owner.number, new_number()):
        with pytest.raises(TooManyAttempts):
            at_counter(owner, number, clerk)
    at_counter(owner, owner.number)
    owner.driver.after(minutes=20)
    at_counter(owner, owner.number, clerk)


def test_an_operator_lets_staff_in_again_for_an_hour(owner):
    clerk = owner.driver.register(roles=("clerk",))

    def hand_over() -> str:
        with owner.driver.database.transaction() as session:
            return handing_over.begin_by_operator(
                session, owner.notice_keys, OPERATOR, clerk.username, owner.driver.now, loses_factors=True
            )

    before, code = hand_over(), hand_over()
    with pytest.raises(NotFound):
        owner.finish(before)
    owner.driver.after(minutes=59)
    owner.finish(code)
    late = hand_over()
    owner.driver.after(hours=1)
    with pytest.raises(NotFound):
        owner.finish(late)


# Signing in with a browser that was not seen before


def test_a_sign_in_with_a_new_browser_is_told_and_one_with_a_known_is_not(owner):
    driver = owner.driver
    keeper = Doorkeeper(driver.database, at_once, owner.keys.limits, owner.devices)

    def sign_in(device: str | None) -> str:
        def let() -> dict[str, Any]:
            return commands.sign_in(driver.database, at_once, owner.account.username, PASSWORD, "web", driver.now)

        return str(keeper.let(owner.account.username, PASSWORD, device, driver.now, let)["device"])

    known = sign_in(None)
    assert owner.changes() == [], "the first browser of all is the one that registered"
    sign_in(known)
    assert owner.changes() == []
    sign_in(None)
    assert owner.changes() == ["new-device"]
    assert owner.told()[0]["ways"] == "mail", "messages of the day are left for codes"


# "This was not me"


def test_a_refusal_ends_all_undoes_and_locks_the_password_until_a_recovery(owner):
    driver = owner.driver
    driver.account = owner.account
    driver.sign_in(owner.account)
    tokens = driver.tokens("web")
    owner.add_totp()
    driver.after(minutes=5)
    assert owner.refuse("totp-added")["change"] == "totp-added"
    introspected = driver.as_client("rp-test", "introspect", token=tokens["access_token"])
    assert driver.userinfo(tokens["access_token"]).status == 401
    assert not introspected.json.get("active")
    assert driver.refresh("web", tokens["refresh_token"]).status == 400
    assert factors(owner).is_empty
    assert not owner.signs_in(PASSWORD)
    assert owner.changes()[-1] == "refused"
    secret = owner.begun()
    owner.prove_phone(secret)
    owner.finish_at_once(secret)
    assert owner.signs_in(NEW)


def test_a_refusal_stops_a_recovery_that_waits_and_a_sign_in_that_is_under_way(owner):
    owner.wait(owner.begun())
    owner.tell("new-device")
    owner.refuse("new-device")
    with owner.driver.database.transaction() as session:
        assert not session.execute(select(recoveries).where(recoveries.c.subject == owner.subject)).first()


def test_a_sign_in_that_was_under_way_opens_no_session_after_a_refusal(owner):
    owner.tell("password-changed")
    code = owner.code_of("password-changed")

    def offload(function: Any, *arguments: Any) -> Any:
        """The right password is found right, and then its owner says no."""
        found = function(*arguments)
        owner.refuse_code(code)
        return found

    with pytest.raises(SignInRefused):
        commands.sign_in(owner.driver.database, offload, owner.account.username, PASSWORD, "web", owner.driver.now)


class Addresses:
    """Changing one's own, signed in."""

    def __init__(self, owner: Owner) -> None:
        self.owner, self.driver = owner, owner.driver
        self.driver.account = owner.account
        self.driver.sign_in(owner.account)

    def begin(self, kind: str, said: str) -> str:
        with self.driver.database.transaction() as session:
            means, actor, secret = self.driver.means, self.driver.actor, self.driver.session
            return address_change.begin(session, means, actor, secret, kind, said, self.driver.now)

    def finish(self, challenge: str, code: str) -> None:
        means, actor, secret = self.driver.means, self.driver.actor, self.driver.session
        address_change.finish(self.driver.database, means, actor, secret, challenge, code, self.driver.now)

    def change(self, kind: str, said: str) -> None:
        self.finish(self.begin(kind, said), self.owner.code("mail" if kind == "email" else "sms") or "")

    def known(self, kind: str) -> str | None:
        with self.driver.database.transaction() as session:
            return persons.open_of(session, self.driver.vault, [self.owner.subject], kind).get(self.owner.subject)


def test_an_address_that_was_changed_comes_back_and_was_told_at_both(owner):
    mine, thief = Addresses(owner), f"{secrets.token_hex(6)}@example.org"
    mine.change("email", thief)
    assert mine.known("email") == thief
    assert owner.told()[-1]["addresses"] == {"mail": thief, "mail-former": owner.mail, "sms": owner.phone}
    owner.refuse("email-changed")
    assert mine.known("email") == owner.mail


def test_what_came_after_a_refused_change_is_undone_with_it(owner):
    mine = Addresses(owner)
    mine.change("email", f"{secrets.token_hex(6)}@example.org")
    first = owner.code_of("email-changed")
    for step in ("phone", "email"):
        owner.driver.after(minutes=1)
        said = f"+86136{secrets.randbelow(10**8):08}" if step == "phone" else f"{secrets.token_hex(6)}@example.org"
        mine.change(step, said)
    owner.driver.after(minutes=1)
    owner.add_totp()
    assert owner.refuse_code(first)
    assert (mine.known("email"), mine.known("phone"), factors(owner).is_empty) == (owner.mail, owner.phone, True)
    assert owner.told()[-1]["addresses"]["mail"], "and the owner hears of the refusal"


def test_a_factor_that_was_added_before_a_refused_change_lets_nobody_back_in(owner):
    owner.add_totp()
    owner.driver.after(days=1)
    owner.tell("new-device")
    row = {"id": secrets.token_hex(8), "subject": owner.subject, "name": "", "public_key": b"", "sign_count": 0}
    with owner.driver.database.transaction() as session:
        added = {"is_backed_up": False, "transports": [], "added_at": owner.driver.now}
        assert factor_store.add_passkey(session, row | added)
    owner.tell("passkey-added")
    owner.driver.after(hours=1)
    owner.tell("password-changed")
    owner.refuse("password-changed")
    assert factors(owner).is_empty


def test_who_was_let_act_for_the_owner_lately_is_so_no_more_after_a_refusal(owner):
    driver = owner.driver

    def give(item: str) -> None:
        until = f"{driver.now + timedelta(days=30):%Y-%m-%d}"
        actor, named = Actor(owner.subject, "web"), driver.register().username
        with driver.database.transaction() as session:
            mandates.grant(session, driver.vault, actor, named, item=item, number=None, until=until, now=driver.now)

    give("long-ago")
    driver.after(days=8)
    give("before")
    driver.after(hours=1)
    owner.tell("password-changed")
    give("after")
    driver.after(hours=1)
    owner.refuse("password-changed")
    with driver.database.transaction() as session:
        given = list_mandates(session, Actor(owner.subject, "web"), driver.now)["given"]
    assert {each["item"]: each["ended_by"] for each in given} == {
        "after": "not-me",
        "before": "not-me",
        "long-ago": None,
    }


@pytest.mark.parametrize("days", [0, 6])
def test_a_stolen_mailbox_waits_no_shorter_for_having_refused_the_second_factor(owner, days):
    owner.add_totp()
    owner.driver.after(days=days)
    owner.refuse("totp-added")
    owner.driver.after(days=2 if days else 0, minutes=1)
    secret = owner.begun()
    assert attempts_shown(owner, secret)["wait_seconds"] == 72 * 3600
    assert owner.prove_phone(secret)["wait_seconds"] == 0
    owner.driver.after(days=7)
    assert attempts_shown(owner, owner.begun())["wait_seconds"] == 24 * 3600


def attempts_shown(owner: Owner, secret: str) -> dict[str, Any]:
    with owner.driver.database.transaction() as session:
        return attempts.show(session, owner.desk, secret, owner.driver.now)


def test_an_address_is_proved_before_it_is_taken_and_never_anothers(owner):
    mine, other = Addresses(owner), Owner(owner.driver)
    challenge = mine.begin("phone", f"+86136{secrets.randbelow(10**8):08}")
    with pytest.raises(InvalidInput):
        mine.finish(challenge, "000000")
    owner.driver.after(minutes=1)
    challenge = mine.begin("email", other.mail)
    assert other.code("mail") is None
    with pytest.raises(InvalidInput):
        mine.finish(challenge, "000000")
    assert (mine.known("email"), mine.known("phone")) == (owner.mail, owner.phone)
    with pytest.raises(InvalidInput):
        mine.begin("email", "no address")
    owner.driver.after(minutes=16)
    with pytest.raises(SignInTooOld):
        mine.begin("phone", owner.phone)


def test_who_changes_an_address_afterwards_does_not_take_the_notice_away(owner):
    owner.tell("totp-added")
    with owner.driver.database.transaction() as session:
        session.execute(identifiers.delete().where(identifiers.c.subject == owner.subject))
    assert owner.told()[-1]["addresses"] == {"mail": owner.mail, "sms": owner.phone}


def test_a_code_is_good_once_a_week_long_and_is_not_in_the_database(owner):
    owner.tell("password-changed")
    code = owner.code_of("password-changed")
    with owner.driver.database.transaction() as session:
        kept = str(session.execute(select(security_notices).where(security_notices.c.subject == owner.subject)).all())
    assert code not in kept
    assert code.replace("-", "") not in kept
    done = race(*[lambda: owner.refuse_code(code)] * 3)
    assert sorted(done) == [False, False, True]
    owner.tell("totp-removed")
    late = owner.code_of("totp-removed")
    owner.driver.after(days=7)
    assert not owner.refuse_code(late)


def test_a_look_at_a_notice_changes_nothing(owner):
    owner.tell("password-changed")
    code = owner.code_of("password-changed")
    for _ in range(3):
        assert refusing.get_notice(owner.lookup, code, owner.driver.now)["change"] == "password-changed"
    assert owner.signs_in(PASSWORD)


def test_what_sets_a_password_refuses_nothing_and_the_other_way_round(owner):
    owner.wait(owner.begun())
    owner.driver.after(hours=24)
    owner.run_due()
    with pytest.raises(NotFound):
        owner.finish(owner.code_of("recovery-begun"))
    with pytest.raises(NotFound):
        owner.refuse("recovery-link")


def test_notices_are_told_to_the_program_that_sends_alone(owner):
    alert = owner.tell("totp-added")
    for actor in (Actor(owner.subject, "web", scopes=("codes",)), replace(NOTIFY, scopes=("contacts",))):
        with owner.driver.database.transaction() as session, pytest.raises(NotPermitted):
            get_security_notices(session, owner.driver.vault, owner.notice_keys, actor, [alert], owner.driver.now)


def test_codes_survive_a_change_of_the_key(owner):
    owner.tell("totp-added")
    code = owner.code_of("totp-added")
    new = NoticeKeys(base64.urlsafe_b64encode(b"n" * 32).decode(), COOKIE_KEY)
    found = refusing.get_notice(Lookup(owner.driver.database, new, owner.keys.limits), code, owner.driver.now)
    assert found["change"] == "totp-added"
