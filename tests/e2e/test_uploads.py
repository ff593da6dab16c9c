"""Handing files in from a draft's page, in pieces, over a line that breaks, with the real browser."""

from __future__ import annotations

import uuid
from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, Route, expect

from gateway.languages import LANGUAGES
from tests.e2e.test_pages import (  # noqa: F401 - fixtures
    base,
    browser,
    press,
    require_for_everybody,
    say,
    sign_in,
    speak,
    visiting,
)
from tests.unit.files import PDF

ITEM = "residence-permit"
LARGE = PDF[:-6] + b" " * (5 * 2**20) + PDF[-6:]
"""Three pieces."""
BOX = "#document-ground-proof"
SLOW = 60_000


@pytest.fixture
def draft(people):
    """Its address; gone when the test is over."""
    citizen = people.sign_in("citizen")
    made = citizen.post("/api/v1/drafts", json={"item": ITEM, "form": {}}).raise_for_status().json()["id"]
    yield f"/drafts/{made}"
    citizen.delete(f"/api/v1/drafts/{made}")


@contextmanager
def on_the_page(browser, base, draft, language="en"):  # noqa: F811
    with visiting(browser, base, language) as page:
        page.goto(draft)
        sign_in(page)
        page.locator("#full_name").wait_for(timeout=SLOW)
        page.set_default_timeout(SLOW)
        yield page


def choose(page: Page, content: bytes = LARGE, name: str = "scan.pdf") -> None:
    """The same file each time, as a device has it: with one time of its last change."""
    page.locator(f"{BOX} input[type=file]").evaluate(
        """(input, [size, name, head, tail]) => {
            const bytes = new Uint8Array(size).fill(32);
            bytes.set(new TextEncoder().encode(head));
            bytes.set(new TextEncoder().encode(tail), size - tail.length);
            const all = new DataTransfer();
            all.items.add(new File([bytes], name, { type: "application/pdf", lastModified: 1700000000000 }));
            input.files = all.files;
        }""",
        [len(content), name, content[: len(PDF) - 6].decode(), content[-6:].decode()],
    )
    page.locator(f"{BOX} form[enctype] button").click()


def parts_of(page: Page, fails) -> list[str]:
    """The offsets that pieces were sent from; `fails` says of each whether the line breaks."""
    offsets: list[str] = []

    def pass_on(route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        offsets.append(route.request.headers["upload-offset"])
        if fails(offsets):
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/uploads/*", pass_on)
    return offsets


def expect_uploaded(page: Page) -> None:
    expect(page.locator(f"{BOX} a[download]")).to_have_text("scan.pdf", timeout=SLOW)
    expect(page.locator(f"{BOX} .govuk-tag--green")).to_have_text(say("document.there"), timeout=SLOW)


def test_an_upload_goes_on_by_itself_when_the_line_is_back(browser, base, draft):  # noqa: F811
    with on_the_page(browser, base, draft) as page:
        offsets = parts_of(page, lambda seen: len(seen) == 2)
        page.locator("#full_name").fill("张晓兰")
        choose(page)
        expect_uploaded(page)
        # what had come was not sent again
        assert offsets[:3] == ["0", "2097152", "2097152"]
        assert "0" not in offsets[1:]
        assert page.locator("#full_name").input_value() == "张晓兰"


def test_an_upload_goes_on_after_a_reload_and_is_told_without_a_line(browser, base, draft):  # noqa: F811
    with on_the_page(browser, base, draft) as page:
        offsets = parts_of(page, lambda seen: len(seen) > 1)
        choose(page)
        expect(page.locator(f"{BOX} .oh-upload [role=status]")).to_have_text(say("upload.interrupted"), timeout=SLOW)
        page.unroute_all(behavior="ignoreErrors")
        page.reload()
        expect(page.locator(f"{BOX} [data-upload]")).to_contain_text("Choose the same file again")
        offsets = parts_of(page, lambda seen: False)
        choose(page)
        expect_uploaded(page)
        assert offsets[0] == "2097152"


def test_what_is_wrong_with_a_file_is_said_at_its_document(browser, base, draft):  # noqa: F811
    with on_the_page(browser, base, draft, "en") as page:
        choose(page, b"GIF89a" + LARGE[6:], "scan.pdf")
        expect(page.locator(f"{BOX} [role=alert]")).to_contain_text("Files of this type are not taken", timeout=SLOW)
        choose(page, LARGE, f"{'x' * 300}.pdf")
        expect(page.locator(f"{BOX} .oh-upload [role=status]")).to_contain_text("name cannot be used", timeout=SLOW)
        page.get_by_role("button", name="Choose another file").click()
        choose(page)
        expect_uploaded(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_upload_under_way_is_for_everybody(browser, base, draft, language):  # noqa: F811
    with on_the_page(browser, base, draft, language) as page:
        page.add_init_script(AXE_SCRIPT)
        speak(page.context, base, language)
        page.reload()
        parts_of(page, lambda seen: len(seen) > 1)
        choose(page)
        expect(page.locator(f"{BOX} progress")).to_have_attribute("value", "39", timeout=SLOW)
        require_for_everybody(page, language)


def test_the_script_is_asked_for_the_files_own_page(base, people):  # noqa: F811
    """Whoever is not signed in on these pages uploads nothing through them, with a token or without."""
    answer = people.sign_in("citizen").head(f"{base}/uploads/{uuid.uuid4()}", headers={"Tus-Resumable": "1.0.0"})
    assert answer.status_code == 401
