"""Whatever way the broker confirms, each message counts once."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.relay.confirms import Confirms


@given(st.data())
def test_each_is_taken_once_in_whatever_order_it_is_confirmed(data):
    count = data.draw(st.integers(1, 40))
    confirms = Confirms()
    for item in range(1, count + 1):
        confirms.add(item)
    taken = []
    open_tags = set(range(1, count + 1))
    while open_tags:
        tag = data.draw(st.sampled_from(sorted(open_tags)))
        multiple = data.draw(st.booleans())
        expected = sorted(open_ for open_ in open_tags if open_ == tag or (multiple and open_ < tag))
        assert sorted(confirms.take(tag, multiple)) == expected
        open_tags -= set(expected)
        taken += expected
        assert sorted(confirms.items()) == sorted(open_tags)
    assert sorted(taken) == list(range(1, count + 1))
    assert len(confirms) == 0
