"""What evidence says is there only while it may be looked at or is used, whatever is done in whatever order."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import ActionNotAllowed, InvalidInput
from services.cases.evidence import domain, store
from tests.integration.test_cases_evidence import FIELDS, HANDLER, NOW, Hall
from tests.seals import DESK

ACTS = ("consent", "provided", "not-found", "use", "decline", "withdraw", "limit", "end")


def do(hall: Hall, number: str, act: str) -> None:
    evidence = of_case(hall, number)
    if act == "consent":
        hall.consent(number)
    elif act in domain.RESULTS and evidence:
        hall.answer(evidence[0].id, number, act)
    elif act == "limit":
        hall.pass_time(NOW + timedelta(days=30))
    elif act == "end":
        hall.act(number, "withdraw", hall.citizen)
    elif evidence:
        hall.decide(number, act)


def of_case(hall: Hall, number: str):
    with hall.database.transaction() as session:
        return next(iter(store.list_of_case(session, DESK.seal, number)), None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=3, max_size=9))
def test_what_it_says_is_there_only_while_it_is_provided_or_used(cases_database, acts):
    hall = Hall(cases_database)
    number = hall.file()
    was_used = False
    for act in ("consent", *acts):
        with suppress(ActionNotAllowed, InvalidInput):
            do(hall, number, act)
        evidence, content = of_case(hall, number)
        is_there = evidence.status in (domain.PROVIDED, domain.USED)
        assert dict(content.fields) == (FIELDS if is_there else {})
        assert bool(content.keys) == (evidence.status not in (domain.WANTED, domain.DECLINED, domain.ENDED))
        assert hall.seen(number, HANDLER)["fields"] == (FIELDS if evidence.status == domain.USED else {})
        was_used |= evidence.status == domain.USED
        assert not was_used or evidence.status == domain.USED
        assert evidence.asks <= domain.MOST_ASKS
