"""Second factors in Chromium: passkeys of its virtual authenticator, an app, and the pages for everybody."""

import pyotp
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from gateway.languages import CATALOGUES
from tests.e2e.test_pages import CHROMIUM, browser, press, require_for_everybody, say, sign_in, visiting  # noqa: F401
from tests.integration.door import open_door
from tests.integration.identity_driver import PASSWORD
from tests.integration.test_identity_second_factor import Owner

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")

HERE = "/account/security"
WAY_IN = "form[data-passkey=get] button"
UNLOCKED = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


@pytest.fixture(scope="module")
def base(seeded):
    with open_door(seeded) as address:
        yield address


class Key:
    """The device's authenticator (WebAuthn, section 11: user agent automation)."""

    def __init__(self, page):
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        added = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": UNLOCKED})
        self._id = {"authenticatorId": added["authenticatorId"]}

    def count_back(self):
        """As of a copy that was made before the key was used."""
        [kept] = self._session.send("WebAuthn.getCredentials", self._id)["credentials"]
        name = {"credentialId": kept["credentialId"]}
        self._session.send("WebAuthn.removeCredential", self._id | name)
        self._session.send("WebAuthn.addCredential", self._id | {"credential": kept | {"signCount": 0}})


def come_as(page, account):
    page.goto(HERE)
    sign_in(page, account.username, PASSWORD)


def sign_out(page):
    page.context.clear_cookies(name="onehall_session")
    page.context.clear_cookies(name="onehall_web")


def expect_security(page):
    expect(page.locator("h1")).to_have_text(say("security.title"))


def test_a_passkey_is_added_signs_in_alone_and_after_the_password(browser, base, driver):  # noqa: F811
    account = driver.register()
    with visiting(browser, base) as page:
        refused_by_policy = []
        page.on("console", lambda said: refused_by_policy.append(said.text) if said.type == "error" else None)
        key = Key(page)
        come_as(page, account)
        expect(page.locator("[data-failed]")).to_be_hidden()
        page.locator("#passkey-name").fill("My laptop")
        press(page, "factor.add-passkey")
        expect(page.locator(".oh-codes li")).to_have_count(10)
        page.goto(HERE)
        expect(page.get_by_role("heading", name="My laptop")).to_be_visible()

        sign_out(page)
        page.goto(HERE)
        page.locator(WAY_IN).click()
        expect_security(page)

        sign_out(page)
        come_as(page, account)
        expect(page.locator("h1")).to_have_text(say("second.title"))
        page.locator(WAY_IN).click()
        expect_security(page)
        assert not refused_by_policy

        sign_out(page)
        page.goto(HERE)
        key.count_back()
        page.locator(WAY_IN).click()
        expect(page.locator("h1")).to_have_text(say("sign-in-failed.title"))


def test_everything_but_passkeys_works_without_scripts(browser, base, driver):  # noqa: F811
    account = driver.register()
    with visiting(browser, base, scripts=False) as page:
        come_as(page, account)
        expect(page.locator("form[data-passkey]")).to_be_hidden()
        page.get_by_role("link", name=say("factor.set-up-app")).click()
        page.locator("#code").fill("000000")
        press(page, "form-post.button")
        expect(page.get_by_role("alert")).to_contain_text(say("rule.code"))
        page.locator("#code").fill(pyotp.TOTP(page.locator(".oh-secret").inner_text()).now())
        press(page, "form-post.button")
        code = page.locator(".oh-codes li").first.inner_text()

        sign_out(page)
        come_as(page, account)
        page.get_by_role("link", name=say("second.by.recovery")).click()
        page.locator("#code").fill("wrong")
        press(page, "form-post.button")
        expect(page.get_by_role("alert")).to_contain_text(say("second.wrong"))
        page.locator("#code").fill(code)
        press(page, "form-post.button")
        expect_security(page)
        press(page, "factor.recovery-renew")
        expect(page.locator(".oh-codes li")).to_have_count(10)
        page.goto(HERE)
        page.locator("form[action$='/remove'] button").first.click()
        expect(page.get_by_role("status")).to_contain_text(say("security.done"))


def test_staff_set_up_a_second_factor_before_they_come_in_and_keep_it(browser, seeded, driver):  # noqa: F811
    officer = driver.register(roles=("officer",), department="civil-affairs")
    with open_door(seeded, "production") as door, visiting(browser, door) as page:
        page.add_init_script(AXE_SCRIPT)
        come_as(page, officer)
        expect(page.get_by_text(say("factor.required-choice"))).to_be_visible()
        require_for_everybody(page, "en")
        page.goto(HERE)
        expect(page.locator("#password")).to_be_visible()
        sign_in(page, officer.username, PASSWORD)
        page.locator("#code").fill(pyotp.TOTP(page.locator(".oh-secret").inner_text()).now())
        press(page, "form-post.button")
        page.get_by_role("link", name=say("factor.recovery-kept")).click()
        expect_security(page)
        page.locator("form[action$='/remove'] button").first.click()
        expect(page.get_by_role("alert")).to_contain_text(say("rule.lastFactor"))


def test_staff_set_up_a_passkey_before_they_come_in(browser, seeded, driver):  # noqa: F811
    officer = driver.register(roles=("officer",), department="civil-affairs")
    with open_door(seeded, "production") as door, visiting(browser, door) as page:
        _ = Key(page)
        come_as(page, officer)
        press(page, "factor.add-passkey")
        expect(page.locator(".oh-codes li")).to_have_count(10)
        page.get_by_role("link", name=say("factor.recovery-kept")).click()
        expect_security(page)


@pytest.mark.parametrize("language", CATALOGUES)
def test_the_pages_are_for_everybody(browser, base, signed_in, language):  # noqa: F811
    owner = Owner(signed_in)
    with visiting(browser, base, language) as page:
        page.add_init_script(AXE_SCRIPT)
        come_as(page, signed_in.account)
        page.locator("#code").wait_for()
        require_for_everybody(page, language)
        page.get_by_role("link", name=CATALOGUES[language]("second.by.recovery")).click()
        page.locator("#code").fill(owner.recovery_codes[0])
        page.locator("form:has(#code) button").click()
        page.wait_for_url(f"**{HERE}")
        require_for_everybody(page, language)
        for address in (f"{HERE}/app", f"{HERE}/password"):
            page.goto(address)
            require_for_everybody(page, language)
