"""How two channels' changes of one draft come together, and what of it fits a newer form."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidInput
from services.cases.drafts.domain import begun, carry_over, merge

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FIELDS = st.sampled_from(["name", "address", "phone"])
CHANGES = st.dictionaries(FIELDS, st.sampled_from(["a", "b", None]), max_size=3)


def draft_of(**form):
    empty = begun("d", "alice", "elderly-card", 1, channel="web", at=NOW)
    return merge(empty, form, 0, channel="web", at=NOW).draft if form else empty


def put(draft, base, channel="app", **changes):
    return merge(draft, changes, base, channel=channel, at=NOW)


def test_different_fields_come_together():
    draft = draft_of(name="Li")
    on_web = put(draft, 1, "web", address="North Street").draft
    on_app = put(on_web, 1, "app", phone="1")
    assert on_app.draft.form == {"name": "Li", "address": "North Street", "phone": "1"}
    assert not on_app.conflicts


def test_the_second_to_change_a_field_hears_of_the_first():
    draft = put(draft_of(name="Li"), 1, "app", name="Li Ming").draft
    late = put(draft, 1, "web", name="Li Hua", phone="1")
    assert late.draft.form == {"name": "Li Ming", "phone": "1"}
    (conflict,) = late.conflicts
    assert (conflict.field, conflict.stands, conflict.refused, conflict.channel) == ("name", "Li Ming", "Li Hua", "app")
    assert put(late.draft, late.draft.revision, "web", name="Li Hua").draft.form["name"] == "Li Hua"


def test_a_field_that_was_not_touched_there_is_no_conflict():
    draft = put(draft_of(name="Li", phone="1"), 1, "app", name="Li Ming").draft
    whole_page = put(draft, 1, "web", name="Li", phone="2")
    assert whole_page.draft.form == {"name": "Li Ming", "phone": "2"}
    assert not whole_page.conflicts


def test_both_wrote_the_same():
    draft = put(draft_of(), 0, "app", name="Li").draft
    assert put(draft, 0, "web", name="Li") == put(draft, 1, "web")


def test_emptied_meanwhile_is_a_change_too():
    draft = put(draft_of(name="Li"), 1, "app", name=None).draft
    late = put(draft, 1, "web", name="Li Hua")
    assert draft.form == late.draft.form == {}
    assert late.conflicts[0].stands is None


@pytest.mark.parametrize("base", [-1, 2])
def test_a_revision_that_never_was(base):
    with pytest.raises(InvalidInput):
        put(draft_of(name="Li"), base, name="Wang")


@given(st.lists(st.tuples(st.integers(0, 3), CHANGES), max_size=8))
def test_nobodys_change_is_lost_silently(steps):
    """Whatever is sent, each field is as sent, or as it stood and the sender hears so, or was not touched there."""
    draft = draft_of()
    history = [draft]
    for back, changes in steps:
        known = history[max(0, len(history) - 1 - back)]
        merged = merge(draft, changes, known.revision, channel="app", at=NOW)
        told = {conflict.field for conflict in merged.conflicts}
        for name, value in changes.items():
            stands, knew = merged.draft.form.get(name), known.form.get(name)
            assert stands == value or name in told or value == knew or value == draft.entries[name].before
        assert {name: v for name, v in merged.draft.form.items() if name not in changes} == {
            name: v for name, v in draft.form.items() if name not in changes
        }
        draft = merged.draft
        history.append(draft)


FORM = {
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "sex": {"type": "string", "enum": ["female", "male"]},
        "alone": {"type": "boolean"},
    }
}


def test_what_fits_a_newer_form_is_carried_over_and_the_rest_is_named():
    old = draft_of(name="Li", age="about 70", sex="woman", alone=True, fax="1")
    new = carry_over(old, 2, FORM, channel="web", at=NOW)
    assert new.form == {"name": "Li", "age": "about 70", "alone": True}
    assert new.left_over == {"sex": "woman", "fax": "1"}
    assert (new.item_version, new.revision) == (2, old.revision + 1)


@pytest.mark.parametrize(("field", "value"), [("alone", "yes"), ("name", 3), ("name", True), ("age", False)])
def test_another_kind_of_answer_does_not_fit(field, value):
    assert carry_over(draft_of(**{field: value}), 2, FORM, channel="web", at=NOW).left_over == {field: value}
