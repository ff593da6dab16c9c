"""Forms and what else people write: limits, and every fault named with its place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from contracts.errors import Fault, InvalidInput

MAX_BYTES = 65_536
MAX_DEPTH = 8
MAX_FAULTS = 100
MAX_NOTE = 2_000
NOT_ASKED = "x-show-if"

_CITIZEN_ID = re.compile("[0-9]{17}[0-9X]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

FORMATS = FormatChecker(["date", "email"])


@FORMATS.checks("citizen-id")
def is_citizen_id(value: object) -> bool:
    """GB 11643-1999: the birth date is one, and the last character checks the rest.

    The place of birth is not looked up: many people carry the code of a county that no longer exists.
    """
    if not isinstance(value, str):
        return True
    if not _CITIZEN_ID.fullmatch(value) or ric.calc_check_digit(value) != value[-1]:
        return False
    try:
        ric.get_birth_date(value)
    except InvalidComponent:
        return False
    return True


def _matches(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """`pattern` as ECMA-262 means it (JSON Schema, 6.3.3): a last `$` is the very end, not before a line break."""
    exact = pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern
    if isinstance(value, str) and not re.search(exact, value):
        yield ValidationError(f"does not match {pattern}")


_check_properties = Draft202012Validator.VALIDATORS["properties"]


def _properties(
    validator: Any, properties: dict[str, Any], value: object, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    """Besides what JSON Schema says: a field that is shown on a condition is left out where that is not met."""
    yield from _check_properties(validator, properties, value, schema)
    if isinstance(value, dict):
        for name, field in properties.items():
            if isinstance(field, dict) and name in value and not is_asked(field, value):
                yield ValidationError("is not asked for", path=[name], validator=NOT_ASKED, validator_value=False)


def is_asked(field: Mapping[str, Any], form: Mapping[str, Any]) -> bool:
    """Whether these answers call for the field: each other field that it names has one of the values."""
    conditions: Mapping[str, list[Any]] = field.get("x-show-if", {})
    return all(any(_is_same(form.get(other), value) for value in values) for other, values in conditions.items())


def _is_same(answer: object, value: object) -> bool:
    """In JSON, `true` is not 1."""
    return type(answer) is type(value) and answer == value


_FormValidator: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _matches, "properties": _properties}
)


def compile_schema(schema: dict[str, Any]) -> Draft202012Validator:
    """Raise `jsonschema.SchemaError` for a schema that is none."""
    Draft202012Validator.check_schema(schema)
    return validator(schema)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """For a schema that was checked before."""
    return _FormValidator(schema, format_checker=FORMATS)


def require_valid(form: object, validator: Draft202012Validator) -> str:
    """Give the form as canonical JSON, or raise `InvalidInput` with every fault, `/form/...`."""
    canonical = require_storable(form, "/form")
    # one place is reported once for a rule, by whatever branch of the schema
    found = {(each["pointer"], each["rule"]): each for error in validator.iter_errors(form) for each in _faults(error)}
    if found:
        raise InvalidInput(list(found.values())[:MAX_FAULTS])
    return canonical


def require_storable(form: object, pointer: str) -> str:
    """Give it as canonical JSON, whatever it says; raise `InvalidInput` for what is too much or cannot be kept."""
    faults = list(_unstorable(form, pointer))
    if faults:
        raise InvalidInput(faults[:MAX_FAULTS])
    canonical = json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if len(canonical.encode()) > MAX_BYTES:
        raise InvalidInput([fault(pointer, "maxBytes", MAX_BYTES)])
    return canonical


def require_text(value: object, pointer: str, maximum: int) -> str | None:
    """Text that may be absent, without the blanks around it; nothing left is `None`."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInput([fault(pointer, "type", "string")])
    if len(value) > maximum:
        raise InvalidInput([fault(pointer, "maxLength", maximum)])
    faults = list(_unstorable(value, pointer))
    if faults:
        raise InvalidInput(faults)
    return value.strip() or None


def fault(pointer: str, rule: str, value: Any) -> Fault:
    return Fault(pointer=pointer, rule=rule, value=value)


def _unstorable(value: object, pointer: str, depth: int = 0) -> Iterator[Fault]:
    """What JSON's grammar allows but the database does not, or nobody sends in good faith."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield fault(pointer, "characters", "no NUL, no lone surrogate")
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield fault(pointer, "type", "number")
    elif isinstance(value, dict | list):
        yield from _unstorable_parts(value, pointer, depth + 1)


def _unstorable_parts(whole: dict[str, Any] | list[Any], pointer: str, depth: int) -> Iterator[Fault]:
    if depth > MAX_DEPTH:
        yield fault(pointer, "maxDepth", MAX_DEPTH)
        return
    for name, part in whole.items() if isinstance(whole, dict) else enumerate(whole):
        if _UNSTORABLE.search(str(name)):
            yield fault(pointer, "characters", "no NUL, no lone surrogate")
        else:
            yield from _unstorable(part, f"{pointer}/{escaped(str(name))}", depth)


def _faults(error: ValidationError) -> Iterator[Fault]:
    """jsonschema names the parent of what is missing or too much; a reader wants the place itself."""
    pointer = "/form" + "".join(f"/{escaped(str(part))}" for part in error.absolute_path)
    instance: Any = error.instance
    wanted: Any = error.validator_value
    if error.validator == "required":
        yield from (_at(pointer, name, "required", True) for name in wanted if name not in instance)
    elif error.validator == "additionalProperties":
        schema: Any = error.schema
        unknown = (name for name in instance if name not in schema["properties"])
        yield from (_at(pointer, name, "additionalProperties", False) for name in unknown)
    else:
        yield fault(pointer, str(error.validator), wanted)


def _at(pointer: str, name: str, rule: str, value: Any) -> Fault:
    return fault(f"{pointer}/{escaped(name)}", rule, value)


def escaped(name: str) -> str:
    """One part of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
