"""A service item's form on a page: made from its JSON Schema and layout, read back, and shown again with its faults.

The schema's own keywords carry the words: `x-title`, `x-hint`, `x-labels` in three languages. `layout` is a list of
sections, `{"title", "fields"}`. `cases` alone says whether a form is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.errors import Fault
from gateway.languages import Catalogue
from gateway.masking import is_identifier, mask
from gateway.problems import sentence

LONG_TEXT = 120
"""A text that may be longer than this gets several lines."""
LIST_FROM = 8
"""So many choices become a list to pick from; fewer are shown at once."""

ASKED = "_asked"
"""What a page says of each field that it shows on a condition; no field of a form can be called so."""
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
        form = item["form"]
        shown, needed = asked(form, content), required(form, content)
        sections = tuple(
            Section(
                say.pick(part.get("title")),
                tuple(
                    _field(form, name, content.get(name), say, is_asked=name in shown, is_required=name in needed)
                    for name in part["fields"]
                ),
            )
            for part in item["layout"]
        )
        return cls(sections, content, say)

    @classmethod
    def posted(cls, item: dict[str, Any], posted: Any, say: Catalogue, *, is_whole: bool = True) -> FilledForm:
        """`posted` is a multi-dict of strings, as a browser sends a form. What is not asked (any more) is left out.

        Of a form that is not whole nobody can say what is asked.
        """
        properties = item["form"]["properties"]
        read = {name: _read(schema, posted.getlist(name)) for name, schema in properties.items()}
        content = {name: value for name, value in read.items() if value is not None}
        shown = asked(item["form"], content) if is_whole else properties.keys()
        return cls.filled(item, {name: value for name, value in content.items() if name in shown}, say)

    def newly_asked(self, posted: Any) -> FilledForm | None:
        """The form with what its answers ask for besides, if the page did not show it; scripts show it at once."""
        before = {*posted.getlist(ASKED), *self.content}
        new = {each.name for each in self._fields() if each.show_if and each.is_asked} - before
        if not new:
            return None
        sections = tuple(
            replace(part, fields=tuple(replace(each, is_new=each.name in new) for each in part.fields))
            for part in self.sections
        )
        return replace(self, sections=sections)

    def _fields(self) -> Iterator[Field]:
        for section in self.sections:
            yield from section.fields

    @property
    def new_fields(self) -> list[Field]:
        return [each for each in self._fields() if each.is_new]

    def refused(self, sentence: str) -> FilledForm:
        """The same form, with what is wrong about filing it here."""
        return replace(self, other_faults=(sentence,))

    def with_faults(self, faults: list[Fault], documents: Mapping[str, str] | None = None) -> FilledForm:
        """The same form, each fault at its field; `documents` are the names of those that may be missing."""
        at_fields = {_field_of(fault): sentence(fault, self.say) for fault in reversed(faults)}
        names = {field.name for section in self.sections for field in section.fields}
        sections = tuple(
            replace(
                section,
                fields=tuple(replace(field, fault=at_fields.get(field.name, "")) for field in section.fields),
            )
            for section in self.sections
        )
        others = tuple(self._told(fault, documents or {}) for fault in faults if _field_of(fault) not in names)
        return replace(self, sections=sections, other_faults=others)

    def _told(self, fault: Fault, documents: Mapping[str, str]) -> str:
        name = documents.get(fault["pointer"].removeprefix("/documents/"))
        said = sentence(fault, self.say)
        return self.say("form.fault", label=name, fault=said) if name else said

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

    def shown(self, *, masked: bool) -> list[tuple[str, list[tuple[str, str]]]]:
        """Sections of labels and answers, for reading: what was left open is left out.

        `masked` where an ID number, phone or mail address is only to be known again; who decides by it needs it whole.
        """
        sections = [
            (
                section.title,
                [
                    (each.label, _answer(each, masked))
                    for each in section.fields
                    if each.is_asked and each.value not in ("", [])
                ],
            )
            for section in self.sections
        ]
        return [section for section in sections if section[1]]


def _field_of(fault: Fault) -> str:
    """The form's member that a pointer such as `/form/full_name` leads to or into."""
    name = fault["pointer"].removeprefix("/form").removeprefix("/").partition("/")[0]
    return name.replace("~1", "/").replace("~0", "~")


def asked(form: Mapping[str, Any], content: Mapping[str, Any]) -> set[str]:
    """The fields that these answers call for. One that is not asked has no answer for others to depend on."""
    properties = form["properties"]
    shown = {name for name, schema in properties.items() if not schema.get("x-show-if")}
    while True:
        more = {
            name
            for name, schema in properties.items()
            if name not in shown
            and all(
                other in shown and as_posted(content.get(other)) in _posted_values(values)
                for other, values in schema["x-show-if"].items()
            )
        }
        if not more:
            return shown
        shown |= more


def _posted_values(values: list[Any]) -> list[str]:
    return [str(as_posted(value)) for value in values]


def required(form: Mapping[str, Any], content: Mapping[str, Any]) -> set[str]:
    """The fields that must be filled in with these answers, or once they are shown."""
    needed = set(form.get("required", ()))
    for rule in (form, *form.get("allOf", ())):
        condition = rule.get("if")
        if condition is None:
            continue
        branch = rule.get("then" if _is_met(condition, content) else "else", {})
        needed.update(branch.get("required", ()))
        # what is shown only where it is needed is needed whenever it is shown
        then = rule.get("then", {}).get("required", ())
        needed.update(name for name in then if form["properties"].get(name, {}).get("x-show-if"))
    return needed


def _is_met(condition: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """For conditions on single values, which are those that people can follow; `cases` checks the form by all of it."""
    if any(name not in content for name in condition.get("required", ())):
        return False
    return all(
        content[name] in (schema["enum"] if "enum" in schema else [schema.get("const")])
        for name, schema in condition.get("properties", {}).items()
        if name in content
    )


def _field(
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
        show_if={other: _posted_values(values) for other, values in schema.get("x-show-if", {}).items()},
        is_asked=is_asked,
        is_identifier=is_identifier(name, schema),
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


def _input_mode(schema: Mapping[str, Any]) -> str:
    """Digits alone where nothing else can be right: such keys have no minus."""
    if schema.get("type") not in ("integer", "number") or schema.get("minimum", -1) < 0:
        return ""
    return "numeric" if schema["type"] == "integer" else "decimal"


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


def _answer(field: Field, masked: bool) -> str:
    return mask(str(field.value)) if masked and field.is_identifier else field.shown(field.value)


def shown_value(value: Any) -> str:
    """A value whose field is not known any more."""
    posted = as_posted(value)
    return ", ".join(posted) if isinstance(posted, list) else str(posted)
