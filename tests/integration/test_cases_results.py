"""What a decision gives, over a real PostgreSQL: one result in the same transaction, until when it is good, its end."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.actors import Actor
from services.cases import commands
from services.cases.catalogue.files import shipped
from services.cases.results import domain, queries, store
from tests.seals import RESULTS

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")


class Office:
    """A citizen's cases and those who decide on them."""

    def __init__(self, database):
        self.database = database
        self.citizen = Actor(subject=str(uuid.uuid4()), client="web", acr=3)

    def submit(self, item="residence-permit"):
        form = dict(CATALOGUE.get(item).description["example"])
        filing = commands.prepare_filing(CATALOGUE, self.citizen, item, form, None)
        with self.database.transaction() as session:
            return commands.submit_case(session, CATALOGUE, filing, NOW)["number"]

    def act(self, number, action, actor=OFFICER, at=NOW, **asked):
        with self.database.transaction() as session:
            return commands.act_on_case(
                session,
                CATALOGUE,
                actor,
                number,
                action,
                note="because",
                form=None,
                now=at,
                result_seal=RESULTS,
                **asked,
            )

    def decide(self, item="residence-permit", action="approve", at=NOW):
        number = self.submit(item)
        self.act(number, "accept", CLERK)
        self.act(number, action, at=at)
        return number

    def held(self, paper="residence-permit-card", at=NOW):
        with self.database.transaction() as session:
            return queries.certificates_of(session, RESULTS, self.citizen.subject, paper, at)

    def newest(self, number):
        with self.database.transaction() as session:
            return store.load_newest(session, RESULTS, number)

    def rows(self, number):
        query = text("SELECT serial, status, end_reason FROM results WHERE number = :number ORDER BY serial")
        with self.database.transaction() as session:
            return [tuple(row) for row in session.execute(query, {"number": number})]


@pytest.fixture
def office(cases_database):
    return Office(cases_database)


def test_a_grant_issues_a_certificate_that_states_what_the_item_says(office):
    number = office.decide()
    [(result, content)] = office.held()
    assert (result.number, result.paper, result.form) == (number, "residence-permit-card", "certificate")
    assert (result.issued_on, result.valid_until) == (date(2026, 3, 2), date(2027, 3, 2))
    assert list(content.fields) == CATALOGUE.get("residence-permit").description["result"]["fields"]
    assert content.named == "张晓兰"
    assert len(content.code.replace("-", "")) == 16


def test_what_it_says_of_a_person_and_its_code_are_not_readable_in_the_database_nor_in_the_event(
    office, cases_database
):
    number = office.decide()
    code = office.newest(number)[1].code
    with cases_database.transaction() as session:
        row = session.execute(text("SELECT * FROM results WHERE number = :number"), {"number": number}).one()
        [event] = session.execute(
            text("SELECT body FROM outbox WHERE subject = :result"), {"result": str(row.id)}
        ).scalars()
    for kept in (str(tuple(row)), event):
        assert code not in kept
        assert "张晓兰" not in kept
    assert json.loads(event)["type"] == "result.issued"


def test_a_certificate_is_good_through_its_last_day_in_the_region_and_not_before_it_was_issued(office):
    office.decide()
    last_moment = datetime(2027, 3, 2, 15, 59, tzinfo=UTC)
    assert office.held(at=last_moment)
    assert not office.held(at=last_moment + timedelta(minutes=2))
    assert not office.held(at=NOW - timedelta(seconds=1))


def test_of_somebody_else_or_of_another_kind_nothing_is_found(office, cases_database):
    office.decide()
    assert not office.held("business-licence")
    assert not Office(cases_database).held()


@pytest.mark.parametrize(("item", "action"), [("birth-registration", "approve"), ("residence-permit", "refuse")])
def test_a_refusal_and_what_is_only_there_on_paper_are_no_certificates(office, item, action):
    number = office.decide(item, action)
    result, content = office.newest(number)
    assert result.form == "decision"
    assert (result.valid_until, content.reason) == (None, "because")
    assert not office.held(result.paper)


def test_a_reopened_case_takes_its_certificate_back_and_a_new_decision_takes_its_place(office):
    number = office.decide()
    office.act(number, "reopen", versions="*")
    assert office.rows(number) == [(1, "revoked", "reopened")]
    assert not office.held()
    office.act(number, "approve")
    assert office.rows(number) == [(1, "superseded", "reopened"), (2, "valid", None)]
    [(result, _)] = office.held()
    assert result.document_number == f"{number}-2"


def test_an_action_that_is_refused_issues_nothing(office):
    number = office.submit()
    with pytest.raises(Exception, match="approve"):
        office.act(number, "approve")
    assert office.rows(number) == []


@pytest.mark.parametrize(
    ("issued", "months", "until"),
    [
        (date(2026, 3, 2), 12, date(2027, 3, 2)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 3, 2), None, None),
    ],
)
def test_a_term_of_months_ends_with_the_same_day_or_the_last_one_of_its_month(issued, months, until):
    assert domain.last_day(issued, months) == until
