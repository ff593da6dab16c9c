"""Somebody without an account registers, is checked by the register and goes on to what demanded it; in a browser."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import ExitStack, closing

import httpx2
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from cli import oidc
from cli.demo import PASSWORD
from gateway.languages import LANGUAGES
from services.identity.persons.identifiers import with_check_digit
from tests.e2e.test_codes import _subjects as subjects_of_mails
from tests.e2e.test_codes import _texts as texts_to
from tests.e2e.test_pages import (  # noqa: F401 (two are fixtures)
    CHROMIUM,
    base,
    browser,
    fill_in,
    follow,
    press,
    require_for_everybody,
    say,
    sign_in,
    submit,
    visiting,
)
from tests.processes import wait_until

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")

APP = oidc.Client("app", "http://127.0.0.1:9777/callback")
ITEM = "medical-reimbursement"
"""Demands the second level."""


def new_number(year: int) -> str:
    """See `deploy.local.registry` for what the year does."""
    return with_check_digit(f"110101{year}01{secrets.randbelow(28) + 1:02}{secrets.randbelow(1_000):03}")


def begin(page):
    email, phone = f"{secrets.token_hex(6)}@example.org", f"137{secrets.randbelow(10**8):08}"
    page.goto("/register")
    page.locator("#email").fill(email)
    page.locator("#phone").fill(phone)
    follow(page.locator("form[action='/register'] button"))
    page.wait_for_url("**/register/codes")
    return email, f"+86{phone}"


def give_codes(page, platform, email, phone):
    sent = {"email": (subjects_of_mails, email), "phone": (texts_to, phone)}
    for field, (received, address) in sent.items():
        (text,) = wait_until(f"the code for {field} is there", lambda r=received, a=address: r(platform.state, a))
        page.locator(f"#{field}").fill(re.search("[0-9]{6}", text)[0])
    follow(page.locator("form[action='/register/codes'] button"))
    page.wait_for_url("**/register/details")


def give_details(page, id_number):
    said = {"name": "陈晓明", "id_number": id_number, "username": f"new-{secrets.token_hex(5)}"}
    said["password"] = f"{secrets.token_hex(6)} {secrets.token_hex(4)}"
    for field, value in said.items():
        page.locator(f"#{field}").fill(value)
    follow(page.locator("form[action='/register/details'] button"))
    page.wait_for_url("**/register/done")
    return said


def test_from_nothing_to_an_item_that_wants_to_be_sure(browser, base, platform, people):  # noqa: F811
    form = people.example(ITEM)
    with visiting(browser, base, scripts=False) as page, ExitStack() as stack:
        give_codes(page, platform, *begin(page))
        said = give_details(page, new_number(1892))
        app = stack.enter_context(closing(oidc.sign_in(base, APP, said["username"], said["password"])))
        refused = app.post("/api/v1/cases", json={"item": ITEM, "form": form})
        # RFC 9470, section 3: what a client needs to know to get a token that will do
        assert refused.status_code == httpx2.codes.UNAUTHORIZED
        challenge = refused.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert 'acr_values="2"' in challenge
        page.goto(f"/items/{ITEM}/apply")
        sign_in(page, said["username"], said["password"])
        expect(page.locator("h1")).to_have_text(say("step-up.title"))
        follow(page.get_by_role("link", name=say("step-up.raise")))
        press(page, "registry.check")
        expect(page.get_by_role("alert")).to_contain_text(say("registry.unavailable"))
        page.locator("#id_number").fill(new_number(1990))
        press(page, "registry.check")
        expect(page.get_by_role("alert")).to_contain_text(say("registry.no-match"))
        page.locator("#id_number").fill(new_number(1891))
        press(page, "registry.check")
        page.wait_for_url(f"**/items/{ITEM}/apply")
        fill_in(page, form)
        submit(page, form)
        expect(page.get_by_role("status")).to_contain_text(say("case.submitted-banner"))
        # the next token says the new level; nobody signs in anew
        app.refresh_token(f"{base}/oauth/token")
        filed = app.post("/api/v1/cases", json={"item": ITEM, "form": form}).raise_for_status().json()
        page.goto("/account/data")
        with page.expect_download() as download:
            page.locator("a[download]").click()
        data = json.loads(download.value.path().read_text())
        assert filed["number"] in {case["number"] for case in data["cases"]["items"]}
        assert all(case["form"] == form for case in data["cases"]["items"])
        assert {message["event"] for message in data["messages"]["items"]} >= {"account.registered"}

        page.goto("/account/close")
        page.locator("#sure").check()
        page.locator("#password").fill(said["password"])
        press(page, "close.button")
        expect(page.locator("h1")).to_have_text(say("close.done-title"))
        page.goto("/cases")
        sign_in(page, said["username"], said["password"])
        expect(page.get_by_role("alert")).to_contain_text(say("sign-in.refused"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_for_everybody(browser, base, platform, language):  # noqa: F811
    with visiting(browser, base, language) as page, visiting(browser, base, language) as mine:
        for each in (page, mine):
            each.add_init_script(AXE_SCRIPT)
        page.goto("/register")
        require_for_everybody(page, language)
        addresses = begin(page)
        require_for_everybody(page, language)
        follow(page.locator("form[action='/register/codes'] button"))
        require_for_everybody(page, language)
        give_codes(page, platform, *addresses)
        follow(page.locator("form[action='/register/details'] button"))
        require_for_everybody(page, language)
        said = give_details(page, new_number(1990))
        require_for_everybody(page, language)
        page.goto(f"/items/{ITEM}/apply")
        sign_in(page, said["username"], said["password"])
        page.locator("a[href^='/account/assurance']").wait_for()
        require_for_everybody(page, language)
        follow(page.locator("a[href^='/account/assurance']"))
        require_for_everybody(page, language)
        mine.goto("/account/assurance")
        sign_in(mine, "citizen", PASSWORD)
        mine.wait_for_url("**/account/assurance")
        require_for_everybody(mine, language)
        for address in ("/account/data", "/account/close", "/account-closed"):
            mine.goto(address)
            require_for_everybody(mine, language)
    with visiting(browser, base, language) as hall:
        hall.add_init_script(AXE_SCRIPT)
        hall.goto("/hall/")
        sign_in(hall, "clerk", PASSWORD)
        follow(hall.locator("a[href='/hall/assurance']"))
        require_for_everybody(hall, language)
        hall.locator("#username").fill("nobody-at-all")
        hall.locator("#id_number").fill(new_number(1990))
        follow(hall.locator("form[action='/hall/assurance'] button"))
        require_for_everybody(hall, language)
