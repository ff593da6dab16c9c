"""Which events of the history a queue is sent: the same as the broker would have let through, and soon enough."""

from collections.abc import Sequence

import pytest

from chassis.relay.replay_store import SPAN, heard_by
from contracts import topology
from contracts.filters import MOST_PATTERNS, TYPES, EventFilter, matches

KEYS = [
    f"{type_}.{department}.511602.{kind}.{item}"
    for type_ in (
        "case.submitted",
        "case.closed",
        "case.rated",
        "evidence.requested",
        "case.requested",
        "evidence.closed",
    )
    for department in ("civil-affairs", "civil-affairs-north", "market_regulation")
    for kind in ("licence", "confirmation")
    for item in ("birth", "birth-2", "elderly-card")
]
ODD_KEYS = ["", "case", "case.submitted", "case.submitted.a.b.c", "case.submitted.a.b.c.d.e", "case.submitted..b.c.d"]


@pytest.fixture
def let_through(cases_database):
    """Which of the keys PostgreSQL lets through, within some seconds, be it as an event's own key or as another."""

    def let_through(patterns: Sequence[str], keys: Sequence[str], *, are_others: bool = False) -> set[str]:
        heard, values = heard_by(patterns)
        with cases_database.transaction() as session:
            cursor = session.connection.cursor()
            cursor.execute("SET LOCAL statement_timeout = '5s'")
            columns = "'-', ARRAY['-', key]" if are_others else "key, NULL::text[]"
            events = f"SELECT key, {columns} FROM unnest(%s) AS key"  # noqa: S608
            statement = f"SELECT key FROM ({events}) AS event (key, routing_key, other_keys) WHERE {heard}"  # noqa: S608
            cursor.execute(statement, [list(keys), *values])
            return {key for (key,) in cursor}

    return let_through


@pytest.mark.parametrize(
    "patterns",
    [
        EventFilter().patterns,
        EventFilter(departments=("civil-affairs",)).patterns,
        EventFilter(types=("case.closed", "case.rated"), departments=("market_regulation",), items=("*",)).patterns,
        EventFilter(kinds=("licence", "confirmation"), items=("birth", "elderly-card")).patterns,
        EventFilter(types=("case.closed", "evidence.requested"), departments=("civil-affairs",)).patterns,
        EventFilter(types=("case.closed", "evidence.requested", "case.submitted"), items=("birth", "birth-2")).patterns,
        topology.service_queue("notify", "cases").patterns,
        ("case.submitted.civil-affairs.*.*.birth", "case.*.market_regulation.511602.*.elderly-card"),
        ("case.closed.#", "case.*.*.*.*.birth"),
        (),
    ],
)
def test_sql_lets_through_what_the_broker_would(let_through, patterns):
    keys = [*KEYS, *ODD_KEYS]
    wanted = {key for key in keys if matches(patterns, key)}
    assert let_through(patterns, keys) == wanted
    assert let_through(patterns, keys, are_others=True) == wanted


def test_the_largest_filter_is_as_quick_as_a_small_one(let_through):
    """As one regular expression it took longer for these than the relay gives a statement, and its term ended."""
    items = tuple(f"{number:02}-{'x' * 60}" for number in range(MOST_PATTERNS // len(TYPES)))
    patterns = EventFilter(types=TYPES, departments=("civil-affairs",), items=items).patterns
    keys = [f"case.submitted.civil-affairs.511602.licence.99-{'x' * 55}{number}" for number in range(SPAN)]
    assert let_through(patterns, keys) == set()
