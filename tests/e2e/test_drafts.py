"""A form in the real browser, saved as it is typed: nothing typed is forgotten, whatever the line does meanwhile."""

from __future__ import annotations

from contextlib import contextmanager

from playwright.sync_api import Page, Route, expect

from tests.e2e.test_pages import base, browser, say  # noqa: F401 - fixtures
from tests.e2e.test_uploads import SLOW, draft, on_the_page  # noqa: F401 - fixture

PAUSE, AGAIN = 1_200, 10_000
"""Milliseconds, as in the script; time goes on only when a test says so."""


def saved(people, draft: str) -> dict[str, object]:  # noqa: F811
    form: dict[str, object] = people.sign_in("citizen").get(f"/api/v1{draft}").raise_for_status().json()["form"]
    return form


def expect_said(page: Page, key: str) -> None:
    expect(page.locator("#draft-status")).to_contain_text(say(key).partition("{")[0].strip(), timeout=SLOW)


def fill_in_elsewhere(people, draft: str, **changes: str) -> None:  # noqa: F811
    citizen = people.sign_in("citizen")
    body = {"base": citizen.get(f"/api/v1{draft}").json()["revision"], "changes": changes}
    citizen.patch(f"/api/v1{draft}", json=body).raise_for_status()


class Saves:
    """Each save as it is sent, held until the test lets it go."""

    def __init__(self, page: Page, draft: str) -> None:  # noqa: F811
        self._page = page
        self._held: list[Route] = []
        page.route(f"**{draft}", self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method == "POST":
            self._held.append(route)
        else:
            route.continue_()

    def after(self, milliseconds: int) -> Route:
        """The one that is sent within this time."""
        known = len(self._held)
        with self._page.expect_request(lambda request: request.method == "POST"):
            self._page.clock.run_for(milliseconds)
        while len(self._held) == known:
            self._page.evaluate("0")
        return self._held[-1]

    def none_after(self, milliseconds: int) -> bool:
        known = len(self._held)
        self._page.clock.run_for(milliseconds)
        self._page.evaluate("fetch('/health/live')")
        return len(self._held) == known


@contextmanager
def typing(browser, base, draft):  # noqa: F811
    with on_the_page(browser, base, draft) as page:
        page.clock.install()
        page.reload()
        yield page, Saves(page, draft)


def test_what_is_typed_while_a_save_is_under_way_is_saved_by_itself(browser, base, draft, people):  # noqa: F811
    with typing(browser, base, draft) as (page, saves):
        page.locator("#full_name").fill("张晓兰")
        first = saves.after(PAUSE)
        page.locator("#telephone").fill("13800000001")
        assert saves.none_after(PAUSE), "one at a time"
        first.continue_()
        expect_said(page, "draft.saved-at")
        fill_in_elsewhere(people, draft, current_address="建安北路8号")
        saves.after(PAUSE).continue_()
        expect(page.locator("#current_address")).to_have_value("建安北路8号", timeout=SLOW)
        typed = {"full_name": "张晓兰", "telephone": "13800000001", "current_address": "建安北路8号"}
        assert saved(people, draft) == typed


def test_what_could_not_be_saved_is_said_and_saved_later_by_itself(browser, base, draft, people):  # noqa: F811
    with typing(browser, base, draft) as (page, saves):
        page.locator("#full_name").fill("张晓兰")
        saves.after(PAUSE).abort("connectionreset")
        expect_said(page, "draft.not-saved")
        saves.after(AGAIN).continue_()
        expect_said(page, "draft.saved-at")
        assert saved(people, draft) == {"full_name": "张晓兰"}
