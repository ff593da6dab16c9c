"""What a queue is told to have handled never includes an event that waits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.relay.handled import LAG_LOOKS, LOOK_SECONDS, QUIET_LOOKS, WORK_SECONDS, Handled, Mark, Waiting

NOTHING = Waiting()


def looks(handled, waiting, count, first=0):
    """So many looks that see the same, while one event comes with each; the last mark."""
    mark = None
    for look in range(count):
        mark = handled.look(first + look, waiting) or mark
    return mark


def test_a_quiet_queue_has_handled_what_was_there_when_it_became_quiet():
    assert looks(Handled(), NOTHING, QUIET_LOOKS + 1) == Mark(0, 0)


def test_a_minute_is_not_long_enough_to_be_quiet():
    assert looks(Handled(), NOTHING, QUIET_LOOKS) is None


def test_anything_that_waits_anywhere_is_no_quiet():
    for waiting in (Waiting(ready=1), Waiting(in_hand=1), Waiting(retrying=1), Waiting(dead=1)):
        assert looks(Handled(), waiting, 3 * QUIET_LOOKS) is None


def test_a_queue_at_work_for_an_hour_has_handled_all_but_the_waiting_of_an_hour_ago():
    handled = Handled()
    looks(handled, NOTHING, QUIET_LOOKS + 1)
    hour = WORK_SECONDS // LOOK_SECONDS
    mark = looks(handled, Waiting(ready=40, in_hand=2), hour + LAG_LOOKS + 1, first=1000)
    assert mark is not None
    assert mark.except_last == 42
    assert mark.position <= 1000 + LAG_LOOKS


def test_work_in_which_something_was_tried_again_tells_nothing():
    handled = Handled()
    looks(handled, NOTHING, QUIET_LOOKS + 1)
    handled.look(500, Waiting(retrying=1))
    assert looks(handled, Waiting(ready=5, in_hand=2), 2 * WORK_SECONDS // LOOK_SECONDS, first=1000) is None


def test_a_backlog_that_nobody_works_at_is_not_handled_by_waiting():
    handled = Handled()
    looks(handled, NOTHING, QUIET_LOOKS + 1)
    assert looks(handled, Waiting(ready=10), 3 * WORK_SECONDS // LOOK_SECONDS, first=1000) is None


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), min_size=40, max_size=400), st.integers(1, 3))
def test_counting_back_from_a_mark_finds_every_event_that_waits(steps, lag):
    """A queue in order, with counts that are `lag` looks old, hears and handles at random."""
    published = handled_up_to = 0
    seen, handled, mark = [], Handled(), None
    for new, done in steps:
        published += new
        in_hand = 1 if handled_up_to < published else 0
        seen.append(Waiting(ready=max(published - handled_up_to - in_hand, 0), in_hand=in_hand))
        before = published
        handled_up_to = min(published, handled_up_to + done)
        mark = handled.look(before, seen[max(0, len(seen) - lag)]) or mark
        if mark is not None:
            assert mark.position - mark.except_last <= handled_up_to
