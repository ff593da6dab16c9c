"""A service item's form on a page: made from its JSON Schema and layout, read back, and shown again with its faults.

The schema's own keywords carry the words: `x-title`, `x-hint`, `x-labels` in three languages. `layout` is a list of
sections, `{"title", "fields"}`. `cases` alone says whether a form is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.errors import Fault
from gateway.languages import Catalogue
from gateway.problems import sentence

LONG_TEXT = 120
"""A text that may be longer than this gets several lines."""
LIST_FROM = 8
"""So many choices become a list to pick from; fewer are shown at once."""

TRUE, FALSE = "true", "false"
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


@dataclass(frozen=True, slots=True)
class FilledForm:
    """`content` is the form as the service takes it; `other_faults` belong to no field of the page."""

    sections: tuple[Section, ...]
    content: dict[str, Any]
    say: Catalogue
    other_faults: tuple[str, ...] = ()

    @classmethod
    def empty(cls, item: dict[str, Any], say: Catalogue) -> FilledForm:
        return cls.filled(item, {}, say)

    @classmethod
    def filled(cls, item: dict[str, Any], content: dict[str, Any], say: Catalogue) -> FilledForm:
        sections = tuple(
            Section(
                say.pick(part.get("title")),
                tuple(_field(item["form"], name, content.get(name), say) for name in part["fields"]),
            )
            for part in item["layout"]
        )
        return cls(sections, content, say)

    @classmethod
    def posted(cls, item: dict[str, Any], posted: Any, say: Catalogue) -> FilledForm:
        """`posted` is a multi-dict of strings, as a browser sends a form."""
        properties = item["form"]["properties"]
        read = {name: _read(schema, posted.getlist(name)) for name, schema in properties.items()}
        return cls.filled(item, {name: value for name, value in read.items() if value is not None}, say)

    def with_faults(self, faults: list[Fault]) -> FilledForm:
        """The same form, each fault at its field."""
        at_fields = {_field_of(fault): sentence(fault, self.say) for fault in reversed(faults)}
        names = {field.name for section in self.sections for field in section.fields}
        sections = tuple(
            replace(
                section,
                fields=tuple(replace(field, fault=at_fields.get(field.name, "")) for field in section.fields),
            )
            for section in self.sections
        )
        others = tuple(sentence(fault, self.say) for fault in faults if _field_of(fault) not in names)
        return replace(self, sections=sections, other_faults=others)

    def with_conflicts(self, conflicts: list[dict[str, Any]]) -> FilledForm:
        """The same form as typed; each field that another device has changed says what is saved there."""
        told = {each["field"]: (each["stands"], self.say.word("channel", each["channel"])) for each in conflicts}
        sections = tuple(
            replace(part, fields=tuple(self._in_conflict(field, told.get(field.name)) for field in part.fields))
            for part in self.sections
        )
        return replace(self, sections=sections)

    def _in_conflict(self, field: Field, told: tuple[Any, str] | None) -> Field:
        if told is None:
            return field
        saved = field.shown(told[0]) or self.say("draft.nothing")
        return replace(field, fault=self.say("draft.conflict-here", value=saved, channel=told[1]))

    @property
    def wrong_fields(self) -> list[Field]:
        return [field for section in self.sections for field in section.fields if field.fault]

    @property
    def has_faults(self) -> bool:
        return bool(self.wrong_fields or self.other_faults)

    def shown(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Sections of labels and answers, for reading: what was left open is left out."""
        sections = [
            (section.title, [(field.label, _answer(field)) for field in section.fields if field.value not in ("", [])])
            for section in self.sections
        ]
        return [section for section in sections if section[1]]


def _field_of(fault: Fault) -> str:
    """The form's member that a pointer such as `/form/full_name` leads to or into."""
    name = fault["pointer"].removeprefix("/form").removeprefix("/").partition("/")[0]
    return name.replace("~1", "/").replace("~0", "~")


def _field(form: Mapping[str, Any], name: str, value: Any, say: Catalogue) -> Field:
    schema = form["properties"][name]
    choices = _choices(schema, say)
    return Field(
        name=name,
        label=say.pick(schema.get("x-title")) or name,
        hint=say.pick(schema.get("x-hint")),
        control=_control(schema, choices),
        input_type=_INPUT_TYPES.get(schema.get("format", ""), "text"),
        is_required=name in form.get("required", ()),
        max_length=schema.get("maxLength"),
        choices=choices,
        value=as_posted(value),
    )


def _choices(schema: Mapping[str, Any], say: Catalogue) -> tuple[Choice, ...]:
    if schema.get("type") == "boolean":
        return (Choice(TRUE, say("form.yes")), Choice(FALSE, say("form.no")))
    labels = schema.get("x-labels", {})
    values = schema.get("enum") or schema.get("items", {}).get("enum", ())
    return tuple(Choice(str(value), say.pick(labels.get(str(value))) or str(value)) for value in values)


def _control(schema: Mapping[str, Any], choices: tuple[Choice, ...]) -> str:
    if schema.get("type") == "array":
        return "checkboxes"
    if choices:
        return "select" if len(choices) >= LIST_FROM else "radios"
    return "textarea" if schema.get("maxLength", 0) > LONG_TEXT and "format" not in schema else "text"


def _read(schema: Mapping[str, Any], posted: list[Any]) -> Any:
    """What was typed, as the schema's type where it can be; else as typed, for the service to refuse. None: nothing."""
    values = [str(value).replace("\r\n", "\n").replace("\x00", "").strip() for value in posted]
    values = [value for value in values if value]
    if not values:
        return None
    match schema.get("type"):
        case "array":
            return values
        case "boolean":
            return {TRUE: True, FALSE: False}.get(values[0], values[0])
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
        return TRUE if value else FALSE
    if isinstance(value, list):
        return [str(part) for part in value]
    return "" if value is None else str(value)


def _answer(field: Field) -> str:
    return field.shown(field.value)


def shown_value(value: Any) -> str:
    """A value whose field is not known any more."""
    posted = as_posted(value)
    return ", ".join(posted) if isinstance(posted, list) else str(posted)
