"""A citizen at the kiosk and at the counter, in browsers without scripts; and those pages in every language."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from cli.demo import ITEM
from gateway.languages import LANGUAGES
from services.identity.demo import PARTICULARS
from tests.e2e.test_pages import (  # noqa: F401 (two are fixtures)
    CHROMIUM,
    base,
    browser,
    expect_history,
    fill_in,
    follow,
    press,
    require_for_everybody,
    say,
    sign_in,
    speak,
    submit,
    visiting,
)
from tests.processes import wait_until

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")


def test_a_phone_lets_a_citizen_in_at_the_kiosk(browser, base):  # noqa: F811
    with visiting(browser, base, scripts=False) as kiosk, visiting(browser, base, scripts=False) as phone:
        kiosk.goto("/kiosk/?place=Hall%20A")
        press(kiosk, "kiosk.start")
        code = kiosk.locator(".oh-user-code").inner_text()
        phone.goto(f"/device?user_code={code}")
        sign_in(phone)
        expect(phone.locator("main")).to_contain_text("Hall A")
        press(phone, "device.allow")
        expect(phone.locator("h1")).to_have_text(say("device-title.approved"))
        # it looks by itself
        kiosk.wait_for_url("**/kiosk/")
        kiosk.goto("/kiosk/cases")
        expect(kiosk.locator("h1")).to_have_text(say("cases.title"))
        press(kiosk, "kiosk.end")
        kiosk.goto("/kiosk/cases")
        expect(kiosk.locator("h1")).to_have_text(say("kiosk.title"))


def test_a_clerk_files_for_the_citizen_at_the_counter(browser, base, people):  # noqa: F811
    with visiting(browser, base, scripts=False) as page:
        page.goto("/hall/")
        sign_in(page, "clerk")
        page.locator("#id_number").fill(str(PARTICULARS["citizen"].id_number))
        follow(page.locator("form[action='/hall/visits'] button"))
        page.goto(f"/hall/visit/items/{ITEM}/apply")
        expect(page.locator(".oh-on-behalf")).to_contain_text("陈*明")
        fill_in(page, people.example(ITEM))
        submit(page, people.example(ITEM))
        expect_history(page, "case.submitted")
        number = page.locator(".oh-number").first.inner_text()
        press(page, "hall.end")
        page.goto("/hall/visit/cases")
        expect(page.locator("h1")).to_have_text(say("hall.title"))
    (entry,) = people.history(number)
    assert (entry["event"], entry["channel"], entry["actor"]) == ("case.submitted", "hall", "clerk")

    def is_logged():
        entries = people.sign_in("citizen").get("/api/v1/access-log").json()["items"]
        return any(entry["what"] == "identity" and entry["channel"] == "hall" for entry in entries)

    wait_until("the citizen reads in the access log who spoke for them", is_logged)


def test_who_is_no_clerk_is_sent_away(browser, base):  # noqa: F811
    with visiting(browser, base, scripts=False) as page:
        page.goto("/hall/")
        sign_in(page, "citizen2")
        expect(page.locator("h1")).to_have_text(say("problem.not-permitted.title"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_for_everybody(browser, base, language):  # noqa: F811
    with visiting(browser, base, language) as kiosk, visiting(browser, base, language) as hall:
        for page in (kiosk, hall):
            page.add_init_script(AXE_SCRIPT)
        kiosk.goto("/kiosk/")
        require_for_everybody(kiosk, language)
        follow(kiosk.locator("form[action='/kiosk/start'] button"))
        require_for_everybody(kiosk, language)
        code = kiosk.locator(".oh-user-code").inner_text()
        hall.goto("/hall/")
        sign_in(hall, "clerk")
        require_for_everybody(hall, language)
        hall.goto("/device")
        require_for_everybody(hall, language)
        hall.goto(f"/device?user_code={code}")
        require_for_everybody(hall, language)
