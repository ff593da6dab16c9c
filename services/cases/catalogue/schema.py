"""What is wrong with one item on its own: its shape, its form, its languages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, SchemaError

from contracts.errors import InvalidInput
from services.cases import forms
from services.cases.catalogue import checked, steps
from services.cases.catalogue.circles import shortest_circle
from services.cases.catalogue.faults import Fault
from services.cases.catalogue.model import LANGUAGES
from services.cases.catalogue.wording import ARROW, say

_ITEM_SCHEMA = Path(__file__).parent / "item-schema.yaml"
Said = dict[str, str]
"""A sentence in every language."""
_SIGNPOST_LANGUAGES = ("zh-Hans", "zh-Hant")
"""Of an item that is only listed: nobody has translated the names of the official lists into English."""


def faults_of(description: Any) -> list[Fault]:
    """Every fault of one item; what its shape already breaks is not looked into further."""
    code = str(description.get("code", "?")) if isinstance(description, dict) else "?"
    found = [Fault(code, error.json_path, error.message[:500]) for error in _validator().iter_errors(description)]
    if not found:
        found = [Fault(code, place, said["en"], said) for place, said in _deeper_faults(description)]
    return sorted(found)


@cache
def _validator() -> Draft202012Validator:
    return forms.compile_schema(yaml.safe_load(_ITEM_SCHEMA.read_text(encoding="utf-8")))


def _deeper_faults(description: dict[str, Any]) -> Iterator[tuple[str, Said]]:
    yield from _untranslated(description, LANGUAGES if description["online"] else _SIGNPOST_LANGUAGES)
    if "form" in description:
        yield from _faults_of_form(description)
        yield from _faults_of_result(description)
    for part in ("documents", "steps"):
        codes = [each["code"] for each in description.get(part, ())]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            yield f"$.{part}", say("twice", code=code)
    if "steps" in description:
        yield from steps.faults_of(description["steps"])
    yield from _faults_of_documents(description)
    if description.get("promised_days", 0) > description.get("statutory_days", 3660):
        yield "$.promised_days", say("over-promised")


def _faults_of_documents(description: dict[str, Any]) -> Iterator[tuple[str, Said]]:
    for index, document in enumerate(description.get("documents", ())):
        if document.get("may_follow") and not description.get("provisional_acceptance", {}).get("open"):
            yield f"$.documents[{index}].may_follow", say("follow-closed")
        if document.get("may_be_declared") and not description.get("commitment", {}).get("open"):
            yield f"$.documents[{index}].may_be_declared", say("declared-closed")
        yield from checked.faults_of(document, description, f"$.documents[{index}]")
        for name in sorted({*document.get("keys", {}).values()} - {*description.get("form", {}).get("properties", {})}):
            yield f"$.documents[{index}].keys", say("result-field", field=name)


def _untranslated(value: Any, languages: tuple[str, ...], place: str = "$") -> Iterator[tuple[str, Said]]:
    """Every text that is said in one of our languages and not in all that are needed."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _untranslated(part, languages, f"{place}[{index}]")
    if not isinstance(value, dict):
        return
    if value and value.keys() <= set(LANGUAGES):
        missing = [language for language in languages if not _is_said(value.get(language))]
        if missing:
            yield place, say("untranslated", languages=", ".join(missing))
        return
    for name, part in value.items():
        yield from _untranslated(part, languages, f"{place}.{name}")


def _is_said(text: Any) -> bool:
    return bool(text.strip() if isinstance(text, str) else text)


def _faults_of_result(description: dict[str, Any]) -> Iterator[tuple[str, Said]]:
    for name in description.get("result", {}).get("fields", ()):
        if name not in description["form"]["properties"]:
            yield "$.result.fields", say("result-field", field=name)
    for name in description.get("result", {}).get("replaces_by", ()):
        if name not in description["result"].get("fields", ()):
            yield "$.result.replaces_by", say("evidence-field", field=name)


def _faults_of_form(description: dict[str, Any]) -> Iterator[tuple[str, Said]]:
    form = description["form"]
    try:
        forms.require_valid(description["example"], forms.compile_schema(form))
    except SchemaError as error:
        yield "$.form", dict.fromkeys(LANGUAGES, error.message[:500])
        return
    except InvalidInput as error:
        for fault in error.faults:
            yield "$.example", say("example", **fault)
    placed = sorted(field for section in description["layout"] for field in section["fields"])
    if placed != sorted(form["properties"]):
        yield "$.layout", say("layout")
    conditions = {name: [*field.get("x-show-if", {})] for name, field in form["properties"].items()}
    if all(other in conditions for others in conditions.values() for other in others) and (
        circle := shortest_circle(conditions)
    ):
        yield "$.form", say("condition-circle", path=ARROW.join([*circle, circle[0]]))
    for name, field in form["properties"].items():
        yield from _faults_of_field(f"$.form.properties.{name}", name, field, form)


def _faults_of_field(place: str, name: str, field: dict[str, Any], form: dict[str, Any]) -> Iterator[tuple[str, Said]]:
    if set(field.get("enum", ())) != set(field.get("x-labels", ())):
        yield place, say("labels")
    for other, values in field.get("x-show-if", {}).items():
        choices = form["properties"].get(other, {}).get("enum", [True, False])
        if other == name or other not in form["properties"] or not set(values) <= set(choices):
            yield f"{place}.x-show-if", say("condition", field=other)
    if "x-show-if" in field and name in form["required"]:
        yield f"{place}.x-show-if", say("always-required")
