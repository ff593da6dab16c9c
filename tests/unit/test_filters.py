"""A filter's routing keys open what it names and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import CaseClosed
from contracts.filters import MOST_PATTERNS, TYPES, EventFilter, TooManyPatterns, matches

KEY = "case.submitted.civil-affairs.511602.confirmation.residence-permit"
WORD = st.sampled_from(["case", "submitted", "a", "b-c", "511602", "-"])


@pytest.mark.parametrize("kind", TYPES)
def test_a_filter_of_nothing_hears_every_type_that_can_be_subscribed_to(kind):
    assert matches(EventFilter().patterns, f"{kind}.civil-affairs.511602.payment.elderly-card")


def test_a_filter_of_nothing_hears_every_event_of_a_case():
    event = CaseClosed("1", "elderly-card", "civil-affairs", "511602", "payment", "somebody", "approved")
    assert EventFilter().patterns == ("case.*.*.*.*.*", "evidence.*.*.*.*.*")
    assert matches(EventFilter().patterns, event.routing_key)


@pytest.mark.parametrize(
    "part",
    [
        {"types": ("case.closed",)},
        {"departments": ("civil-affairs-north",)},
        {"regions": ("51160",)},
        {"kinds": ("permit",)},
        {"items": ("residence",)},
    ],
)
def test_each_part_that_differs_keeps_an_event_out(part):
    assert not matches(EventFilter(**part).patterns, KEY)


def test_patterns_are_every_combination():
    wanted = EventFilter(types=("case.submitted", "case.closed"), departments=("a",), items=("x", "y"))
    assert wanted.patterns == (
        "case.submitted.a.*.*.x",
        "case.submitted.a.*.*.y",
        "case.closed.a.*.*.x",
        "case.closed.a.*.*.y",
    )


def test_more_combinations_than_the_broker_should_carry_are_refused():
    many = tuple(str(number) for number in range(50))
    one = ("case.submitted",)
    with pytest.raises(TooManyPatterns, match=str(50 * 50)):
        _ = EventFilter(one, departments=many, items=many).patterns
    assert len(EventFilter(one, departments=many, items=many[:10]).patterns) == MOST_PATTERNS


def test_an_agreement_on_everything_is_one_on_the_shared_history():
    assert EventFilter().patterns_by_agreement == ("case.*.*.*.*.*",)
    assert EventFilter(("evidence.requested",)).patterns_by_agreement == ("evidence.requested.*.*.*.*",)


@pytest.mark.parametrize(
    ("mine", "theirs", "covered"),
    [
        (EventFilter(), EventFilter(("evidence.requested",)), False),
        (EventFilter(("evidence.requested",)), EventFilter(("evidence.requested",)), True),
        (EventFilter(), EventFilter(items=("a",)), True),
        (EventFilter(items=("a",)), EventFilter(), False),
        (EventFilter(items=("a", "b")), EventFilter(items=("b",)), True),
        (EventFilter(items=("a",), departments=("d",)), EventFilter(items=("a",)), False),
    ],
)
def test_a_filter_covers_another_when_nothing_more_passes_it(mine, theirs, covered):
    assert mine.covers(theirs) is covered


@given(st.lists(WORD, min_size=1, max_size=5), st.lists(st.one_of(WORD, st.sampled_from("*#")), min_size=1, max_size=4))
def test_a_pattern_matches_as_a_topic_exchange_does(key, pattern):
    def topic(words, wanted):
        """The specification of AMQP 0-9-1, 3.1.3.3, word by word."""
        if not wanted:
            return not words
        if wanted[0] == "#":
            return any(topic(words[skipped:], wanted[1:]) for skipped in range(len(words) + 1))
        return bool(words) and wanted[0] in ("*", words[0]) and topic(words[1:], wanted[1:])

    found = matches([".".join(pattern)], ".".join(key))
    assert found == topic(key, pattern)
