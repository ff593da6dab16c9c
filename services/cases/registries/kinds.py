"""Kinds of evidence: what each is found by, what it says, and how that is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from services.cases import forms
from services.cases.registries.comparing import Way

_FILE = Path(__file__).parent / "kinds.yaml"
_ABOUT_US = ("x-title", "x-compare", "x-labels")


@dataclass(frozen=True, eq=False)
class Kind:
    """`keys` and `fields` are name -> JSON Schema, `required` those fields that every answer has."""

    code: str
    keys: Mapping[str, Mapping[str, Any]]
    fields: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]

    @cached_property
    def ways(self) -> dict[str, Way]:
        return {name: Way(field.get("x-compare", Way.TEXT)) for name, field in self.fields.items()}

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Of what it says, all fields together."""
        return _object(self.fields, self.required)

    @cached_property
    def fields_validator(self) -> Draft202012Validator:
        return forms.validator(self.schema)

    @cached_property
    def keys_validator(self) -> Draft202012Validator:
        return forms.validator(_object(self.keys, tuple(self.keys)))


@cache
def all_kinds() -> Mapping[str, Kind]:
    """By the paper's code."""
    read = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {
        code: Kind(code, kind["keys"], kind["fields"], tuple(kind["required"])) for code, kind in sorted(read.items())
    }


def _object(properties: Mapping[str, Mapping[str, Any]], required: tuple[str, ...]) -> dict[str, Any]:
    plain = {
        name: {word: value for word, value in field.items() if word not in _ABOUT_US}
        for name, field in properties.items()
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "required": list(required),
        "properties": plain,
    }
