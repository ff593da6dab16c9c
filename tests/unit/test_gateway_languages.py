"""The message catalogues: the same keys in three languages, every one used, every one there."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
import yaml

from chassis.webhooks.sender import ERRORS
from contracts import access, topology
from contracts.actors import CHANNELS, CHECKS, STAFF_ROLES
from contracts.errors import ERROR_OF_PATH
from gateway.api.callers import SCOPES
from gateway.api.evidence_schemas import CheckOutcome, EvidenceStatus
from gateway.languages import CATALOGUES, DEFAULT, LANGUAGES, preferred
from gateway.pages.evidence import CAME_TO_NOTHING
from gateway.pages.evidence_requests import RESULTS
from gateway.pages.mandates import TOLD
from gateway.pages.sessions import APP, OTHERS, SESSION
from gateway.problems import PROBLEM_OF_ERROR, PROBLEM_OF_STATUS
from services.cases.results import domain as results
from services.cases.work.states import (
    AT_HALL,
    PAPER_FORMS,
    RECEIVED,
    RESULT_AT_HALL,
    RESULT_UNDER_WAY,
    RETURNED,
    UNDER_WAY,
)
from services.identity.demo import DEPARTMENTS

RESULT_STATUSES = (results.VALID, results.EXPIRED, results.SUPERSEDED, results.REVOKED)

ITEM_SCHEMA = Path("services/cases/catalogue/item-schema.yaml")
GATEWAY = Path(__file__).parents[2] / "gateway"
PAPERS = (AT_HALL, UNDER_WAY, RECEIVED, RETURNED, RESULT_UNDER_WAY, RESULT_AT_HALL)
FAMILIES = (
    "cases-filter.", "cases-states.", "due-filter.", "assigned.", "sort.", "figures.",
    "audience.", "level.", "days.", "step-role", "where.",
    "action", "actor", "attempt-error", "channel", "delivery", "department", "ended-by", "event", "heard",
    "assurance.", "kind", "looked-at", "looked-by", "mandate.", "mandate-told", "problem", "purpose", "rule", "scope",
    "score", "source", "status", "told", "device-fault", "device-result", "device-title", "hall-fault", "kiosk-result",
    "hall-assurance-fault", "kiosk-title", "raised-by", "register-code", "register-field", "registry.", "second.by",
    "second.code", "browser.", "change.", "sessions-follows", "sessions-told", "due.", "hall-name", "staff-change",
    "file-status", "client-name", "part.", "papers.", "paper-form.", "check.",
    "delivered-by.", "suspension.", "work.shown-", "work.assigned-", "work.choose-", "case.step-", "progress.awaited-",
    "evidence-status.", "evidence.key-", "evidence.now-", "evidence.answer-", "evidence.expired",
    "evidence.changed", "evidence.unfit", "check-outcome.",
    "result-status.", "revocation.", "result.opening-", "result.see-", "verify.is-",
)  # fmt: skip
"""Keys that are put together from a code; what they must hold is tested by name below."""


def sources() -> str:
    return "\n".join(path.read_text() for path in chain(GATEWAY.rglob("templates/*.html"), GATEWAY.rglob("*.py")))


def test_all_languages_have_the_same_keys() -> None:
    assert {language: catalogue.keys for language, catalogue in CATALOGUES.items()} == dict.fromkeys(
        LANGUAGES, CATALOGUES[DEFAULT].keys
    )


def test_every_key_that_is_said_exists() -> None:
    said = set(re.findall(r"""\bsay\(\s*"([a-z][a-zA-Z.-]+[a-z])"[,)\s]""", sources()))
    assert said
    assert said <= CATALOGUES[DEFAULT].keys


def test_no_key_is_unused() -> None:
    text = sources()
    fixed = {key for key in CATALOGUES[DEFAULT].keys if not key.startswith(FAMILIES)}
    assert {key for key in fixed if f'"{key}"' not in text} == set()


@pytest.mark.parametrize("key", sorted(CATALOGUES[DEFAULT].keys))
def test_a_sentence_is_whole_in_every_language(key: str) -> None:
    fields = set()
    for catalogue in CATALOGUES.values():
        sentence = catalogue(key)
        assert sentence.strip()
        fields.add(frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name))
    assert len(fields) == 1


def item_words() -> dict[str, list[str]]:
    """What the schema of service items lets a description say, by the family of its words."""
    schema = yaml.safe_load(ITEM_SCHEMA.read_text(encoding="utf-8"))["properties"]
    return {
        "kind": schema["kind"]["enum"],
        "audience": schema["audience"]["enum"],
        "level": schema["level"]["enum"],
        "scope-of": schema["cross_region"]["properties"]["scope"]["enum"],
        "step-role": schema["steps"]["items"]["properties"]["role"]["enum"],
        "days": [f"{unit}{one}" for unit in schema["day_unit"]["enum"] for one in ("", "-one")],
    }


def test_every_code_has_its_word() -> None:
    errors = [PROBLEM_OF_ERROR[error] for error in ERROR_OF_PATH.values()]
    wanted = {
        *(f"evidence-status.{status}" for status in get_args(EvidenceStatus)),
        *(f"check-outcome.{outcome}" for outcome in get_args(CheckOutcome)),
        *(f"evidence.now-{status}" for status in CAME_TO_NOTHING),
        *(f"evidence.answer-{result}" for result in RESULTS),
        *(f"event.{event.type}" for event in topology.history_of("cases")),
        *(f"actor.{role}" for role in ("citizen", "agent", "system", *STAFF_ROLES)),
        *(f"attempt-error.{word}" for word in ERRORS),
        *(f"device-{part}.{word}" for part in ("title", "result") for word in ("approved", "denied")),
        *(f"device-fault.{word}" for word in ("unknown", "limited")),
        *(f"kiosk-{part}.{word}" for part in ("title", "result") for word in ("denied", "expired")),
        *(f"hall-fault.{word}" for word in ("format", "unknown", "limited", "phone", "code", "code-limited")),
        *(f"looked-by.{role}{of}" for role in access.ROLES for of in ("", "-of")),
        *(f"mandate-told.{told}" for told in TOLD),
        *(f"sessions-{part}.{what}" for part in ("follows", "told") for what in (SESSION, OTHERS, APP)),
        *(f"mandate.{status}" for status in ("offered", "live", "ended")),
        *(f"looked-at.{what}" for what in access.WHATS),
        *(f"purpose.{purpose}" for purpose in access.PURPOSES),
        *(f"second.{what}.{kind}" for what in ("by", "code") for kind in ("totp", "sms", "mail", "recovery")),
        *(f"{family}.{channel}" for channel in CHANNELS for family in ("channel", "where")),
        *(f"{family}.{value}" for family, values in item_words().items() for value in values),
        *(f"department.{department}" for department in DEPARTMENTS),
        *(f"papers.{where}" for where in PAPERS),
        *(f"paper-form.{form}" for form in PAPER_FORMS),
        *(f"check.{check}" for check in CHECKS),
        *(f"part.{state}" for state in ("waiting", "not_begun")),
        *(f"scope.{scope}" for scope in ("openid", "profile", "email", "offline_access", *SCOPES)),
        *(f"{family}{status}" for family in ("result-status.", "verify.is-") for status in RESULT_STATUSES),
        *(f"revocation.{reason}" for reason in (results.REOPENED, results.RENEWED, *results.REVOCATION_REASONS)),
        *(f"result.opening-{kind}" for kind in (results.CERTIFICATE, "approved", "refused")),
        *(f"result.see-{form}" for form in (results.CERTIFICATE, results.DECISION)),
        *(f"score.{score}" for score in range(1, 6)),
        *(f"problem.{problem.name}.{part}" for problem in errors for part in ("title", "detail")),
        *(f"problem.{problem.name}.title" for problem in PROBLEM_OF_STATUS.values()),
    }
    assert wanted - CATALOGUES[DEFAULT].keys == set()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh-Hans"),
        ("en-GB", "en"),
        ("zh", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-MO;q=0.3, en;q=0.2", "zh-Hant"),
        ("de, fr;q=0.9, en;q=0.1", "en"),
        ("en;q=0", "zh-Hans"),
        ("en;q=high, zh-TW;q=0.1", "zh-Hant"),
        ("*", "zh-Hans"),
    ],
)
def test_the_best_of_three_languages(header: str, language: str) -> None:
    assert preferred(header) == language


def test_only_the_beginning_of_the_wishes_is_read() -> None:
    assert preferred("en" + ", x0" * 1_000_000) == "en"
    assert preferred("fr," * 100 + "en") == DEFAULT


def test_a_code_newer_than_the_catalogue_is_shown_as_it_is() -> None:
    assert CATALOGUES["en"].word("event", "case.unheard-of") == "case.unheard-of"
