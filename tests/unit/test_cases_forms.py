import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidInput
from services.cases import forms

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "born"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 10},
        "born": {"type": "string", "format": "date"},
        "id_number": {"type": "string", "format": "citizen-id", "maxLength": 18},
        "count": {"type": "number"},
        "post": {"type": "boolean"},
        "postal_code": {"type": "string"},
    },
    "if": {"required": ["post"], "properties": {"post": {"const": True}}},
    "then": {"required": ["postal_code"]},
}
VALIDATOR = forms.compile_schema(SCHEMA)
GOOD = {"name": "张晓兰", "born": "1990-02-28"}


def faults_of(form):
    with pytest.raises(InvalidInput) as refusal:
        forms.require_valid(form, VALIDATOR)
    return refusal.value.faults


def test_a_valid_form_is_given_in_its_one_canonical_form():
    assert forms.require_valid(GOOD, VALIDATOR) == '{"born":"1990-02-28","name":"张晓兰"}'
    assert forms.require_valid(dict(reversed(GOOD.items())), VALIDATOR) == forms.require_valid(GOOD, VALIDATOR)


def test_every_fault_is_named_with_its_place():
    form = {"name": "x", "born": "1990-02-30", "id_number": "110105194912310021", "a/b~c": 1, "post": True}
    assert sorted((fault["pointer"], fault["rule"], fault["value"]) for fault in faults_of(form)) == [
        ("/form/a~1b~0c", "additionalProperties", False),
        ("/form/born", "format", "date"),
        ("/form/id_number", "format", "citizen-id"),
        ("/form/name", "minLength", 2),
        ("/form/postal_code", "required", True),
    ]


def test_all_that_is_missing_is_named_once():
    assert faults_of({}) == [
        {"pointer": "/form/name", "rule": "required", "value": True},
        {"pointer": "/form/born", "rule": "required", "value": True},
    ]


@pytest.mark.parametrize("form", [None, [], "text", 1])
def test_a_form_is_an_object(form):
    assert faults_of(form) == [{"pointer": "/form", "rule": "type", "value": "object"}]


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"], ids=["NUL", "surrogate"])
def test_text_that_no_database_takes(text):
    assert faults_of(GOOD | {"name": text})[0]["pointer"] == "/form/name"
    assert faults_of(GOOD | {text: "value"})[0]["pointer"] == "/form"
    with pytest.raises(InvalidInput):
        forms.require_text(text, "/note", 10)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none(number):
    assert faults_of(GOOD | {"count": number}) == [{"pointer": "/form/count", "rule": "type", "value": "number"}]


def test_a_form_too_deep():
    form = {}
    for _ in range(5_000):
        form = {"a": form}
    assert faults_of(form)[0]["rule"] == "maxDepth"


def test_a_form_too_large():
    assert faults_of(GOOD | {"name": "张" * 30_000}) == [
        {"pointer": "/form", "rule": "maxBytes", "value": forms.MAX_BYTES}
    ]


def test_faults_are_no_flood():
    assert len(faults_of({f"field{number}": 1 for number in range(1_000)})) == forms.MAX_FAULTS


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda part: st.lists(part) | st.dictionaries(st.text(st.characters()), part),
    max_leaves=20,
)


@given(ANY_JSON | st.dictionaries(st.sampled_from(sorted(SCHEMA["properties"])), ANY_JSON))
def test_any_form_is_taken_or_refused_with_faults_that_can_be_sent(form):
    if VALIDATOR.is_valid(form):
        assert json.loads(forms.require_valid(form, VALIDATOR)) == form
    else:
        faults = faults_of(form)
        assert faults
        json.dumps(faults, allow_nan=False).encode()


@pytest.mark.parametrize(("text", "kept"), [(None, None), ("  ", None), (" a ", "a")])
def test_require_text(text, kept):
    assert forms.require_text(text, "/note", 10) == kept


@pytest.mark.parametrize(("text", "rule"), [("a" * 11, "maxLength"), (5, "type")])
def test_text_that_is_refused(text, rule):
    with pytest.raises(InvalidInput) as refusal:
        forms.require_text(text, "/note", 10)
    assert (refusal.value.faults[0]["pointer"], refusal.value.faults[0]["rule"]) == ("/note", rule)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("11010519491231002X", True),
        ("110105194912310021", False),
        ("11010519491231002x", False),
        ("110105194902310026", False),
        ("1101051949123100", False),
        ("", False),
        (5, True),
    ],
)
def test_citizen_id(value, right):
    assert forms.is_citizen_id(value) is right


def test_a_pattern_admits_no_line_break_behind_its_end():
    validator = forms.compile_schema({"properties": {"telephone": {"type": "string", "pattern": "^[0-9]+$"}}})
    assert forms.require_valid({"telephone": "138"}, validator)
    with pytest.raises(InvalidInput):
        forms.require_valid({"telephone": "138\n"}, validator)
