"""What a decision gives, over a real PostgreSQL: one result in the same transaction, until when it is good, its end."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, text

from chassis import context
from contracts.actors import Actor, Mandate
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted, TooManyAttempts
from services.cases import commands
from services.cases import queries as case_queries
from services.cases.catalogue.files import shipped
from services.cases.results import commands as commands_of_results
from services.cases.results import domain, queries, store
from services.cases.results.limits import VERIFY_ADDRESS, ResultKeys
from tests.processes import wait_until
from tests.seals import KEY, RESULTS

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")

FOREIGNER = Actor(subject="eve", client="web", roles=("officer",), department="market-regulation")
KEYS = ResultKeys(KEY)


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

    def ask(self, query, actor, *args, at=NOW):
        with self.database.transaction() as session:
            return query(session, CATALOGUE, RESULTS, actor, *args, at)

    def read(self, number, actor=None):
        return self.ask(queries.get_result, actor or self.citizen, number, None)

    def download(self, number, actor=None, at=NOW, language="en"):
        """As the door does: what the document says, then that it was made and is given out."""
        taker = actor or self.citizen
        with self.database.transaction() as session:
            printed = commands_of_results.download_result(
                session, CATALOGUE, RESULTS, KEYS, taker, number, language, None, at
            )
        self.note(number, taker, language, "d" * 64, at, printed["result"])
        return printed

    def note(self, number, actor, language, sha256, at=NOW, made_of=None):
        made_of = made_of or self.newest(number)[0].id
        with self.database.transaction() as session:
            commands_of_results.note_download(session, CATALOGUE, RESULTS, actor, number, language, sha256, made_of, at)

    def verify(self, code, at=NOW):
        with self.database.transaction() as session:
            return queries.verify(session, CATALOGUE, RESULTS, KEYS, code, at)

    def revoke(self, number, actor=OFFICER, reason="error", note="because"):
        with self.database.transaction() as session:
            commands_of_results.revoke_result(session, RESULTS, actor, number, reason, note, NOW)

    def looks(self):
        query = text("SELECT body FROM outbox WHERE routing_key LIKE 'data.viewed%' AND body LIKE :account")
        with self.database.transaction() as session:
            bodies = session.execute(query, {"account": f"%{self.citizen.subject}%"}).scalars()
            return [json.loads(body)["data"] for body in bodies]

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


def test_of_two_that_are_issued_at_once_one_is_good(office):
    first, second = office.submit(), office.submit()
    for number in (first, second):
        office.act(number, "accept", CLERK)
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

    def is_waiting():
        with office.database.transaction() as session:
            return session.execute(waiting).scalar_one()

    with ThreadPoolExecutor(1) as other:
        with office.database.transaction() as session:
            asked = {"note": "because", "form": None, "now": NOW + timedelta(seconds=1), "result_seal": RESULTS}
            commands.act_on_case(session, CATALOGUE, OFFICER, first, "approve", **asked)
            decided = other.submit(office.act, second, "approve")
            wait_until("the other decision waits", is_waiting)
        decided.result()
    assert office.rows(first) == [(1, "superseded", "renewed")]
    assert office.rows(second) == [(1, "valid", None)]


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


def strangers(office):
    return [
        Actor(subject=str(uuid.uuid4()), client="web"),
        FOREIGNER,
        Actor(subject="dept-market-regulation", client="dept-market-regulation", department="market-regulation"),
        replace(office.citizen, act="bob", mandate=Mandate(item="sole-trader")),
    ]


def test_nobody_else_reads_takes_or_revokes_a_result_and_all_hear_the_same(office):
    number = office.decide()
    for stranger in strangers(office):
        for attempt in (office.read, office.download, office.revoke):
            with pytest.raises(NotFound) as refused:
                attempt(number, stranger)
            assert refused.value.args == ("result", number)
    assert office.read(number)["downloads"] == []
    assert office.verify(office.read(number)["code"])["status"] == "valid"


def test_its_holder_takes_it_and_that_delivers_it_once(office):
    number = office.decide()
    printed = office.download(number)
    assert [field["value"] for field in printed["fields"]][:1] == ["张晓兰"]
    office.download(number, language="zh-Hant")
    read = office.read(number)
    assert read["delivered_by"] == "download"
    assert [(each["actor"], each["channel"], each["language"]) for each in read["downloads"]] == [
        ("citizen", "web", "zh-Hant"),
        ("citizen", "web", "en"),
    ]
    assert not office.looks()
    with office.database.transaction() as session:
        events = session.execute(
            text("SELECT event, details FROM case_history WHERE number = :number ORDER BY sequence"), {"number": number}
        ).all()
    assert [event for event, _ in events].count("case.delivered") == 1
    assert events[-1].details == {"way": "download"}


def test_a_clerk_who_prints_it_for_the_citizen_has_handed_it_over_at_the_counter(office):
    number = office.decide()
    office.download(number, replace(office.citizen, act="carol", channel="hall", client="hall", hall="civic-centre"))
    read = office.read(number)
    assert read["delivered_by"] == "counter"
    assert (read["downloads"][0]["actor"], read["downloads"][0]["hall"]) == ("clerk", "civic-centre")
    assert [(look["viewer"], look["role"], look["what"]) for look in office.looks()] == [("carol", "clerk", "result")]


def test_what_goes_by_post_has_a_number_that_its_applicant_reads_and_no_event_carries(office):
    number = office.decide()
    for wrong, rule in (
        ({"way": "counter", "tracking": "SF12345678"}, "byPost"),
        ({"way": "post", "tracking": "?" * 8}, "pattern"),
    ):
        with pytest.raises(InvalidInput) as refused:
            office.act(number, "deliver", details=wrong)
        assert [(fault["pointer"], fault["rule"]) for fault in refused.value.faults] == [("/tracking", rule)]
    office.act(number, "deliver", details={"way": "post", "tracking": "SF12345678"})
    with office.database.transaction() as session:
        last = case_queries.get_history(session, office.citizen, number)["items"][-1]
        bodies = session.execute(text("SELECT body FROM outbox WHERE subject = :n"), {"n": number}).scalars().all()
    assert last["details"] == {"way": "post", "tracking": "SF12345678"}
    assert not any("SF12345678" in body for body in bodies)
    office.download(number)
    assert office.read(number)["delivered_by"] == "post"


def test_an_officer_who_takes_it_is_in_the_citizens_log_and_has_delivered_nothing(office):
    number = office.decide()
    office.download(number, OFFICER)
    assert office.read(number)["delivered_by"] is None
    assert office.read(number)["downloads"][0]["actor"] == "officer"
    assert [(look["viewer"], look["what"]) for look in office.looks()] == [("dan", "result")]


def test_one_document_is_not_taken_without_end(office):
    number = office.decide()
    for _ in range(30):
        office.download(number)
    with pytest.raises(TooManyAttempts):
        office.download(number)
    office.download(number, OFFICER)
    office.download(number, at=NOW + timedelta(minutes=2))


def test_anyone_with_the_code_hears_what_it_is_and_no_name(office):
    number = office.decide()
    code = office.read(number)["code"]
    for typed in (code, code.upper(), code.replace("-", " ")):
        found = office.verify(typed)
        assert (found["status"], found["number"], found["holder"]) == ("valid", f"{number}-1", "张**")
        assert found["department"] == "civil-affairs"
        said = json.dumps(found, ensure_ascii=False)
        assert "晓兰" not in said
        assert "11010519491231002X" not in said
        assert office.citizen.subject not in said
    assert office.verify(code, at=datetime(2027, 3, 3, tzinfo=UTC))["status"] == "expired"


def test_a_wrong_code_is_not_found_and_counts_for_its_address(office):
    code = office.read(office.decide())["code"]
    token = context.address.set(f"198.51.100.{uuid.uuid4().int % 250}")
    try:
        for _ in range(VERIFY_ADDRESS.burst + 5):
            assert office.verify(code)["status"] == "valid"
        for wrong in ("", "x", "2" * 16, code[:-1], "\x00" * 16, "张" * 200):
            refused = office.verify(wrong)
            assert (type(refused), refused.args) == (NotFound, ("result",))
        for _ in range(VERIFY_ADDRESS.burst):
            office.verify("wrong")
        assert isinstance(office.verify(code), TooManyAttempts)
        assert office.verify(code, at=NOW + timedelta(seconds=11))["status"] == "valid"
    finally:
        context.address.reset(token)


def test_a_revoked_result_is_said_to_be_so_and_given_out_no_more(office):
    number = office.decide()
    code = office.read(number)["code"]
    office.revoke(number)
    found = office.verify(code)
    assert (found["status"], found["end_reason"]) == ("revoked", "error")
    assert "because" not in json.dumps(found)
    assert not office.held()
    with pytest.raises(ActionNotAllowed):
        office.download(number)
    with pytest.raises(ActionNotAllowed):
        office.revoke(number)
    with office.database.transaction() as session:
        row = session.execute(
            text("SELECT event, note, details FROM case_history WHERE number = :n ORDER BY sequence DESC LIMIT 1"),
            {"n": number},
        ).one()
    assert tuple(row) == ("case.result-revoked", "because", {"reason": "error"})


@pytest.mark.parametrize(
    ("asked", "pointers"),
    [
        ({"reason": "spite"}, ["/reason"]),
        ({"note": " "}, ["/note"]),
        ({"reason": None, "note": None}, ["/note", "/reason"]),
    ],
)
def test_who_revokes_says_why_in_a_word_and_in_words(office, asked, pointers):
    number = office.decide()
    with pytest.raises(InvalidInput) as refused:
        office.revoke(number, **asked)
    assert [fault["pointer"] for fault in refused.value.faults] == pointers
    assert office.rows(number) == [(1, "valid", None)]


def test_only_officers_of_the_department_revoke(office):
    number = office.decide()
    for actor in (office.citizen, CLERK):
        with pytest.raises(NotPermitted):
            office.revoke(number, actor)
    assert office.rows(number) == [(1, "valid", None)]


def test_my_certificates_are_listed_newest_first_and_decisions_are_not_among_them(office):
    numbers = [office.decide(at=NOW + timedelta(minutes=n)) for n in range(3)]
    office.decide(action="refuse")
    office.revoke(numbers[-1])
    first = office.ask(queries.list_certificates, office.citizen, None, 2)
    rest = office.ask(queries.list_certificates, office.citizen, first["next"], 2)
    found = [*first["items"], *rest["items"]]
    assert [each["case"] for each in found] == numbers[::-1]
    # each took the place of the one before it
    assert [each["status"] for each in found] == ["revoked", "superseded", "superseded"]
    assert rest["next"] is None
    with pytest.raises(NotPermitted):
        office.ask(queries.list_certificates, replace(office.citizen, act="bob", mandate=Mandate(case="1")), None, 2)


def test_a_list_of_any_length_takes_as_many_queries(office):
    def count():
        queries_made = []
        listener = lambda *args: queries_made.append(args[2])  # noqa: E731
        event.listen(Engine, "before_cursor_execute", listener)
        try:
            office.ask(queries.list_certificates, office.citizen, None, 50)
        finally:
            event.remove(Engine, "before_cursor_execute", listener)
        return len(queries_made)

    office.decide()
    one = count()
    for _ in range(3):
        office.decide()
    assert count() == one


def test_what_was_given_out_is_told_by_its_digest_to_whoever_verifies(office):
    number = office.decide()
    code = office.read(number)["code"]
    office.note(number, office.citizen, "en", "a" * 64)
    office.note(number, office.citizen, "en", "a" * 64)
    with pytest.raises(InvalidInput):
        office.note(number, office.citizen, "en", "b")
    with pytest.raises(NotFound):
        office.note(number, replace(office.citizen, subject="somebody"), "en", "b" * 64)
    assert office.verify(code)["documents"] == [{"language": "en", "sha256": "a" * 64}]


def test_a_document_that_was_made_of_a_result_before_is_not_told_for_the_one_after(office):
    number = office.decide()
    before = office.newest(number)[0].id
    office.act(number, "reopen", versions="*")
    office.act(number, "approve")
    with pytest.raises(ActionNotAllowed):
        office.note(number, office.citizen, "en", "a" * 64, made_of=before)
    read = office.read(number)
    assert (read["downloads"], office.verify(read["code"])["documents"]) == ([], [])


def test_nothing_is_delivered_before_its_document_was_made(office):
    number = office.decide()
    with office.database.transaction() as session:
        commands_of_results.download_result(session, CATALOGUE, RESULTS, KEYS, office.citizen, number, "en", None, NOW)
    assert office.read(number)["downloads"] == []
    with office.database.transaction() as session:
        way = session.execute(text("SELECT delivered_by FROM cases WHERE number = :number"), {"number": number})
        assert way.scalar_one() is None


def test_what_an_officer_revoked_stays_revoked_when_the_case_is_decided_anew(office):
    number = office.decide()
    office.revoke(number, reason="false-statement")
    office.act(number, "reopen", OFFICER, at=NOW + timedelta(days=1), versions="*")
    office.act(number, "approve", OFFICER, at=NOW + timedelta(days=90))
    assert office.rows(number) == [(1, "revoked", "false-statement"), (2, "valid", None)]
