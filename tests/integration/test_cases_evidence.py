"""Evidence, once only, over a real PostgreSQL: consent, request, answer, preview, reuse, limit, and who looks."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from chassis import schedule
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, IdempotencyKeyReused, InvalidInput, NotFound, NotPermitted
from services.cases import commands
from services.cases.catalogue.files import shipped
from services.cases.evidence import commands as evidence
from services.cases.evidence import consenting, deciding, queries, store
from services.cases.evidence.case import LIMIT
from services.cases.results import store as results
from services.identity.persons.identifiers import with_check_digit
from tests.seals import DESK, RESULTS

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
HANDLER = Actor(subject="olive", client="web", roles=("officer",), department="market-regulation")
SOURCE = Actor(subject="dept-civil-affairs", client="dept-civil-affairs", department="civil-affairs", scopes=("cases",))
ELSEWHERE = Actor(subject="dept-health", client="dept-health", department="health", scopes=("cases",))
DOCUMENT = "residence-permit"
FIELDS = {"full_name": "刘建国", "current_address": "春熙路 1 号"}


class Hall:
    """A citizen who opens a business, the department that decides on it, and the one that has their permit."""

    def __init__(self, database):
        self.database = database
        self.citizen = Actor(subject=str(uuid.uuid4()), client="web", acr=3)

    def file(self, item="sole-trader", form=None):
        filled = form or dict(CATALOGUE.get(item).description["example"])
        filing = commands.prepare_filing(CATALOGUE, self.citizen, item, filled, None)
        with self.database.transaction() as session:
            return commands.submit_case(session, CATALOGUE, filing, NOW)["number"]

    def act(self, number, action, actor, **asked):
        with self.database.transaction() as session:
            return commands.act_on_case(
                session,
                CATALOGUE,
                actor,
                number,
                action,
                note="so",
                form=None,
                now=NOW,
                result_seal=RESULTS,
                desk=DESK,
                **asked,
            )

    def consent(self, number, document=DOCUMENT, actor=None, at=NOW):
        with self.database.transaction() as session:
            return consenting.consent(session, CATALOGUE, DESK, actor or self.citizen, number, document, at)

    def consent_with_filing(self, number):
        with self.database.transaction() as session:
            consenting.consent_with_filing(session, CATALOGUE, DESK, self.citizen, number, [DOCUMENT, DOCUMENT], NOW)

    def decide(self, number, action, at=NOW):
        with self.database.transaction() as session:
            return deciding.decide(session, CATALOGUE, DESK, self.citizen, number, DOCUMENT, action, at)

    def answer(self, known, number, result="provided", actor=SOURCE, at=NOW, **more):
        said = {"number": number, "result": result} | more
        if result == "provided" and "fields" not in more:
            said["fields"] = FIELDS
        with self.database.transaction() as session:
            return evidence.answer(session, CATALOGUE, DESK, actor, known, said, at)

    def seen(self, number, actor=None):
        with self.database.transaction() as session:
            [only] = queries.list_of_case(session, CATALOGUE, DESK, actor or self.citizen, number)
        return only

    def requests(self, actor=SOURCE):
        found, cursor = [], None
        with self.database.transaction() as session:
            while True:
                page = queries.list_requests(session, CATALOGUE, actor, cursor, 5)
                found, cursor = found + page["items"], page["next"]
                if cursor is None:
                    return found

    def request(self, known, actor=SOURCE):
        with self.database.transaction() as session:
            return queries.get_request(session, CATALOGUE, DESK, actor, known, NOW)

    def pass_time(self, at):
        """For every case there is, as in the service."""
        handler = partial(self._pass_limit, at)
        while schedule.run_due(self.database, "cases", LIMIT, handler, at) == schedule.BATCH:
            pass

    def _pass_limit(self, at, session, due):
        evidence.pass_limit(session, DESK, due, at)

    def told(self, subject):
        """Type, routing key's department and sequence of each event of a subject."""
        query = text("SELECT routing_key, sequence FROM outbox WHERE subject = :subject ORDER BY id")
        with self.database.transaction() as session:
            rows = session.execute(query, {"subject": subject}).all()
        return [(".".join(key.split(".")[:2]), key.split(".")[2], sequence) for key, sequence in rows]

    def looks(self, number):
        query = text("SELECT body FROM outbox WHERE routing_key LIKE 'data.viewed.%' AND body LIKE :number")
        with self.database.transaction() as session:
            return [row.body for row in session.execute(query, {"number": f"%{number}%"})]

    def asked(self):
        number = self.file()
        return number, self.consent(number)["id"]


@pytest.fixture
def hall(cases_database):
    return Hall(cases_database)


def test_nothing_is_fetched_without_consent(hall):
    number = hall.file()
    assert hall.seen(number)["status"] == "wanted"
    assert hall.told(number) == [("case.submitted", "market-regulation", 1)]


def test_consent_asks_the_source_by_an_event_of_its_own_that_names_nobody(hall):
    number, known = hall.asked()
    assert hall.told(known) == [("evidence.requested", "civil-affairs", 1)]
    assert hall.told(number)[1] == ("case.evidence-requested", "market-regulation", 2)
    with hall.database.transaction() as session:
        body = session.execute(text("SELECT body FROM outbox WHERE subject = :id"), {"id": known}).scalar_one()
    form = CATALOGUE.get("sole-trader").description["example"]
    assert hall.citizen.subject not in body
    assert form["operator_name"] not in body
    assert form["id_number"] not in body


def test_a_consent_given_twice_is_given_once(hall):
    number, known = hall.asked()
    assert hall.consent(number) == {"id": known, "status": "asked"}
    assert len(hall.told(known)) == 1


def test_a_filing_that_is_sent_again_does_not_bring_back_a_consent_that_was_withdrawn(hall):
    number = hall.file()
    hall.consent_with_filing(number)
    assert hall.seen(number)["status"] == "asked"
    hall.decide(number, "withdraw")
    hall.consent_with_filing(number)
    assert hall.seen(number)["status"] == "wanted"
    hall.act(number, "withdraw", hall.citizen)
    hall.consent_with_filing(number)


def test_a_filing_with_other_consents_is_another_request(hall):
    form = dict(CATALOGUE.get("sole-trader").description["example"])
    first, second = (
        commands.prepare_filing(CATALOGUE, hall.citizen, "sole-trader", form, "k-1", consents=consents)
        for consents in (None, [DOCUMENT])
    )
    with hall.database.transaction() as session:
        commands.submit_case(session, CATALOGUE, first, NOW)
        with pytest.raises(IdempotencyKeyReused):
            commands.submit_case(session, CATALOGUE, second, NOW)


@pytest.mark.parametrize(
    ("result", "may"),
    [(None, ["withdraw"]), ("provided", ["use", "decline", "withdraw"]), ("not-found", ["consent"])],
)
def test_the_applicant_reads_what_they_may_do_and_nobody_else_may(hall, result, may):
    number, known = hall.asked()
    if result:
        hall.answer(known, number, result)
    assert (hall.seen(number)["may"], hall.seen(number, HANDLER)["may"]) == (may, [])


def test_only_the_applicant_consents(hall):
    number = hall.file()
    for stranger in (HANDLER, CLERK, SOURCE, Actor(subject=str(uuid.uuid4()), client="web")):
        with pytest.raises(NotFound):
            hall.consent(number, actor=stranger)
    assert hall.seen(number)["status"] == "wanted"


def test_a_document_that_nobody_else_has_is_not_fetched(hall):
    number = hall.file()
    with pytest.raises(InvalidInput) as refused:
        hall.consent(number, "operator-identity")
    assert refused.value.faults == [{"pointer": "/document", "rule": "enum", "value": [DOCUMENT]}]


def test_the_source_is_shown_what_it_finds_it_by_and_that_look_is_told_to_the_citizen(hall):
    number, known = hall.asked()
    assert "keys" not in next(each for each in hall.requests() if each["id"] == known)
    assert hall.looks(number) == []
    form = CATALOGUE.get("sole-trader").description["example"]
    request = hall.request(known)
    assert request["keys"] == {"full_name": form["operator_name"], "id_number": form["id_number"]}
    assert (
        list(request["form"]["properties"])
        == CATALOGUE.issuer_of("residence-permit-card").description["result"]["fields"]
    )
    assert request["form"]["properties"]["lived_here_since"]["format"] == "date"
    [look] = hall.looks(number)
    assert '"what":"evidence"' in look.replace(" ", "")


@pytest.mark.parametrize("actor", [ELSEWHERE, HANDLER, CLERK, replace(SOURCE, scopes=())])
def test_nobody_but_the_source_sees_or_answers_a_request(hall, actor):
    number, known = hall.asked()
    with pytest.raises((NotFound, NotPermitted)):
        hall.request(known, actor)
    with pytest.raises(NotFound):
        hall.answer(known, number, actor=actor)
    assert hall.seen(number)["status"] == "asked"


def test_an_officer_of_another_regions_hall_is_not_the_source(hall):
    number, known = hall.asked()
    here = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs", region="511602")
    there = replace(here, subject="eve", region="510104")
    assert known in [each["id"] for each in hall.requests(here)]
    assert known not in [each["id"] for each in hall.requests(there)]
    with pytest.raises(NotFound):
        hall.request(known, there)
    with pytest.raises(NotFound):
        hall.answer(known, number, actor=there)
    assert hall.answer(known, number, actor=here)["status"] == "provided"


def test_the_applicant_sees_it_first_and_the_officer_when_it_is_used(hall):
    number, known = hall.asked()
    hall.answer(known, number, valid_until="2027-03-01")
    assert hall.seen(number)["fields"] == FIELDS
    assert hall.seen(number, HANDLER)["fields"] == {}
    assert hall.decide(number, "use")["status"] == "used"
    assert hall.seen(number, HANDLER)["fields"] == FIELDS
    assert any('"what":"evidence"' in each.replace(" ", "") and "olive" in each for each in hall.looks(number))


def test_what_a_source_wrote_of_the_citizen_is_a_look_too(hall):
    number, known = hall.asked()
    hall.seen(number, HANDLER)
    assert hall.looks(number) == []
    hall.answer(known, number, "needs-citizen", reason="the photograph is of somebody else")
    assert hall.seen(number, HANDLER)["reason"]
    [look] = hall.looks(number)
    assert '"what":"evidence"' in look.replace(" ", "")


@pytest.mark.parametrize(
    ("more", "count"), [({}, 0), ({"client": "rp-test"}, 1), ({"act": "carol", "channel": "hall"}, 1)]
)
def test_the_list_of_what_one_consented_to_is_a_look_of_whoever_else_reads_it(hall, more, count):
    number, _ = hall.asked()
    with hall.database.transaction() as session:
        reader = replace(hall.citizen, **more)
        [listed] = queries.list_own_evidence(session, CATALOGUE, reader, None, None)["items"]
        found = text("SELECT body FROM outbox WHERE routing_key LIKE 'data.viewed.%' AND body LIKE :account")
        looks = [row.body for row in session.execute(found, {"account": f"%{hall.citizen.subject}%"})]
    assert (listed["number"], len(looks)) == (number, count)


def test_what_is_declined_is_deleted_and_shown_to_nobody(hall):
    number, known = hall.asked()
    hall.answer(known, number)
    assert hall.decide(number, "decline")["status"] == "declined"
    for reader in (hall.citizen, HANDLER):
        assert hall.seen(number, reader)["fields"] == {}
    with hall.database.transaction() as session:
        content = session.execute(text("SELECT content FROM evidence WHERE id = CAST(:i AS uuid)"), {"i": known})
        assert content.scalar_one() is None


def test_what_it_says_is_not_readable_in_the_database(hall):
    number, known = hall.asked()
    hall.answer(known, number)
    with hall.database.transaction() as session:
        row = session.execute(text("SELECT * FROM evidence WHERE id = CAST(:i AS uuid)"), {"i": known}).one()
    readable = " ".join(bytes(each).decode("latin-1") if isinstance(each, memoryview) else str(each) for each in row)
    assert FIELDS["full_name"] not in readable
    assert FIELDS["full_name"].encode().decode("latin-1") not in readable


def test_the_same_answer_again_changes_nothing_and_another_one_is_refused(hall):
    number, known = hall.asked()
    first = hall.answer(known, number)
    told = hall.told(number)
    assert hall.answer(known, number) == first
    assert hall.told(number) == told
    with pytest.raises(ActionNotAllowed):
        hall.answer(known, number, "not-found")
    assert hall.seen(number)["fields"] == FIELDS


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"number": "202603020000999"}, "/number"),
        ({"result": "maybe"}, "/result"),
        ({"fields": {"full_name": "刘建国", "secret": "x"}}, "/fields/secret"),
        ({"fields": {}}, "/fields"),
        ({"fields": ["刘建国"]}, "/fields"),
        ({"valid_until": "2027-02-30"}, "/valid_until"),
        ({"valid_until": "2020-01-01"}, "/valid_until"),
        ({"result": "not-found", "fields": FIELDS}, "/fields"),
        ({"result": "needs-citizen", "fields": None}, "/reason"),
    ],
)
def test_an_answer_that_is_not_right_says_where_and_changes_nothing(hall, said, pointer):
    number, known = hall.asked()
    with hall.database.transaction() as session, pytest.raises(InvalidInput) as refused:
        evidence.answer(
            session,
            CATALOGUE,
            DESK,
            SOURCE,
            known,
            {"number": number, "result": "provided", "fields": FIELDS} | said,
            NOW,
        )
    assert refused.value.faults[0]["pointer"] == pointer
    assert hall.seen(number)["status"] == "asked"
    assert hall.told(known) == [("evidence.requested", "civil-affairs", 1)]


def test_after_nothing_was_found_the_applicant_brings_it_or_asks_anew(hall):
    number, known = hall.asked()
    hall.answer(known, number, "not-found")
    assert hall.seen(number)["status"] == "not-found"
    assert hall.consent(number)["status"] == "asked"
    hall.answer(known, number, "needs-citizen", reason="请携带户口簿到窗口")
    assert hall.seen(number)["reason"] == "请携带户口簿到窗口"
    hall.consent(number)
    hall.answer(known, number, "not-found")
    assert hall.seen(number)["may"] == []
    with pytest.raises(InvalidInput):
        hall.consent(number)
    assert [sequence for *_, sequence in hall.told(known)] == [1, 2, 3]


def test_a_source_that_is_late_is_counted_and_its_answer_still_comes_in(hall):
    number, known = hall.asked()
    # three working days behind Monday: the end of Thursday in China
    due = datetime(2026, 3, 5, 16, 0, tzinfo=UTC)
    hall.pass_time(due - timedelta(seconds=1))
    assert hall.seen(number)["status"] == "asked"
    hall.pass_time(due)
    assert hall.seen(number)["status"] == "overdue"
    hall.pass_time(due + timedelta(days=1))
    assert hall.told(known)[-1] == ("evidence.overdue", "civil-affairs", 2)
    with hall.database.transaction() as session:
        lag = {row.source: row.overdue for row in store.measure(session)}
    assert lag["civil-affairs"] >= 1
    hall.answer(known, number, at=due + timedelta(days=1))
    assert hall.seen(number)["status"] == "provided"
    with hall.database.transaction() as session:
        late = session.execute(text("SELECT was_late FROM evidence WHERE id = CAST(:i AS uuid)"), {"i": known})
        assert late.scalar_one()


def test_what_was_used_and_is_still_good_serves_the_next_case_without_asking_anybody(hall):
    number, known = hall.asked()
    hall.answer(known, number, valid_until="2027-03-01")
    hall.decide(number, "use")
    again = hall.file()
    taken = hall.consent(again)
    assert taken["status"] == "provided"
    assert (hall.seen(again)["origin"], hall.seen(again)["fields"]) == ("evidence", FIELDS)
    assert hall.told(taken["id"]) == []


def test_what_is_not_good_any_more_or_about_somebody_else_is_asked_anew(hall):
    number, known = hall.asked()
    hall.answer(known, number, valid_until="2026-03-03")
    hall.decide(number, "use")
    form = CATALOGUE.get("sole-trader").description["example"]
    other = hall.file(form=form | {"operator_name": "另一个人"})
    assert hall.consent(other)["status"] == "asked"
    assert hall.consent(hall.file(), at=datetime(2026, 3, 4, 2, tzinfo=UTC))["status"] == "asked"


def test_a_certificate_that_the_platform_issued_is_evidence_at_once(hall):
    form = CATALOGUE.get("sole-trader").description["example"]
    permit = CATALOGUE.get("residence-permit").description["example"]
    first = hall.file("residence-permit", permit | {"full_name": form["operator_name"], "id_number": form["id_number"]})
    hall.act(first, "accept", CLERK)
    hall.act(first, "approve", Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs"))
    number = hall.file()
    taken = hall.consent(number)
    assert taken["status"] == "used"
    assert (hall.seen(number, HANDLER)["origin"], hall.seen(number)["fields"]["full_name"]) == (
        "certificate",
        form["operator_name"],
    )
    assert hall.told(taken["id"]) == []


def test_a_certificate_that_is_taken_back_is_said_to_be_where_it_is_evidence(hall):
    form = CATALOGUE.get("sole-trader").description["example"]
    permit = CATALOGUE.get("residence-permit").description["example"]
    first = hall.file("residence-permit", permit | {"full_name": form["operator_name"], "id_number": form["id_number"]})
    officer = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
    hall.act(first, "accept", CLERK)
    hall.act(first, "approve", officer)
    number = hall.file()
    hall.consent(number)
    assert hall.seen(number, HANDLER)["is_taken_back"] is False
    hall.act(first, "reopen", officer, versions="*")
    assert hall.seen(number, HANDLER)["is_taken_back"] is True


def test_an_answer_to_what_was_withdrawn_and_asked_for_anew_is_refused_if_it_says_to_what_it_is(hall):
    number, known = hall.asked()
    before = hall.request(known)["asked_at"]
    hall.decide(number, "withdraw")
    hall.consent(number, at=NOW + timedelta(hours=1))
    with pytest.raises(InvalidInput) as refused:
        hall.answer(known, number, asked_at=before)
    assert refused.value.faults == [{"pointer": "/asked_at", "rule": "evidence.asked-anew", "value": True}]
    assert hall.answer(known, number, asked_at=hall.request(known)["asked_at"])["status"] == "provided"


def test_a_renewed_certificate_is_used_and_takes_the_place_of_the_one_before_it(hall):
    form = CATALOGUE.get("sole-trader").description["example"]
    example = CATALOGUE.get("residence-permit").description["example"]
    officer = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
    own = {"full_name": form["operator_name"], "id_number": form["id_number"]}
    # the one before it, a child's of the same holder, and the new one from another address
    cases = []
    for about in (own, {"id_number": with_check_digit("11010120200101001")}, own | {"current_address": "春熙路 99 号"}):
        cases.append(hall.file("residence-permit", example | about))
        hall.act(cases[-1], "accept", CLERK)
        hall.act(cases[-1], "approve", officer)
    with hall.database.transaction() as session:
        found = [results.load_newest(session, RESULTS, each)[0] for each in cases]
    assert [(each.status, each.end_reason) for each in found] == [
        ("superseded", "renewed"),
        ("valid", None),
        ("valid", None),
    ]
    hall.consent(number := hall.file())
    assert hall.seen(number)["fields"]["current_address"] == "春熙路 99 号"


def test_consent_is_taken_back_until_it_is_used(hall):
    number, known = hall.asked()
    assert hall.decide(number, "withdraw")["status"] == "wanted"
    assert hall.told(known)[-1] == ("evidence.withdrawn", "civil-affairs", 2)
    assert known not in [each["id"] for each in hall.requests()]
    with pytest.raises(ActionNotAllowed):
        hall.answer(known, number)
    assert hall.request(known)["keys"] == {}
    hall.consent(number)
    hall.answer(known, number)
    hall.decide(number, "use")
    with pytest.raises(ActionNotAllowed):
        hall.decide(number, "withdraw")


def test_when_the_case_ends_nobody_is_asked_any_more_and_what_was_not_used_is_gone(hall):
    number, known = hall.asked()
    hall.act(number, "withdraw", hall.citizen)
    assert hall.seen(number)["status"] == "ended"
    assert hall.told(known)[-1] == ("evidence.withdrawn", "civil-affairs", 2)
    with pytest.raises(ActionNotAllowed):
        hall.answer(known, number)
    with pytest.raises(ActionNotAllowed):
        hall.consent(number)
    hall.pass_time(NOW + timedelta(days=60))
    assert hall.seen(number)["status"] == "ended"


def test_an_officer_cannot_demand_from_the_applicant_what_is_being_fetched(hall):
    number, known = hall.asked()
    missing = {"missing": [{"document": DOCUMENT}]}
    with pytest.raises(InvalidInput) as refused:
        hall.act(number, "request_correction", CLERK, details=missing)
    assert refused.value.faults == [{"pointer": "/missing", "rule": "evidence.fetched", "value": DOCUMENT}]
    hall.answer(known, number, "not-found")
    assert hall.act(number, "request_correction", CLERK, details=missing)["status"] == "correction_requested"


def test_the_last_day_is_kept_as_it_was_said(hall):
    number, known = hall.asked()
    hall.answer(known, number, valid_until="2026-03-02")
    assert date.fromisoformat(hall.seen(number)["valid_until"]) == date(2026, 3, 2)
    with pytest.raises(ActionNotAllowed):
        hall.decide(number, "use", NOW + timedelta(days=1))
