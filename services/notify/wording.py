"""What a message says: one source for inbox and mail, `templates/<locale>.yaml`, compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, Template

from contracts import security

LOCALES = ("zh-Hans", "zh-Hant", "en")
DEFAULT_LOCALE = "zh-Hans"

_TEMPLATES = Path(__file__).with_name("templates")
_LONGEST_NAME = 80

_OPERATORS = ("case.escalated-further", "case.escalated-unattended")

ItemNames = Mapping[str, str]
"""Locale -> the item's name; empty when it cannot be had."""


@dataclass(frozen=True, slots=True)
class Text:
    """`subject` is one line; `body` is plain text, paragraphs divided by an empty line."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What is told: the event type and the case it happened to. An account's event has neither number nor item.

    `department` is who has the case in hand, where that is told. What is told to operators leads to staff: cases are
    not theirs to see.
    """

    event: str
    number: str | None
    item: str | None
    department: str | None = None

    def link(self, base_url: str) -> str:
        if self.event.startswith("draft."):
            return f"{base_url}/cases"
        if self.event in _OPERATORS:
            return f"{base_url}/operator/staff"
        return f"{base_url}/cases/{self.number}" if self.number else f"{base_url}/"


@dataclass(frozen=True, slots=True)
class _Security:
    """What is said of a change: in the subject, and in the body, where one of `more` follows."""

    factors: Mapping[str, str]
    changes: Mapping[str, Mapping[str, Template]]
    more: Mapping[str, Template]


@dataclass(frozen=True, slots=True)
class _Wording:
    mail: Template
    security: _Security
    code_subject: Template
    code_body: Template
    subjects: dict[str, Template]
    bodies: dict[str, Template]


def render(topic: Topic, locale: str, names: ItemNames, base_url: str) -> Text:
    """The inbox's text. Without a name of the item in `locale` its code stands in."""
    wording = _wording(locale)
    variables = {
        "number": topic.number,
        "item": _one_line(names.get(locale) or topic.item or ""),
        "department": topic.department,
        "link": topic.link(base_url),
        "progress": f"{base_url}/progress?number={topic.number}",
    }
    return Text(
        wording.subjects[topic.event].render(variables),
        wording.bodies[topic.event].render(variables),
    )


def render_mail(topic: Topic, locale: str, names: ItemNames, base_url: str, name: str) -> Text:
    """The same text with a greeting of `name` (may be empty), the link, and who sends it."""
    text = render(topic, locale, names, base_url)
    greeted = _one_line(name)[:_LONGEST_NAME]
    return Text(
        text.subject,
        _wording(locale).mail.render(name=greeted, body=text.body, link=topic.link(base_url)),
    )


def render_code(locale: str, code: str, minutes: int) -> Text:
    """A mail with a one-time code. The subject tells the code too: it is read without opening the mail.

    No link: whoever waits for a code has the page open, and a link in such a mail is what phishing looks like.
    """
    wording = _wording(locale)
    variables = {"code": code, "minutes": minutes}
    return Text(wording.code_subject.render(variables), wording.code_body.render(variables))


def render_security(locale: str, change: str) -> Text:
    """The inbox's text of a change of how an account is proved."""
    more = "none" if change in security.WITHOUT_CODE else "inbox"
    return _security_text(locale, change, more, "", "")


def render_security_mail(locale: str, change: str, code: str | None, base_url: str, name: str) -> Text:
    """The same as a mail; `code` refuses the change, or sets the password of a recovery."""
    is_link = change == security.RECOVERY_LINK
    more = "none" if code is None else "link" if is_link else _REFUSALS.get(change, "refuse")
    link = f"{base_url}/{'recover/link' if is_link else 'not-me'}/{code}" if code else f"{base_url}/"
    text = _security_text(locale, change, more, code or "", base_url)
    greeted = _one_line(name)[:_LONGEST_NAME]
    return Text(text.subject, _wording(locale).mail.render(name=greeted, body=text.body, link=link))


def _security_text(locale: str, change: str, more: str, code: str, base_url: str) -> Text:
    words = _wording(locale).security
    factor, _, what = change.rpartition("-")
    is_factor = factor in security.FACTORS
    # an unknown word is of a newer version of identity: the owner hears that there is something
    said = words.changes.get(f"factor-{what}" if is_factor else change, words.changes["other"])
    variables = {"factor": words.factors[factor] if is_factor else "", "code": code, "base_url": base_url}
    body = f"{said['body'].render(variables)}\n\n{words.more[more].render(variables)}"
    return Text(said["subject"].render(variables), body.strip())


_REFUSALS = {security.RECOVERY_BEGUN: "stop", security.RECOVERY_READY: "stop"}


def known_locale(*wishes: str | None) -> str:
    """The first of the wishes that there is wording for."""
    return next((wish for wish in wishes if wish in LOCALES), DEFAULT_LOCALE)


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _wording(locale: str) -> _Wording:
    # text/plain and JSON: nothing here is markup, so nothing is escaped
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    source = yaml.safe_load((_TEMPLATES / f"{locale}.yaml").read_text(encoding="utf-8"))
    events, told = source["events"], source["security"]

    def compiled(texts: Mapping[str, str]) -> dict[str, Template]:
        return {name: environment.from_string(words.rstrip()) for name, words in texts.items()}

    return _Wording(
        mail=environment.from_string(source["mail"]),
        security=_Security(
            told["factors"],
            {change: compiled(said) for change, said in told["changes"].items()},
            compiled(told["more"]),
        ),
        code_subject=environment.from_string(source["code"]["subject"]),
        code_body=environment.from_string(source["code"]["body"]),
        subjects={event: environment.from_string(texts["subject"]) for event, texts in events.items()},
        bodies={event: environment.from_string(texts["body"].rstrip()) for event, texts in events.items()},
    )
