"""The parts of a joint item: which items one form files, in what order, and which answer goes where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.cases import forms

MOST_PARTS = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One item of a joint item. `needs` are parts that must be approved before this one begins.

    `fields` leads from a field of the part's form to the one of the joint form that answers it; `fixed` are answers
    that are always the same here.
    """

    item: str
    needs: tuple[str, ...]
    only_if: Mapping[str, list[Any]]
    fields: Mapping[str, str]
    fixed: Mapping[str, Any]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Part:
        return cls(
            item=described["item"],
            needs=tuple(described.get("needs", ())),
            only_if=described.get("only_if", {}),
            fields=described["fields"],
            fixed=described.get("fixed", {}),
        )

    def is_asked(self, form: Mapping[str, Any]) -> bool:
        """Whether these answers of the joint form call for the part."""
        return forms.is_asked({"x-show-if": self.only_if}, form)

    def form_of(self, form: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
        """The part's form, of the joint one's answers; what `schema` does not ask after them is left out."""
        answers = {name: form[joint] for name, joint in self.fields.items() if joint in form} | dict(self.fixed)
        properties = schema["properties"]
        return {name: value for name, value in answers.items() if forms.is_asked(properties.get(name, {}), answers)}


def parts_of(description: Mapping[str, Any]) -> list[Part]:
    """None of an item that is no joint one."""
    return [Part.of(each) for each in description.get("parts", ())]


def asked_of(parts: list[Part], form: Mapping[str, Any]) -> list[Part]:
    """Those that the answers call for; what one needs that is not asked for, it does not wait for."""
    return [each for each in parts if each.is_asked(form)]
