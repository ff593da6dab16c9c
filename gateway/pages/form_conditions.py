"""Which fields of a form are asked, and needed, with these answers. `cases` alone says whether a form is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.pages.form_fields import as_posted, posted_values


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
                other in shown and as_posted(content.get(other)) in posted_values(values)
                for other, values in schema["x-show-if"].items()
            )
        }
        if not more:
            return shown
        shown |= more


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
