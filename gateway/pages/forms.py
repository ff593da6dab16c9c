"""A service item's form on a page: made from its JSON Schema and layout, read back, and shown again with its faults.

The schema's own keywords carry the words: `x-title`, `x-hint`, `x-labels` in three languages. `layout` is a list of
sections, `{"title", "fields"}`. `cases` alone says whether a form is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.errors import Fault
from gateway.languages import Catalogue
from gateway.masking import mask
from gateway.pages.form_conditions import asked, required
from gateway.pages.form_fields import Field, Section, made_of, value_of
from gateway.problems import sentence

ASKED = "_asked"
"""What a page says of each field that it shows on a condition; no field of a form can be called so."""


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
                    made_of(form, name, content.get(name), say, is_asked=name in shown, is_required=name in needed)
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
        read = {name: value_of(schema, posted.getlist(name)) for name, schema in properties.items()}
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


def _answer(field: Field, masked: bool) -> str:
    return mask(str(field.value)) if masked and field.is_identifier else field.shown(field.value)
