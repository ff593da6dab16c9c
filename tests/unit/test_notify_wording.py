"""Every event that is told has its words in all three languages."""

from __future__ import annotations

import pytest

from contracts import security
from gateway.languages import CATALOGUES
from services.notify.service import NotifyService
from services.notify.wording import (
    LOCALES,
    Topic,
    known_locale,
    render,
    render_code,
    render_mail,
    render_security,
    render_security_mail,
)

BASE_URL = "https://hall.example"
NAMES = {"zh-Hans": "老年人优待证", "zh-Hant": "敬老優待證", "en": "Elderly concession card"}
MAILED = (
    "case.submitted",
    "case.accepted",
    "case.correction-requested",
    "case.corrected",
    "case.approved",
    "case.refused",
    "case.withdrawn",
    "case.provisionally-accepted",
    "case.supplied",
    "case.not-accepted",
    "case.suspended",
    "case.resumed",
    "case.delegated",
    "case.passed-on",
    "case.papers-returned",
    "case.transferred",
    "case.delivered",
    "case.lapsed",
    "case.reopened",
    "case.result-revoked",
    "case.evidence-answered",
    "case.evidence-overdue",
    "rating.invited",
    "rating.reminded",
)
ESCALATED = "case.escalated"
TO_OPERATORS = ("case.escalated-further", "case.escalated-unattended")
DRAFTS = ("draft.expiring", "draft.expired")
WELCOME = "account.registered"


def topic(event: str) -> Topic:
    return Topic(event, "330100-2026-000017", "elderly-card", "civil-affairs")


def test_the_service_tells_exactly_these_events() -> None:
    handlers = (
        NotifyService.on_case_event,
        NotifyService.on_case_escalated,
        NotifyService.on_draft_event,
        NotifyService.on_account_registered,
    )
    told = {event for handler in handlers for entrypoint in handler.nameko_entrypoints for event in entrypoint.types}
    assert told == {*MAILED, ESCALATED, *DRAFTS, WELCOME}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", [*MAILED, ESCALATED])
def test_a_mail_names_the_item_the_case_and_its_page(event: str, locale: str) -> None:
    text = render_mail(topic(event), locale, NAMES, BASE_URL, "Wang")
    assert "330100-2026-000017" in text.subject
    assert NAMES[locale] in text.subject
    assert "\n" not in text.subject
    assert "\nhttps://hall.example/cases/330100-2026-000017\n" in text.body
    assert "Wang" in text.body.splitlines()[0]
    assert "{" not in text.subject + text.body


@pytest.mark.parametrize("event", [*MAILED, ESCALATED, *TO_OPERATORS, *DRAFTS, WELCOME])
def test_no_two_languages_say_it_in_the_same_words(event: str) -> None:
    texts = [render(topic(event), locale, {}, BASE_URL) for locale in LOCALES]
    assert len({text.subject for text in texts}) == len({text.body for text in texts}) == len(LOCALES)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", TO_OPERATORS)
def test_what_operators_are_told_names_the_department_and_leads_to_staff(event: str, locale: str) -> None:
    text = render_mail(topic(event), locale, NAMES, BASE_URL, "Wang")
    assert "330100-2026-000017" in text.subject
    assert "civil-affairs" in text.body
    assert "\nhttps://hall.example/operator/staff\n" in text.body


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", DRAFTS)
def test_a_mail_about_a_draft_leads_to_where_drafts_are(event: str, locale: str) -> None:
    text = render_mail(Topic(event, None, "elderly-card"), locale, NAMES, BASE_URL, "Wang")
    assert NAMES[locale] in text.subject
    assert "\nhttps://hall.example/cases\n" in text.body
    assert "None" not in text.subject + text.body


@pytest.mark.parametrize("locale", LOCALES)
def test_the_welcome_needs_no_case(locale: str) -> None:
    text = render(Topic(WELCOME, None, None), locale, {}, BASE_URL)
    assert text.subject
    assert "None" not in text.subject + text.body


@pytest.mark.parametrize("locale", LOCALES)
def test_an_inbox_message_greets_nobody(locale: str) -> None:
    assert "Wang" not in render(topic("case.accepted"), locale, NAMES, BASE_URL).body


def test_without_a_name_the_greeting_still_reads_well() -> None:
    assert render_mail(topic("case.accepted"), "en", NAMES, BASE_URL, "").body.startswith("Hello,\n")


def test_a_name_cannot_add_lines_of_its_own() -> None:
    text = render_mail(topic("case.accepted"), "en", NAMES, BASE_URL, "Wang\n\nPay here: https://evil.example")
    assert text.body.splitlines()[0].startswith("Dear Wang Pay here")


def test_the_code_stands_in_for_a_name_that_cannot_be_had() -> None:
    assert "elderly-card" in render(topic("case.accepted"), "en", {}, BASE_URL).subject


@pytest.mark.parametrize(
    ("wishes", "chosen"), [(("en", "zh-Hant"), "en"), ((None, "zh-Hant"), "zh-Hant"), (("tlh", None), "zh-Hans")]
)
def test_the_first_known_locale_is_taken(wishes: tuple[str | None, ...], chosen: str) -> None:
    assert known_locale(*wishes) == chosen


def test_a_code_is_worded_in_each_language_and_leads_nowhere() -> None:
    texts = [render_code(locale, "012345", 5) for locale in LOCALES]
    assert len({text.body for text in texts}) == len(LOCALES)
    assert all("012345" in text.subject and "012345" in text.body and "5" in text.body for text in texts)
    assert not [text for text in texts if "http" in text.body or "{" in text.subject + text.body]


@pytest.mark.parametrize("change", [*security.CHANGES, "of-a-newer-version"])
def test_a_change_of_security_is_worded_in_each_language_with_its_own_way_out(change: str) -> None:
    code = None if change in security.WITHOUT_CODE else "abcd-efgh-jkmn"
    mails = [render_security_mail(locale, change, code, BASE_URL, "Wang") for locale in LOCALES]
    inbox = [render_security(locale, change) for locale in LOCALES]
    for texts in (mails, inbox):
        assert len({text.subject for text in texts}) == len({text.body for text in texts}) == len(LOCALES)
        assert not [text for text in texts if "{" in text.subject + text.body or "\n" in text.subject]
    path = "recover/link" if change == security.RECOVERY_LINK else "not-me"
    assert all((f"\n{BASE_URL}/{path}/{code}\n" in mail.body) == (code is not None) for mail in mails)
    assert not [text for text in inbox if "http" in text.body], "who reads the inbox is signed in"


def test_every_change_has_words_of_its_own() -> None:
    own = set(security.CHANGES) - {security.REFUSED, security.RECOVERY_CANCELLED, security.RECOVERY_LINK}
    for locale in LOCALES:
        assert len({render_security(locale, change).subject for change in security.CHANGES}) == len(security.CHANGES)
        assert not [change for change in own if f"change.{change}" not in CATALOGUES[locale]]
