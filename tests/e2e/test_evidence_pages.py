"""Evidence with the pages alone: consent, the source's answer, preview, use, who decides, and who looked."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.e2e.test_pages import (  # noqa: F401 - fixtures
    base,
    browser,
    follow,
    press,
    pytestmark,
    require_for_everybody,
    say,
    sign_in,
    visiting,
)
from tests.processes import wait_until

ADDRESS = "思源大道 1 号"


def enter(page: Page, username: str) -> None:
    page.add_init_script(AXE_SCRIPT)
    page.goto("/login/start")
    sign_in(page, username)


def test_evidence_is_fetched_seen_and_used(browser, base, people):  # noqa: F811
    number = people.file("citizen", "sole-trader").json()["number"]
    with (
        visiting(browser, base, scripts=False) as citizen,
        visiting(browser, base) as source,
        visiting(browser, base) as handler,
    ):
        for page, username in ((citizen, "citizen"), (source, "officer"), (handler, "officer2")):
            enter(page, username)

        citizen.goto(f"/cases/{number}")
        press(citizen, "evidence.consent")
        expect(citizen.locator("#evidence .govuk-tag")).to_have_text(say("evidence-status.asked"))

        source.goto("/work")
        follow(source.get_by_role("link", name=say("evidence.requests-title")))
        follow(source.get_by_role("link", name=number))
        require_for_everybody(source, "en")
        press(source, "evidence.answer-send")
        require_for_everybody(source, "en")
        source.get_by_text(say("evidence.answer-provided"), exact=True).click()
        source.locator("#field-current_address").fill(ADDRESS)
        press(source, "evidence.answer-send")
        expect(source.get_by_role("status")).to_have_text(say("evidence.answered"))

        handler.goto(f"/cases/{number}")
        assert ADDRESS not in handler.content()
        citizen.goto(f"/cases/{number}")
        assert ADDRESS in citizen.locator("#evidence").inner_text()
        press(citizen, "evidence.use")
        expect(citizen.locator("#evidence .govuk-tag")).to_have_text(say("evidence-status.used"))
        handler.goto(f"/cases/{number}")
        assert ADDRESS in handler.locator("#evidence").inner_text()
        require_for_everybody(handler, "en")

        def looks() -> int:
            citizen.goto(f"/account/access-log?number={number}")
            return citizen.get_by_text(say("looked-at.evidence")).count()

        wait_until("both who looked are in the log", lambda: looks() > 1)
        citizen.goto("/account/evidence")
        assert citizen.locator("li", has_text=number).get_by_text(say("evidence-status.used")).count()
