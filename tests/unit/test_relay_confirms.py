"""Whatever way the broker confirms, each message counts once, and never before one that was published before it."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.relay.confirms import Confirms


@given(st.data())
def test_each_is_taken_once_and_in_the_order_of_publishing(data):
    count = data.draw(st.integers(1, 40))
    confirms = Confirms()
    for item in range(1, count + 1):
        confirms.add(item)
    taken = []
    open_tags = set(range(1, count + 1))
    while open_tags:
        tag = data.draw(st.sampled_from(sorted(open_tags)))
        multiple = data.draw(st.booleans())
        open_tags -= {open_ for open_ in open_tags if open_ == tag or (multiple and open_ < tag)}
        taken += confirms.take(tag, multiple)
        assert taken == list(range(1, min(open_tags, default=count + 1)))
        assert confirms.items() == list(range(len(taken) + 1, count + 1))
    assert len(confirms) == 0


def test_one_that_overtakes_waits():
    """A step of a case goes to fewer queues than the step before it: its position must still be the later one."""
    confirms = Confirms()
    for item in ("submitted", "accepted"):
        confirms.add(item)
    assert confirms.take(2, multiple=False) == []
    assert confirms.take(1, multiple=False) == ["submitted", "accepted"]
