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
from services.cases.catalogue.faults import Fault
from services.cases.catalogue.model import LANGUAGES

_ITEM_SCHEMA = Path(__file__).parent / "item-schema.yaml"
_SIGNPOST_LANGUAGES = ("zh-Hans", "zh-Hant")
"""Of an item that is only listed: nobody has translated the names of the official lists into English."""


def faults_of(description: Any) -> list[Fault]:
    """Every fault of one item; what its shape already breaks is not looked into further."""
    code = str(description.get("code", "?")) if isinstance(description, dict) else "?"
    found = [Fault(code, error.json_path, error.message[:500]) for error in _validator().iter_errors(description)]
    if not found:
        found = [Fault(code, *fault) for fault in _deeper_faults(description)]
    return sorted(found)


@cache
def _validator() -> Draft202012Validator:
    return forms.compile_schema(yaml.safe_load(_ITEM_SCHEMA.read_text(encoding="utf-8")))


def _deeper_faults(description: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _untranslated(description, LANGUAGES if description["online"] else _SIGNPOST_LANGUAGES)
    if "form" in description:
        yield from _faults_of_form(description)
    for part in ("documents", "steps"):
        codes = [each["code"] for each in description.get(part, ())]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            yield f"$.{part}", f"{code} stands in it more than once"
    if description.get("promised_days", 0) > description.get("statutory_days", 3660):
        yield "$.promised_days", "more is promised than the law allows"


def _untranslated(value: Any, languages: tuple[str, ...], place: str = "$") -> Iterator[tuple[str, str]]:
    """Every text that is said in one of our languages and not in all that are needed."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _untranslated(part, languages, f"{place}[{index}]")
    if not isinstance(value, dict):
        return
    if value and value.keys() <= set(LANGUAGES):
        missing = [language for language in languages if not _is_said(value.get(language))]
        if missing:
            yield place, f"not translated into {', '.join(missing)}"
        return
    for name, part in value.items():
        yield from _untranslated(part, languages, f"{place}.{name}")


def _is_said(text: Any) -> bool:
    return bool(text.strip() if isinstance(text, str) else text)


def _faults_of_form(description: dict[str, Any]) -> Iterator[tuple[str, str]]:
    form = description["form"]
    try:
        forms.require_valid(description["example"], forms.compile_schema(form))
    except SchemaError as error:
        yield "$.form", error.message[:500]
        return
    except InvalidInput as error:
        for fault in error.faults:
            yield "$.example", f"{fault['pointer']} breaks {fault['rule']} {fault['value']}"
    placed = sorted(field for section in description["layout"] for field in section["fields"])
    if placed != sorted(form["properties"]):
        yield "$.layout", "every field of the form stands in it, once"
    for name, field in form["properties"].items():
        yield from _faults_of_field(f"$.form.properties.{name}", name, field, form)


def _faults_of_field(place: str, name: str, field: dict[str, Any], form: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if set(field.get("enum", ())) != set(field.get("x-labels", ())):
        yield place, "every choice has a label"
    for other, values in field.get("x-show-if", {}).items():
        choices = form["properties"].get(other, {}).get("enum", [True, False])
        if other == name or other not in form["properties"] or not set(values) <= set(choices):
            yield f"{place}.x-show-if", f"{other} is no other field, or has no such value"
