"""Somebody has forgotten their password and gets in again, with what reaches their mailbox and phone; in a browser."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from chassis.database import Database
from gateway.languages import LANGUAGES
from services.identity import commands
from services.identity.domain import Account
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars
from services.identity.persons.vault import Vault
from tests.e2e.test_codes import _subjects as subjects_of_mails
from tests.e2e.test_codes import _texts as texts_to
from tests.e2e.test_pages import (  # noqa: F401 (two are fixtures)
    CHROMIUM,
    base,
    browser,
    follow,
    require_for_everybody,
    say,
    sign_in,
    visiting,
)
from tests.processes import wait_until

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")

LOST = "the one that I forgot 7"


class Forgetful:
    """An account with a mail address and a phone of its own."""

    def __init__(self, platform):
        self.state = platform.state
        self.mail, self.phone = f"{secrets.token_hex(6)}@example.org", f"+86137{secrets.randbelow(10**8):08}"
        self.username, self.password = f"lost-{secrets.token_hex(5)}", f"{secrets.token_hex(6)} regained"
        database, now = Database(platform.environment["ONEHALL_IDENTITY_DATABASE_URL"]), datetime.now(UTC)
        vault, own = Vault(platform.environment["ONEHALL_COOKIE_KEY"]), Particulars(None, self.phone, self.mail)
        account = Account("", self.username, "陈晓明", locale="en")
        account = commands.register_account(database, lambda call, *of: call(*of), vault, account, own, LOST, now)
        with database.transaction() as session:
            persons.save(session, vault, account.subject, own, confirmed_at=now)
        database.dispose()

    def code_by_mail(self):
        return re.search(
            "[0-9]{6}", wait_until("a code by mail", lambda: subjects_of_mails(self.state, self.mail))[-1]
        )[0]

    def code_by_sms(self):
        return re.search("[0-9]{6}", wait_until("a code by sms", lambda: texts_to(self.state, self.phone))[-1])[0]

    def link_to(self, page, subject):
        """In the mail with this subject."""
        (text,) = wait_until(subject, lambda: self._texts(subject))
        return re.search(rf"/{page}/[a-z0-9-]+", text)[0]

    def _texts(self, subject):
        files = (self.state.mail / "new").iterdir()
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
        return [m.get_content() for m in mails if str(m["To"]) == self.mail and str(m["Subject"]) == subject]


def begin(page, somebody):
    page.locator("#name").fill(somebody.phone.removeprefix("+86"))
    follow(page.locator("form[action='/recover'] button"))
    page.wait_for_url("**/recover/code?way=mail")


def give_code(page, somebody):
    page.locator("#code").fill(somebody.code_by_mail())
    follow(page.locator("form[action^='/recover/code'] button"))
    page.wait_for_url("**/recover/proofs")


def prove_phone(page, somebody):
    follow(page.locator("form[action='/recover/proofs/code'] button"))
    page.locator("#code-sms").fill(somebody.code_by_sms())
    follow(page.locator("form[action='/recover/proofs'] button"))
    page.wait_for_url("**/recover/password")


def set_password(page, password):
    for field in ("password", "again"):
        page.locator(f"#{field}").fill(password)
    follow(page.locator("form[action='/recover/password'] button"))


def test_who_forgot_the_password_gets_in_again_and_says_later_that_it_was_not_them(browser, base, platform):  # noqa: F811
    somebody = Forgetful(platform)
    with visiting(browser, base, scripts=False) as page:
        page.goto("/account/")
        follow(page.get_by_role("link", name=say("recover.forgotten")))
        begin(page, somebody)
        give_code(page, somebody)
        prove_phone(page, somebody)
        set_password(page, somebody.password)
        follow(page.get_by_role("link", name=say("sign-in.link")).last)
        sign_in(page, somebody.username, somebody.password)
        page.goto("/account/")
        expect(page.locator("h1")).to_have_text(say("account.title"))
        page.goto(somebody.link_to("not-me", "Your account was recovered"))
        follow(page.get_by_role("button", name=say("not-me.button")))
        expect(page.locator("h1")).to_have_text(say("not-me.done-title"))
        page.goto("/login/start")
        sign_in(page, somebody.username, somebody.password)
        expect(page.get_by_role("alert")).to_contain_text(say("sign-in.refused"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_for_everybody(browser, base, platform, language):  # noqa: F811
    with visiting(browser, base, language) as page:
        page.add_init_script(AXE_SCRIPT)
        for address in (
            "/recover/link/none",
            "/not-me",
            "/recover/done",
            "/recover/code",
            "/recover/password",
            "/recover",
        ):
            page.goto(address)
            require_for_everybody(page, language)


def test_the_pages_on_the_way_are_for_everybody(browser, base, platform):  # noqa: F811
    somebody, language = Forgetful(platform), "zh-Hant"
    with visiting(browser, base, language) as page:
        page.add_init_script(AXE_SCRIPT)
        page.goto("/recover")
        follow(page.locator("form[action='/recover'] button"))
        require_for_everybody(page, language)
        begin(page, somebody)
        require_for_everybody(page, language)
        give_code(page, somebody)
        require_for_everybody(page, language)
        follow(page.locator("form[action='/recover/wait'] button"))
        require_for_everybody(page, language)
        page.goto(somebody.link_to("not-me", "Somebody is recovering your account"))
        require_for_everybody(page, language)
        follow(page.locator("form[action='/not-me/confirm'] button"))
        require_for_everybody(page, language)
