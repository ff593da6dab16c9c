"""The fields of a form, made from its JSON Schema: what draws each, what was typed into it, how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.languages import Catalogue
from gateway.masking import is_identifier

LONG_TEXT = 120
"""A text that may be longer than this gets several lines."""
LIST_FROM = 8
"""So many choices become a list to pick from; fewer are shown at once."""

_TRUE, _FALSE = "true", "false"
_INPUT_TYPES = {"email": "email", "date": "date", "uri": "url"}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """`control` is the macro that draws it: text, date, textarea, radios, select or checkboxes."""

    name: str
    label: str
    hint: str
    control: str
    input_type: str
    is_required: bool
    max_length: int | None
    choices: tuple[Choice, ...]
    value: Any = ""
    fault: str = ""
    autocomplete: str = ""
    input_mode: str = ""
    """Which keys a phone shows (HTML, `inputmode`)."""
    show_if: Mapping[str, list[str]] = field(default_factory=dict)
    """Other fields, as they are posted, with the values of which each must have one for this to be asked."""
    is_asked: bool = True
    is_new: bool = False
    """Whether it is asked only since the page before."""
    is_identifier: bool = False

    @property
    def is_short(self) -> bool:
        return self.max_length is not None and self.max_length <= 25

    def shown(self, value: Any) -> str:
        """A value of this field as people read it, by the labels of its choices."""
        labels = {choice.value: choice.label for choice in self.choices}
        posted = as_posted(value)
        parts = posted if isinstance(posted, list) else [posted]
        return ", ".join(labels.get(part, part) for part in map(str, parts))


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    fields: tuple[Field, ...]


def made_of(
    form: Mapping[str, Any], name: str, value: Any, say: Catalogue, *, is_asked: bool, is_required: bool
) -> Field:
    schema = form["properties"][name]
    choices = _choices(schema, say)
    return Field(
        name=name,
        label=say.pick(schema.get("x-title")) or name,
        hint=say.pick(schema.get("x-hint")),
        control=_control(schema, choices),
        input_type=_INPUT_TYPES.get(schema.get("format", ""), "text"),
        is_required=is_required,
        max_length=schema.get("maxLength"),
        choices=choices,
        value=as_posted(value),
        input_mode=_input_mode(schema),
        show_if={other: posted_values(values) for other, values in schema.get("x-show-if", {}).items()},
        is_asked=is_asked,
        is_identifier=is_identifier(name, schema),
    )


def _choices(schema: Mapping[str, Any], say: Catalogue) -> tuple[Choice, ...]:
    if schema.get("type") == "boolean":
        return (Choice(_TRUE, say("form.yes")), Choice(_FALSE, say("form.no")))
    labels = schema.get("x-labels", {})
    values = schema.get("enum") or schema.get("items", {}).get("enum", ())
    return tuple(Choice(str(value), say.pick(labels.get(str(value))) or str(value)) for value in values)


def _control(schema: Mapping[str, Any], choices: tuple[Choice, ...]) -> str:
    if schema.get("type") == "array":
        return "checkboxes"
    if choices:
        return "select" if len(choices) >= LIST_FROM else "radios"
    return "textarea" if schema.get("maxLength", 0) > LONG_TEXT and "format" not in schema else "text"


def _input_mode(schema: Mapping[str, Any]) -> str:
    """Digits alone where nothing else can be right: such keys have no minus."""
    if schema.get("type") not in ("integer", "number") or schema.get("minimum", -1) < 0:
        return ""
    return "numeric" if schema["type"] == "integer" else "decimal"


def value_of(schema: Mapping[str, Any], posted: list[Any]) -> Any:
    """What was typed, as the schema's type where it can be; else as typed, for the service to refuse. None: nothing."""
    values = [str(value).replace("\r\n", "\n").replace("\x00", "").strip() for value in posted]
    values = [value for value in values if value]
    if not values:
        return None
    match schema.get("type"):
        case "array":
            return values
        case "boolean":
            return {_TRUE: True, _FALSE: False}.get(values[0], values[0])
        case "integer":
            return int(values[0]) if _is_integer(values[0]) else values[0]
        case "number":
            return _number(values[0])
    return values[0]


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 16


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if abs(number) < 1e15 else text


def as_posted(value: Any) -> Any:
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, list):
        return [str(part) for part in value]
    return "" if value is None else str(value)


def posted_values(values: list[Any]) -> list[str]:
    return [str(as_posted(value)) for value in values]


def shown_value(value: Any) -> str:
    """A value whose field is not known any more."""
    posted = as_posted(value)
    return ", ".join(posted) if isinstance(posted, list) else str(posted)
