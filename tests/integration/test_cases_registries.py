"""Registers of evidence are asked: the real database, the local registers over HTTP, a clock of the test's own."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select, text, update

from chassis.sealing import Seal
from chassis.webhooks.rules import MOST_FAILURES, Breaker
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, CaseChanged, InvalidInput, NotFound, VersionNeeded
from deploy.local.evidence_registers import BIRTHS, HOSPITAL_SECRET
from deploy.local.registry import CLIENT_ID, Register, make_server
from services.cases import commands as case_commands
from services.cases import store as case_store
from services.cases.catalogue.files import shipped
from services.cases.evidence import commands as evidence
from services.cases.evidence import consenting, deciding, offering, queries
from services.cases.evidence import store as evidence_store
from services.cases.registries import agreeing, commands, store
from services.cases.registries.adapter import Result
from services.cases.registries.agreements import SCOPE, Terms
from services.cases.registries.asking import RegistryAsker
from services.cases.registries.commands import MOST_EACH, TAKEN_FOR
from services.cases.registries.delivering import ask_register, deliver
from services.cases.registries.releasing import release_uncovered
from services.cases.registries.tables import registry_questions
from services.cases.views import entry_view
from services.identity.persons.identifiers import with_check_digit
from tests.processes import Failpoint, kill, running, wait_until
from tests.seals import DESK, KEY, RESULTS

CATALOGUE = shipped()
HOSPITAL, DOCUMENT = "city-hospital", "birth-certificate"
EXAMPLE = CATALOGUE.get("birth-registration").description["example"]
OFFICER = Actor(subject="olive", client="web", roles=("officer",), department="civil-affairs")
PROGRAM = Actor(subject="org-h", client="org-h", organisation=HOSPITAL, scopes=(SCOPE,))
KIND, ITEM = "birth-medical-certificate", "birth-registration"
MOTHER = BIRTHS["Z510000001"]["mother_id_number"]
KNOWN = agreeing.known_in(CATALOGUE)
SEAL = Seal(KEY, store.PURPOSE)
HOUR = timedelta(hours=1)


@dataclass
class Hall:
    """A citizen, a hospital with a register and an agreement, who asks it, and the clock."""

    database: object
    url: str
    register: Register
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    heard: list = field(default_factory=list)

    def __post_init__(self):
        self.name = f"h-{uuid.uuid4().hex[:10]}"
        self.secrets = {self.name: HOSPITAL_SECRET}
        self.citizen = Actor(subject=str(uuid.uuid4()), client="web", acr=3)
        self.desk = replace(DESK, hand_over=partial(ask_register, SEAL))

    def add_register(self, **fields):
        described = {"owner": HOSPITAL, "url": f"{self.url}/hospital", "client_id": CLIENT_ID, "kinds": [KIND]}
        with self.database.transaction() as session:
            commands.add_registry(session, KNOWN, self.name, **(described | fields), plain=True, now=self.now)

    def agree(self, fields=None, reference="R 1", hours=10_000):
        terms = Terms({KIND: fields}, (ITEM,), self.now, self.now + hours * HOUR)
        with self.database.transaction() as session:
            agreeing.add_agreement(session, KNOWN, HOSPITAL, reference, terms, self.now)

    def end(self):
        with self.database.transaction() as session:
            agreeing.end_agreement(session, HOSPITAL, "R 1", self.now)

    def file(self, number="Z510000001", **answers):
        form = EXAMPLE | {"birth_certificate_number": number} | answers
        filing = case_commands.prepare_filing(CATALOGUE, self.citizen, ITEM, form, None)
        with self.database.transaction() as session:
            return case_commands.submit_case(session, CATALOGUE, filing, self.now)["number"]

    def consent(self, case):
        with self.database.transaction() as session:
            return consenting.consent(session, CATALOGUE, self.desk, self.citizen, case, DOCUMENT, self.now)["id"]

    def consent_with_filing(self, case):
        with self.database.transaction() as session:
            consenting.consent_with_filing(session, CATALOGUE, self.desk, self.citizen, case, [DOCUMENT], self.now)

    def ask(self, number="Z510000001", **answers):
        return self.consent(self.file(number, **answers))

    def decide(self, case, action, reason=None):
        with self.database.transaction() as session:
            said = (self.citizen, case, DOCUMENT, action, self.now, reason)
            return deciding.decide(session, CATALOGUE, self.desk, *said)

    def answer(self, known, case, actor, fields):
        said = {"number": case, "result": "provided", "fields": fields}
        with self.database.transaction() as session:
            return evidence.answer(session, CATALOGUE, self.desk, actor, known, said, self.now)

    def seen(self, case, actor=None):
        with self.database.transaction() as session:
            found = queries.list_of_case(session, CATALOGUE, self.desk, actor or self.citizen, case)
        return next((each for each in found if each["document"] == DOCUMENT), None)

    def status(self, known):
        with self.database.transaction() as session:
            return evidence_store.load(session, DESK.seal, known)[0].status

    def asker(self):
        def hand_on(session, asked, answer):
            self.heard.append((asked.evidence, answer.result, dict(answer.fields)))
            return deliver(session, self.desk, asked, answer, self.now)

        return RegistryAsker(self.database, SEAL, self.secrets, hand_on, lambda: self.now)

    def work(self, *askers):
        async def run():
            working = askers or (self.asker(),)
            sent = await asyncio.gather(*(asker.send_due() for asker in working))
            for asker in working:
                await asker.close()
            return sum(sent)

        return asyncio.run(run())

    def row(self, known):
        found = select(registry_questions).where(registry_questions.c.evidence == known)
        with self.database.transaction() as session:
            return session.execute(found.order_by(registry_questions.c.asks.desc())).first()


@pytest.fixture(scope="module")
def local_registers():
    register = Register()
    server = make_server("127.0.0.1", 0, register)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield register, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def hall(cases_database, local_registers):
    register, url = local_registers
    hall = Hall(cases_database, url, register)
    hall.add_register()
    hall.agree()
    yield hall
    with cases_database.transaction() as session:
        session.execute(text("DELETE FROM registry_questions"))
        session.execute(text("DELETE FROM registries"))
        session.execute(text("DELETE FROM source_agreements"))
    # nobody waits for what is left
    release_uncovered(hall.database, hall.desk, hall.now)


def test_a_register_answers_a_request_and_what_was_asked_is_forgotten(hall):
    case = hall.file()
    known = hall.consent(case)
    assert MOTHER.encode() not in bytes(hall.row(known).keys)
    assert hall.work() == 1
    seen = hall.seen(case)
    assert (seen["status"], seen["fields"]["child_name"]) == ("provided", "王安安")
    assert seen["labels"]["child_name"]["title"]["en"] == "Child's name"
    row = hall.row(known)
    assert (row.outcome, row.keys, row.next_attempt_at) == ("provided", None, None)
    assert hall.work() == 0


def test_two_that_ask_at_once_ask_each_question_once(hall):
    asked = [hall.ask() for _ in range(6)]
    questions = {hall.row(known).id for known in asked}
    hall.work(hall.asker(), hall.asker())
    hall.work()
    assert sorted(known for known, _, _ in hall.heard) == sorted(asked)
    counted = Counter(hall.register.others["/hospital"].asked)
    assert all(counted[question] == 1 for question in questions)


@pytest.mark.parametrize(("number", "status"), [("Z999999999", "not-found"), ("C000000001", "needs-citizen")])
def test_what_it_has_not_is_an_answer_too(hall, number, status):
    known = hall.ask(number)
    hall.work()
    assert hall.status(known) == status


def test_somebody_elses_child_is_not_found_by_its_number_alone(hall):
    known = hall.ask(mother_id_number=with_check_digit("11010119900307001"))
    hall.work()
    assert hall.status(known) == "not-found"


def test_no_answer_is_tried_again_later_within_its_time_and_then_no_more(hall):
    known = hall.ask("U000000001")
    hall.work()
    row = hall.row(known)
    assert (row.attempts, row.outcome) == (1, None)
    assert row.next_attempt_at > hall.now + timedelta(seconds=2)
    assert hall.work() == 0, "not before its time"
    hall.now = row.next_attempt_at
    assert hall.work() == 1
    hall.now = row.until
    assert hall.work() == 0
    row = hall.row(known)
    assert (row.outcome, row.keys) == ("late", None)
    assert hall.heard == []


def test_replicas_share_the_places_at_a_register(hall):
    for _ in range(MOST_EACH + 2):
        hall.ask()

    def take(session):
        return commands.take_due(session, SEAL, [hall.name], {}, 32, hall.now)

    with hall.database.transaction() as other:
        with hall.database.transaction() as one:
            taken = take(one)
            assert take(other) == [], "one counts at a time"
        assert len(taken) == MOST_EACH
        assert take(other) == [], "every place is taken, by whomever"
        store.finish(other, taken[0].id, "provided", hall.now)
        assert len(take(other)) == 1
    with hall.database.transaction() as session:
        store.save_breaker(session, hall.name, Breaker(1, None))
        store.put_off(session, taken[1].id, hall.now)
        assert take(session) == [], "one that answers nothing is not probed while others are under way"
    hall.now += TAKEN_FOR
    with hall.database.transaction() as session:
        assert len(take(session)) == 1, "whoever died with the places has lost them; one probe at a time"


def test_a_register_that_fails_again_and_again_is_left_alone_and_then_probed(hall):
    for _ in range(MOST_FAILURES + 3):
        hall.ask("U000000001")
    sent = 0
    while now_sent := hall.work():
        sent += now_sent
    assert sent < MOST_FAILURES + 3, "some were never sent: it rests"
    hall.now += HOUR
    assert hall.work() == 1, "one probe"


def test_only_what_the_agreement_allows_comes_through(hall):
    hall.end()
    hall.agree(("child_name",), "R 2")
    case = hall.file()
    hall.consent(case)
    hall.work()
    assert hall.seen(case)["fields"] == {"child_name": "王安安"}


def test_what_was_fetched_under_another_agreement_is_narrowed_to_what_this_one_allows(hall):
    first = hall.file()
    known = hall.consent(first)
    hall.work()
    fields = hall.seen(first)["fields"]
    assert len(fields) > 1
    good = (hall.now + 48 * HOUR).date()
    with hall.database.transaction() as session:
        until = text("UPDATE evidence SET valid_until = :day WHERE id = CAST(:id AS uuid)")
        session.execute(until, {"day": good, "id": known})
    hall.decide(first, "use")
    hall.end()
    hall.agree(("child_name",), "R 2")
    hall.consent(again := hall.file())
    seen = hall.seen(again)
    assert (seen["origin"], seen["fields"]) == ("evidence", {"child_name": fields["child_name"]})


def test_without_an_agreement_it_is_not_offered_and_not_asked(hall):
    hall.end()
    case = hall.file()
    assert hall.seen(case) is None
    with pytest.raises(ActionNotAllowed):
        hall.consent(case)
    assert hall.work() == 0


def test_a_form_offers_what_may_be_asked_and_a_filing_stands_though_the_agreement_has_ended_meanwhile(hall):
    def offered():
        description = CATALOGUE.get(ITEM).description
        return offering.with_fetched(hall.database, CATALOGUE, description, hall.now).get("fetched")

    [birth] = [each for each in offered() if each["document"] == DOCUMENT]
    assert (birth["source_kind"], birth["source"]) == ("organisation", HOSPITAL)
    assert birth["keys"] == ["birth_certificate_number", "mother_id_number"]
    hall.consent_with_filing(asked := hall.file())
    assert hall.seen(asked)["status"] == "asked"
    hall.end()
    assert not offered()
    hall.consent_with_filing(case := hall.file())
    assert hall.seen(case) is None


def test_an_agreement_that_has_ended_is_denied_at_once_also_for_what_is_under_way(hall):
    known = hall.ask()
    asker = hall.asker()
    take = asker.take_due

    def take_then_end(*arguments):
        taken = take(*arguments)
        if taken:
            hall.end()
        return taken

    asker.take_due = take_then_end
    hall.work(asker)
    assert hall.heard == [(known, Result.NEEDS_CITIZEN, {})]
    assert (hall.row(known).outcome, hall.status(known)) == ("not-allowed", "needs-citizen")


@pytest.mark.parametrize("how", ["ended", "run out"])
def test_what_is_open_when_an_agreement_ends_is_the_applicants_to_bring(hall, how):
    known = hall.ask("U000000001")
    if how == "ended":
        hall.end()
    else:
        with hall.database.transaction() as session:
            agreeing.extend_agreement(session, HOSPITAL, "R 1", hall.now + HOUR, hall.now)
        assert release_uncovered(hall.database, hall.desk, hall.now) == 0
        hall.now += HOUR
    assert release_uncovered(hall.database, hall.desk, hall.now) == 1
    assert hall.status(known) == "needs-citizen"
    assert hall.row(known).outcome == "withdrawn"
    assert release_uncovered(hall.database, hall.desk, hall.now) == 0


def test_a_program_of_the_organisation_sees_and_answers_under_its_agreement_only(hall):
    case = hall.file()
    known = hall.consent(case)
    fields = {"child_name": "王安安", "hospital": "广安市人民医院"}
    with hall.database.transaction() as session:
        (waiting,) = queries.list_requests(session, CATALOGUE, PROGRAM, None, None)["items"]
        shown = queries.get_request(session, CATALOGUE, hall.desk, PROGRAM, known, hall.now)
    assert (waiting["id"], shown["keys"]["mother_id_number"]) == (known, MOTHER)
    with pytest.raises(InvalidInput):
        hall.answer(known, case, PROGRAM, fields)
    hall.end()
    with hall.database.transaction() as session:
        assert queries.list_requests(session, CATALOGUE, PROGRAM, None, None)["items"] == []
    with pytest.raises(NotFound), hall.database.transaction() as session:
        queries.get_request(session, CATALOGUE, hall.desk, PROGRAM, known, hall.now)
    with pytest.raises(NotFound):
        hall.answer(known, case, PROGRAM, fields)
    hall.agree(("child_name", "hospital"), "R 2")
    with pytest.raises(NotFound):
        hall.answer(known, case, replace(PROGRAM, organisation="other-hospital"), fields)
    assert hall.answer(known, case, PROGRAM, fields | {"mother_name": "陈小梅"})["status"] == "provided"
    assert hall.seen(case)["fields"] == fields, "what was not agreed is dropped"
    assert hall.work() == 0, "its register is not asked any more"


def test_what_was_withdrawn_while_it_was_under_way_comes_to_nothing(hall):
    case = hall.file()
    known = hall.consent(case)
    asker = hall.asker()
    send = asker.send

    async def withdraw_then_send(asked):
        hall.decide(case, "withdraw")
        return await send(asked)

    asker.send = withdraw_then_send
    hall.work(asker)
    assert (hall.row(known).outcome, hall.status(known)) == ("withdrawn", "wanted")


def test_an_answer_to_the_question_before_does_not_answer_the_one_after(hall):
    case = hall.file()
    known = hall.consent(case)
    asker = hall.asker()
    send = asker.send

    async def ask_anew_then_send(asked):
        hall.decide(case, "withdraw")
        hall.consent(case)
        return await send(asked)

    asker.send = ask_anew_then_send
    hall.work(asker)
    assert (hall.row(known).asks, hall.status(known)) == (2, "asked")
    hall.work()
    assert hall.status(known) == "provided"


def test_one_answer_that_cannot_be_taken_holds_no_other_up(hall):
    broken, fine = hall.ask(), hall.ask()
    asker = hall.asker()
    hand_on = asker._deliver

    def break_one(session, asked, answer):
        if asked.evidence == broken:
            session.execute(text("SELECT nothing"))
        return hand_on(session, asked, answer)

    asker._deliver = break_one
    hall.work(asker)
    assert (hall.row(broken).outcome, hall.status(fine)) == (None, "provided")


def test_the_form_is_compared_with_what_came_and_a_difference_refuses_nothing(hall):
    case = hall.file(child_birth_date="2026-10-21", child_name="王 安安", father_name="王建國")
    hall.consent(case)
    hall.work()
    check = hall.seen(case)["check"]
    assert {each["field"]: each["outcome"] for each in check["fields"]} == {
        "child_name": "same",
        "child_sex": "same",
        "child_birth_date": "differs",
        "mother_name": "same",
        "father_name": "same",
    }
    (differing,) = [each for each in check["fields"] if each["outcome"] == "differs"]
    assert (differing["said"], differing["found"]) == ("2026-10-21", "2026-10-20")
    assert hall.decide(case, "use", "午夜后出生")["status"] == "used"
    seen = hall.seen(case, OFFICER)["check"]
    assert (seen["differs"], seen["reason"]) == (True, "午夜后出生")
    assert kept(hall) == [{each["field"]: each["outcome"] for each in check["fields"]}]


def test_a_form_that_is_corrected_is_compared_anew(hall):
    case = hall.file(child_birth_date="2026-10-21")
    hall.consent(case)
    hall.work()
    hall.decide(case, "use")
    form = EXAMPLE | {"birth_certificate_number": "Z510000001"}
    asked = {"until": (hall.now + 100 * HOUR).date().isoformat(), "missing": [{"field": "child_birth_date"}]}
    for actor, action, more in ((OFFICER, "request_correction", {"details": asked}), (hall.citizen, "correct", {})):
        with hall.database.transaction() as session:
            case_commands.act_on_case(
                session,
                CATALOGUE,
                actor,
                case,
                action,
                note="so",
                form=form if action == "correct" else None,
                now=hall.now,
                result_seal=RESULTS,
                desk=hall.desk,
                **more,
            )
    assert [each["child_birth_date"] for each in kept(hall)] == ["differs", "same"]
    assert not hall.seen(case)["check"]["differs"]


def correct(hall, case, fields=None, versions="*"):
    with hall.database.transaction() as session:
        asked = (hall.citizen, case, DOCUMENT, fields, versions, hall.now)
        return deciding.correct_form(session, CATALOGUE, hall.desk, *asked)


def file_of(hall, case):
    """Its form and, of each entry of its history, the event, the role and the details."""
    with hall.database.transaction() as session:
        found = case_store.load_case_with_form(session, case)
        history = [entry_view(each) for each in case_store.load_history(session, case)]
    return found[1], [(entry["event"], entry["actor"], entry.get("details")) for entry in history]


def test_an_applicant_puts_their_form_right_by_what_came_and_by_that_alone(hall):
    case = hall.file(child_birth_date="2026-10-21", child_name="王小安")
    hall.consent(case)
    hall.work()
    before, _ = file_of(hall, case)
    assert hall.seen(case)["may"] == ["use", "decline", "withdraw", "correct"]
    assert "correct" not in hall.seen(case, OFFICER)["may"]
    for wrong in (["address"], ["child_sex"], [], "child_name", [["child_name"]]):
        with pytest.raises(InvalidInput):
            correct(hall, case, wrong)
    correct(hall, case, ["child_birth_date"])
    after, history = file_of(hall, case)
    assert after == before | {"child_birth_date": "2026-10-20"}
    entry = {"document": DOCUMENT, "fields": ["child_birth_date"]}
    assert history[-1] == ("case.form-corrected", "citizen", entry)
    assert hall.seen(case)["check"]["differs"], "the name still does"
    hall.decide(case, "use")
    correct(hall, case)
    assert [each["child_name"] for each in kept(hall)] == ["differs", "same"]
    assert "correct" not in hall.seen(case)["may"]
    with pytest.raises(ActionNotAllowed):
        correct(hall, case)


def test_a_form_is_put_right_only_on_the_version_that_was_read_and_while_the_case_is_open(hall):
    case = hall.file(child_birth_date="2026-10-21")
    hall.consent(case)
    hall.work()
    before, history = file_of(hall, case)
    for versions, error in ((None, VersionNeeded), ([len(history) - 1], CaseChanged)):
        with pytest.raises(error):
            correct(hall, case, versions=versions)
    stranger = replace(hall.citizen, subject=str(uuid.uuid4()))
    for actor in (stranger, OFFICER):
        with hall.database.transaction() as session, pytest.raises(NotFound):
            deciding.correct_form(session, CATALOGUE, hall.desk, actor, case, DOCUMENT, None, "*", hall.now)
    with hall.database.transaction() as session:
        asked = {"note": None, "form": None, "now": hall.now, "result_seal": RESULTS}
        case_commands.act_on_case(session, CATALOGUE, hall.citizen, case, "withdraw", **asked)
    with pytest.raises(ActionNotAllowed):
        correct(hall, case)
    assert file_of(hall, case)[0] == before


def test_what_the_form_cannot_take_over_changes_nothing(hall):
    case = hall.file(child_name="王小安")
    known = hall.consent(case)
    said = dict(BIRTHS["Z510000001"]) | {"certificate_number": "Z510000001", "child_name": "安"}
    hall.answer(known, case, PROGRAM, said)
    with pytest.raises(InvalidInput) as refused:
        correct(hall, case, ["child_name"])
    assert [fault["pointer"] for fault in refused.value.faults] == ["/form/child_name"]
    assert file_of(hall, case)[1][-1][0] == "case.evidence-answered"


def kept(hall):
    """The outcomes of each check, the first one first; no value stands in them."""
    of_citizen = text(
        "SELECT outcomes FROM evidence_checks JOIN evidence ON evidence.id = evidence_checks.evidence"
        " WHERE applicant = :applicant ORDER BY compared_at"
    )
    with hall.database.transaction() as session:
        return list(session.execute(of_citizen, {"applicant": hall.citizen.subject}).scalars())


def test_one_that_was_ended_is_asked_nothing(hall):
    known = hall.ask()
    with hall.database.transaction() as session:
        commands.end_registry(session, hall.name, hall.now)
    assert hall.work() == 0
    assert hall.status(known) == "asked", "its program may still answer"
    with hall.database.transaction() as session:
        row = session.execute(
            text("SELECT outcome, keys FROM registry_questions WHERE evidence = CAST(:id AS uuid)"), {"id": known}
        ).one()
    assert tuple(row) == ("ended", None)


def test_what_was_asked_of_one_owner_is_nobody_elses(hall):
    known = hall.ask()
    hall.add_register(owner="public-security")
    assert hall.work() == 0
    assert hall.status(known) == "asked"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"url": "https://user:password@register.example"}, "/url"),
        ({"url": "ftp://register.example"}, "/url"),
        ({"url": "https://register.example/?key=1"}, "/url"),
        ({"kinds": ["unknown"]}, "/kind"),
        ({"owner": "No Name"}, "/owner"),
        ({"client_id": ""}, "/client_id"),
    ],
)
def test_a_register_is_described_rightly_or_not_at_all(hall, changed, pointer):
    with pytest.raises(InvalidInput) as raised:
        hall.add_register(**changed)
    assert [fault["pointer"] for fault in raised.value.faults] == [pointer]


def test_plain_http_is_for_local_runs_only(hall):
    described = {"owner": "a", "url": "http://register.example", "client_id": "us", "kinds": [KIND]}
    with pytest.raises(InvalidInput), hall.database.transaction() as session:
        commands.add_registry(session, KNOWN, "a", **described, plain=False, now=hall.now)


def test_what_was_sealed_with_a_lost_key_holds_nothing_else_up(hall):
    lost = hall.ask()
    with hall.database.transaction() as session:
        other = Seal("B" * 43, store.PURPOSE).close(b"{}", hall.row(lost).id.encode())
        session.execute(update(registry_questions).where(registry_questions.c.evidence == lost).values(keys=other))
    hall.ask()
    assert hall.work() == 1
    assert hall.row(lost).outcome == "sealed-otherwise"


def test_the_process_asks_also_after_it_was_killed(hall, servers, tmp_path):
    own = servers.environment | {
        "ONEHALL_CASES_KEY": KEY,
        "ONEHALL_EVIDENCE_SECRETS": f"{hall.name}={HOSPITAL_SECRET}",
    }
    question = hall.ask()
    failpoint = Failpoint("registries.asked", tmp_path)
    with running(["services.cases.registries"], own, **failpoint.environment) as process:
        failpoint.wait()
        kill(process)
    row = hall.row(question)
    assert (row.outcome, row.attempts) == (None, 1)
    assert row.next_attempt_at > datetime.now(UTC), "nobody else takes it at once"
    assert row.next_attempt_at <= datetime.now(UTC) + TAKEN_FOR
    with hall.database.transaction() as session:
        session.execute(update(registry_questions).values(next_attempt_at=datetime.now(UTC)))
    with running(["services.cases.registries"], own) as process:
        wait_until("it is answered", lambda: hall.row(question).outcome == "provided")
        process.terminate()
        assert process.wait(30) == 0
    assert hall.register.others["/hospital"].asked.count(row.id) == 2
    assert hall.status(question) == "provided"
