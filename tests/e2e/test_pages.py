"""The pages in a browser: a citizen's story with and without scripts, consent, and every page in every language."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from cli.demo import ITEM, PASSWORD
from gateway.languages import CATALOGUES, LANGUAGES
from tests.e2e.test_sign_in import RP_TEST, authorization_url
from tests.processes import wait_until

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
SECONDS = 15
CHECK = """async () => ({
    language: document.documentElement.lang,
    width: document.documentElement.scrollWidth,
    // what axe found to be right is long, and costs more to hand over than to find
    violations: (await axe.run({resultTypes: ["violations"], preload: false})).violations,
})"""

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")
say = CATALOGUES["en"]


# of the module, not of the session: Playwright leaves an event loop running until it is stopped, and with it no
# other test could start one
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def base(platform):
    return platform.environment["ONEHALL_BASE_URL"]


@contextmanager
def visiting(browser: Browser, base: str, language: str = "en", *, scripts: bool = True) -> Iterator[Page]:
    """A page in a browser of its own, wide, that nobody has used before."""
    context = browser.new_context(base_url=base, viewport=WIDE, java_script_enabled=scripts)
    context.set_default_timeout(SECONDS * 1000)
    speak(context, base, language)
    yield context.new_page()
    context.close()


def speak(context: BrowserContext, base: str, language: str) -> None:
    context.add_cookies([{"name": "onehall_language", "value": language, "url": base}])


def sign_in(page: Page, username: str = "citizen", password: str = PASSWORD) -> None:
    page.locator("#username").fill(username)
    page.locator("#password").fill(password)
    follow(page.locator("form:has(#password) button"))


def follow(control: Locator) -> None:
    """Press what leads to a page, until all of that page is there: what it shows may be read at once."""
    with control.page.expect_navigation():
        control.click()


def press(page: Page, key: str) -> None:
    follow(page.get_by_role("button", name=say(key), exact=True))


def fill_in(page: Page, form: dict[str, str]) -> None:
    """What the page asks for by now; a question that hangs on another comes at once with scripts only."""
    for name, value in form.items():
        control = page.locator(f'[name="{name}"]').first
        if control.get_attribute("type") == "radio":
            page.locator(f'[name="{name}"][value="{value}"]').check()
        elif control.is_visible():
            control.fill(value)


def submit(page: Page, form: dict[str, str]) -> None:
    """With what the page asks for besides, if it comes back with it; the documents are brought later."""
    go_on(page)
    if page.locator(".oh-conditional--new").count():
        fill_in(page, form)
        go_on(page)
    if page.get_by_role("status").filter(has_text=say("draft.documents-next")).count():
        press(page, "document.bring-later")


def go_on(page: Page) -> None:
    """Away from the counter the documents come next."""
    follow(page.locator("form#application button").last)


def file_case(page: Page, form: dict[str, str]) -> str:
    """The number of a case that was filed with the pages."""
    page.goto(f"/items/{ITEM}/apply")
    fill_in(page, form)
    submit(page, form)
    assert page.get_by_role("status").inner_text().startswith(say("case.submitted-banner"))
    return page.locator(".oh-number").first.inner_text()


def expect_history(page: Page, *events: str) -> None:
    """The events as the page tells them, the latest first; the page may still be on its way."""
    expect(page.locator(".oh-timeline__event")).to_have_text([say.word("event", event) for event in events])


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
def test_a_citizens_story(browser, base, people, scripts):
    form = people.example(ITEM)
    with visiting(browser, base, scripts=scripts) as page:
        page.goto(f"/items/{ITEM}")
        follow(page.get_by_role("button", name=say("item.apply")))
        sign_in(page)

        wrong = form | {"id_number": "110105194912310021", "full_name": ""}
        fill_in(page, wrong)
        asked_at_once = page.locator("#employer_or_school").is_visible()
        assert asked_at_once == scripts
        submit(page, wrong)
        links = page.get_by_role("alert").get_by_role("link")
        assert links.count() == 2
        links.filter(has_text=say("rule.format.citizen-id")).click()
        assert page.url.endswith("#id_number")
        assert page.locator("#id_number").input_value() == "110105194912310021"
        assert page.locator(f'[name="ground"][value="{form["ground"]}"]').is_checked()
        fill_in(page, form)
        submit(page, form)
        number = page.locator(".oh-number").first.inner_text()
        expect_history(page, "case.submitted")

        people.act("clerk", number, "request_correction", note="A newer proof of address").raise_for_status()
        page.goto(f"/cases/{number}")
        follow(page.get_by_role("button", name=say("action.correct")))
        assert "A newer proof of address" in page.locator(".govuk-inset-text").inner_text()
        assert page.locator("#full_name").input_value() == form["full_name"]
        page.locator("#current_address").fill("思源大道3号")
        press(page, "correct.submit")
        expect_history(page, "case.corrected", "case.correction-requested", "case.submitted")

        people.close(number)
        page.goto(f"/cases/{number}")
        follow(page.get_by_role("button", name=say("rating.link")))
        press(page, "rating.submit")
        assert page.get_by_role("alert").get_by_role("link").inner_text() == say("rating.score-needed")
        page.get_by_text(say("score.5"), exact=True).click()
        page.locator("#comment").fill("Quick\nand kind")
        press(page, "rating.submit")
        assert "Quick" in page.locator("#rating").inner_text()
        assert page.get_by_role("link", name=say("rating.link")).count() == 0


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
def test_a_citizen_withdraws_and_reads_about_it(browser, base, people, scripts):
    with visiting(browser, base, scripts=scripts) as page:
        page.goto("/login/start")
        sign_in(page, "citizen2")
        number = file_case(page, people.example(ITEM))
        press(page, "action.withdraw")
        expect_history(page, "case.withdrawn", "case.submitted")
        assert page.get_by_role("button", name=say("action.withdraw")).count() == 0

        def find_message():
            page.goto("/inbox")
            return page.locator(".oh-message", has_text=number).count()

        wait_until("the inbox tells of the case", find_message)
        message = page.locator(".oh-message", has_text=number).first
        new = page.locator(".oh-message--new").count()
        follow(message.get_by_role("button", name=say("inbox.mark-read")))
        expect(page.locator(".oh-message--new")).to_have_count(new - 1)
        follow(page.locator(".oh-message", has_text=number).first.get_by_role("link"))
        assert page.url == f"{base}/cases/{number}"

        press(page, "sign-out.button")
        page.goto("/cases")
        expect(page.locator("#password")).to_have_count(1)


@pytest.mark.parametrize(("button", "answer"), [("consent.allow", "code="), ("consent.deny", "error=access_denied")])
def test_consent_is_given_or_not(browser, base, button, answer):
    with visiting(browser, base) as page:
        page.goto(authorization_url(base, RP_TEST, scope="openid email", prompt="consent", state="s-1"))
        sign_in(page)
        expect(page.locator("main li")).to_have_text([say.word("scope", "openid"), say.word("scope", "email")])
        # nobody listens there: that the browser asks is what the pages' policy must allow
        with page.expect_request(lambda request: request.url.startswith(RP_TEST.redirect_uri)) as asked:
            page.get_by_role("button", name=say(button), exact=True).click()
    assert answer in asked.value.url
    assert "state=s-1" in asked.value.url


def test_a_wrong_password_says_the_same_for_everybody(browser, base):
    said = []
    for username in ("citizen", "nobody"):
        with visiting(browser, base) as page:
            page.goto("/login/start")
            # the address holds what this sign-in alone has
            page.goto("/login?next=%2Fcases")
            sign_in(page, username, "wrong")
            assert page.get_by_role("alert").get_by_role("link").inner_text() == say("sign-in.refused")
            said.append(page.content().replace(f'value="{username}"', ""))
    assert said[0] == said[1]


def test_who_signs_in_as_somebody_else_leaves_no_session_behind(browser, base):
    with visiting(browser, base) as page, visiting(browser, base) as elsewhere:
        page.goto("/login/start")
        sign_in(page)
        elsewhere.context.add_cookies(page.context.cookies())
        elsewhere.goto("/cases")
        assert elsewhere.locator(".oh-account").inner_text().startswith("陈晓明")
        page.goto("/login")
        sign_in(page, "citizen2")
        assert page.locator(".oh-account").inner_text().startswith("林雨桐")
        elsewhere.goto("/cases")
        assert elsewhere.locator("#password").count() == 1


@pytest.fixture(scope="module")
def cases(people) -> dict[str, str]:
    """Numbers of cases, one of each kind of page."""
    numbers = {name: people.file().json()["number"] for name in ("open", "correctable", "closed", "rated")}
    people.act("clerk", numbers["correctable"], "request_correction", note="补交照片").raise_for_status()
    for name in ("closed", "rated"):
        people.close(numbers[name])
    wait_until("the case can be rated", lambda: people.rate(numbers["rated"]).is_success)
    return numbers | {"subscription": subscribe(people), "webhook": subscribe_by_webhook(people)}


def subscribe(people) -> str:
    """The name of a subscription of the officer's department, as long as a name can be, with much in its filter."""
    name = "a-subscription-with-a-name-as-long-as-it"
    parts = {"types": ["case.submitted", "case.accepted", "case.closed"], "items": [ITEM, "elderly-card"]}
    body = {"name": name, "filter": parts, "start": "beginning"}
    people.sign_in("officer").post("/api/v1/subscriptions", json=body).raise_for_status()
    return name


def subscribe_by_webhook(people) -> str:
    """The name of one whose endpoint is not there, once it was looked for."""
    officer, name = people.sign_in("officer"), "webhook"
    body = {"name": name, "delivery": "webhook", "url": "https://127.0.0.1:1024/", "start": "beginning"}
    officer.post("/api/v1/subscriptions", json=body).raise_for_status()
    attempts = f"/api/v1/subscriptions/{name}/attempts"
    wait_until("an attempt has failed", lambda: officer.get(attempts).raise_for_status().json()["items"])
    return name


@pytest.fixture(scope="module")
def signed_in(browser, base) -> Iterator[dict[str, Page]]:
    """A page of each person who has pages of their own, and of nobody."""
    with visiting(browser, base) as nobody, visiting(browser, base) as citizen, visiting(browser, base) as officer:
        for page in (nobody, citizen, officer):
            page.add_init_script(AXE_SCRIPT)
        for page, username in ((citizen, "citizen"), (officer, "officer")):
            page.goto("/login/start")
            sign_in(page, username)
        yield {"nobody": nobody, "citizen": citizen, "officer": officer}


PAGES = {
    "home": ("nobody", "/"),
    "nothing found": ("nobody", "/?q=zzz"),
    "item": ("nobody", f"/items/{ITEM}"),
    "sign-in": ("nobody", "/login"),
    "sign-in failed": ("nobody", "/callback?error=access_denied"),
    "signed out": ("nobody", "/signed-out"),
    "no such page": ("nobody", "/nothing"),
    "wrong authorization": ("nobody", "/oauth/authorize?client_id=nobody"),
    "home with cases": ("citizen", "/"),
    "apply": ("citizen", f"/items/{ITEM}/apply"),
    "cases": ("citizen", "/cases"),
    "open case": ("citizen", "/cases/{open}"),
    "case to correct": ("citizen", "/cases/{correctable}"),
    "closed case": ("citizen", "/cases/{closed}"),
    "rated case": ("citizen", "/cases/{rated}"),
    "officer's result": ("officer", "/cases/{closed}/result"),
    "certificates": ("citizen", "/certificates"),
    "verify": ("nobody", "/verify"),
    "correction": ("citizen", "/cases/{correctable}/correct"),
    "rating": ("citizen", "/cases/{closed}/rating"),
    "inbox": ("citizen", "/inbox"),
    "preferences": ("citizen", "/inbox/preferences?saved=1"),
    "account": ("citizen", "/account/"),
    "access log": ("citizen", "/account/access-log"),
    "sessions": ("citizen", "/account/sessions?told=app"),
    "wrong sign-out": ("nobody", "/oauth/logout?client_id=nobody"),
    "mandates": ("citizen", "/account/mandates?told=granted"),
    "authorise": ("citizen", "/account/mandates/new"),
    "officer's case": ("officer", "/cases/{open}"),
    "department": ("officer", "/department/"),
    "subscription": ("officer", "/department/subscriptions/{subscription}"),
    "webhook": ("officer", "/department/subscriptions/{webhook}"),
    "no such subscription": ("officer", "/department/subscriptions/nothing"),
}
REFUSED = {
    "wrong form": ("citizen", f"/items/{ITEM}/apply"),
    "no score": ("citizen", "/cases/{closed}/rating"),
    "no note": ("officer", "/cases/{open}"),
    "nobody authorised": ("citizen", "/account/mandates/new"),
}
"""Pages that come back when their last button is pressed with nothing filled in."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody(signed_in, base, cases, name, language):
    who, address = PAGES[name]
    page = signed_in[who]
    speak(page.context, base, language)
    page.goto(address.format(**cases))
    require_for_everybody(page, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", REFUSED)
def test_a_page_with_faults_is_for_everybody(signed_in, base, cases, name, language):
    who, address = REFUSED[name]
    page = signed_in[who]
    speak(page.context, base, language)
    page.goto(address.format(**cases))
    follow(page.locator("main form button").last)
    assert page.get_by_role("alert").get_by_role("link").count()
    require_for_everybody(page, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_consent_page_is_for_everybody(signed_in, base, language):
    page = signed_in["citizen"]
    speak(page.context, base, language)
    page.goto(authorization_url(base, RP_TEST, scope="openid profile email cases offline_access", prompt="consent"))
    assert page.locator("button[name=decision]").count() == 2
    require_for_everybody(page, language)


def require_for_everybody(page: Page, language: str) -> None:
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        found = page.evaluate(CHECK)
        assert found["language"] == language
        assert found["width"] <= size["width"]
        results = AxeResults({"violations": found["violations"]})
        assert results.violations_count == 0, results.generate_report()
