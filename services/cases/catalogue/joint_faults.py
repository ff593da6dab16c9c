"""What is wrong with joint items: no such part, an answer without a place, parts that wait for each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from contracts.errors import InvalidInput
from contracts.files import DEFAULT_TYPES
from services.cases import forms
from services.cases.catalogue import wording
from services.cases.catalogue.circles import shortest_circle
from services.cases.catalogue.faults import Fault
from services.cases.catalogue.parts import Part, asked_of, parts_of

Description = Mapping[str, Any]

_SAME: Final = ("type", "format", "pattern")
_AT_MOST: Final = ("maxLength", "maximum")
_AT_LEAST: Final = ("minLength", "minimum")


def faults_of(descriptions: Iterable[Description]) -> Iterator[Fault]:
    """Of every joint item among all that would be published together."""
    items = {each["code"]: each for each in descriptions}
    for description in items.values():
        if "parts" in description:
            yield from _faults_of_one(description, items)


def _faults_of_one(joint: Description, items: Mapping[str, Description]) -> Iterator[Fault]:
    parts = parts_of(joint)
    found = [*_faults_of_structure(joint, parts), *_faults_of_conditions(joint, parts)]
    for index, part in enumerate(parts):
        item = items.get(part.item)
        if item is None or not item["online"] or "parts" in item:
            found.append(_fault(joint, f"$.parts[{index}].item", "part-unknown", part=part.item))
        else:
            found += _faults_of_mapping(joint, index, part, item)
    found += _faults_of_documents(joint, parts, items)
    yield from found
    if not found:
        yield from _faults_of_example(joint, parts, items)
        yield from _faults_of_unused(joint, parts)


def _faults_of_structure(joint: Description, parts: list[Part]) -> Iterator[Fault]:
    codes = [part.item for part in parts]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield _fault(joint, "$.parts", "twice", code=code)
    for index, part in enumerate(parts):
        for need in part.needs:
            if need not in codes:
                yield _fault(joint, f"$.parts[{index}].needs", "part-need-unknown", part=part.item, need=need)
    needs = {part.item: [need for need in part.needs if need in codes] for part in parts}
    if circle := shortest_circle(needs):
        path = wording.ARROW.join([*circle, circle[0]])
        yield _fault(joint, "$.parts", "part-circle", path=path)


def _faults_of_conditions(joint: Description, parts: list[Part]) -> Iterator[Fault]:
    """A condition is on a field with choices, and what a part waits for is asked for whenever the part is."""
    fields, by_code = joint["form"]["properties"], {part.item: part for part in parts}
    for index, part in enumerate(parts):
        for field, values in part.only_if.items():
            choices = fields.get(field, {}).get("enum", [True, False] if _is_yes_or_no(fields.get(field)) else [])
            if not set(values) <= set(choices):
                yield _fault(joint, f"$.parts[{index}].only_if", "condition", field=field)
        for need in part.needs:
            if need in by_code and not _is_within(part.only_if, by_code[need].only_if):
                yield _fault(joint, f"$.parts[{index}].needs", "part-need-open", part=part.item, need=need)


def _is_yes_or_no(field: Description | None) -> bool:
    return field is not None and field.get("type") == "boolean"


def _is_within(condition: Mapping[str, list[Any]], other: Mapping[str, list[Any]]) -> bool:
    """Whether the other is met wherever this one is."""
    return all(field in condition and set(condition[field]) <= set(values) for field, values in other.items())


def _faults_of_mapping(joint: Description, index: int, part: Part, item: Description) -> Iterator[Fault]:
    place = f"$.parts[{index}]"
    asked, answers = item["form"]["properties"], joint["form"]["properties"]
    for name in (*part.fields, *part.fixed):
        if name not in asked or (name in part.fields and name in part.fixed):
            yield _fault(joint, f"{place}.fields.{name}", "part-field-unknown", part=part.item, field=name)
    for name in item["form"]["required"]:
        if name not in part.fixed and not _is_answered(joint, part, name):
            yield _fault(joint, f"{place}.fields", "part-field-unanswered", part=part.item, field=name)
    for name, source in part.fields.items():
        if source not in answers:
            yield _fault(joint, f"{place}.fields.{name}", "condition", field=source)
        elif name in asked and (rule := _looser(answers[source], asked[name])):
            yield _fault(
                joint,
                f"{place}.fields.{name}",
                "part-field-looser",
                field=source,
                rule=rule,
                part=part.item,
                other=name,
            )


def _faults_of_documents(joint: Description, parts: list[Part], items: Mapping[str, Description]) -> Iterator[Fault]:
    """What parts name by the same code is handed in once: the same paper, in a type that all of them take."""
    first: dict[str, tuple[str, Description]] = {}
    for index, part in enumerate(parts):
        for document in items.get(part.item, {}).get("documents", ()):
            other, known = first.setdefault(document["code"], (part.item, document))
            types = set(document.get("accept", DEFAULT_TYPES)) & set(known.get("accept", DEFAULT_TYPES))
            if set(document.get("proofs", ())) != set(known.get("proofs", ())) or not types:
                names = {"part": part.item, "other": other, "document": document["code"]}
                yield _fault(joint, f"$.parts[{index}]", "part-document", **names)


def _is_answered(joint: Description, part: Part, name: str) -> bool:
    """Whether the field is asked in the joint form whenever the part is filed."""
    source = part.fields.get(name)
    if source is None or source in joint["form"]["required"]:
        return source is not None
    shown = joint["form"]["properties"].get(source, {}).get("x-show-if")
    return bool(part.only_if) and (shown is None or _is_within(part.only_if, shown))


def _looser(answer: Description, asked: Description) -> str | None:
    """Which rule of the part's field lets the joint form's field through that the part would refuse."""
    for rule in _SAME:
        if rule in asked and answer.get(rule) != asked[rule]:
            return rule
    for rule in _AT_MOST:
        if rule in asked and answer.get(rule, asked[rule] + 1) > asked[rule]:
            return rule
    for rule in _AT_LEAST:
        if rule in asked and answer.get(rule, asked[rule] - 1) < asked[rule]:
            return rule
    if "enum" in asked and not set(answer.get("enum", [None])) <= set(asked["enum"]):
        return "enum"
    return None


def _faults_of_example(joint: Description, parts: list[Part], items: Mapping[str, Description]) -> Iterator[Fault]:
    """The example files every part that it calls for."""
    for part in asked_of(parts, joint["example"]):
        form = items[part.item]["form"]
        try:
            forms.require_valid(part.form_of(joint["example"], form), forms.validator(form))
        except InvalidInput as error:
            for fault in error.faults:
                yield _fault(joint, "$.example", "part-example", part=part.item, **fault)


def _faults_of_unused(joint: Description, parts: list[Part]) -> Iterator[Fault]:
    """Whatever is asked goes somewhere, or decides what is filed or asked."""
    fields = joint["form"]["properties"]
    used = {source for part in parts for source in part.fields.values()}
    used |= {field for part in parts for field in part.only_if}
    used |= {other for field in fields.values() for other in field.get("x-show-if", ())}
    for name in sorted(set(fields) - used):
        yield _fault(joint, f"$.form.properties.{name}", "part-field-unused", field=name)


def _fault(joint: Description, place: str, key: str, **values: Any) -> Fault:
    return wording.fault(joint["code"], place, key, **values)
