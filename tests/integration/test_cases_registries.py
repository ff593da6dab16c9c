"""Registers of evidence are asked: the real database, the local registers over HTTP, a clock of the test's own."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from chassis.sealing import Seal
from chassis.webhooks.rules import MOST_FAILURES
from contracts.errors import InvalidInput
from deploy.local.evidence_registers import BIRTHS, HOSPITAL_SECRET, HOUSEHOLDS_SECRET
from deploy.local.registry import CLIENT_ID, Register, demo_names, make_server
from services.cases.catalogue.files import shipped
from services.cases.registries import agreeing, commands, store
from services.cases.registries.adapter import Result
from services.cases.registries.agreements import Terms
from services.cases.registries.asking import RegistryAsker
from services.cases.registries.commands import TAKEN_FOR
from services.cases.registries.tables import registries, registry_questions
from tests.integration.identity_driver import COOKIE_KEY
from tests.processes import Failpoint, kill, running, wait_until

KIND, ITEM = "birth-medical-certificate", "birth-registration"
MOTHER = BIRTHS["Z510000001"]["mother_id_number"]
KNOWN = agreeing.known_in(shipped())
SEAL = Seal(COOKIE_KEY, store.PURPOSE)
HOUR = timedelta(hours=1)


@dataclass
class Hall:
    """Those who ask and hear, a hospital with a register and an agreement, and the clock."""

    database: object
    url: str
    register: Register
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    heard: list = field(default_factory=list)

    def __post_init__(self):
        name = f"h-{uuid.uuid4().hex[:10]}"
        self.hospital, self.name, self.secrets = name, name, {name: HOSPITAL_SECRET}
        self.add_register()
        self.agree()

    def add_register(self, **fields):
        described = {"owner": self.hospital, "url": f"{self.url}/hospital", "client_id": CLIENT_ID, "kinds": [KIND]}
        with self.database.transaction() as session:
            commands.add_registry(session, KNOWN, self.name, **(described | fields), plain=True, now=self.now)

    def agree(self, fields=None, reference="R 1"):
        terms = Terms({KIND: fields}, (ITEM,), self.now, self.now + 100 * HOUR)
        with self.database.transaction() as session:
            agreeing.add_agreement(session, KNOWN, self.hospital, reference, terms, self.now)

    def end(self):
        with self.database.transaction() as session:
            agreeing.end_agreement(session, self.hospital, "R 1", self.now)

    def ask(self, number="Z510000001", hours=48):
        question = str(uuid.uuid4())
        keys = {"certificate_number": number, "mother_id_number": MOTHER}
        with self.database.transaction() as session:
            asked = {"source": self.hospital, "kind": KIND, "item": ITEM, "keys": keys}
            until = self.now + hours * HOUR
            assert commands.ask(session, SEAL, question, **asked, until=until, now=self.now)
        return question

    def asker(self):
        def deliver(session, asked, answer):
            self.heard.append((asked.id, answer.result, dict(answer.fields)))

        return RegistryAsker(self.database, SEAL, self.secrets, deliver, lambda: self.now)

    def work(self, *askers):
        async def run():
            working = askers or (self.asker(),)
            sent = await asyncio.gather(*(asker.send_due() for asker in working))
            for asker in working:
                await asker.close()
            return sum(sent)

        return asyncio.run(run())

    def row(self, question):
        with self.database.transaction() as session:
            return session.execute(select(registry_questions).where(registry_questions.c.id == question)).one()


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
    yield Hall(cases_database, url, register)
    with cases_database.transaction() as session:
        session.execute(text("DELETE FROM registry_questions"))


def test_a_question_is_answered_once_and_forgotten(hall):
    question = hall.ask()
    assert b"11010519491231002X" not in bytes(hall.row(question).keys)
    assert hall.work() == 1
    assert [(asked, result, fields["child_name"]) for asked, result, fields in hall.heard] == [
        (question, Result.PROVIDED, "王安安")
    ]
    row = hall.row(question)
    assert (row.outcome, row.keys, row.next_attempt_at) == ("provided", None, None)
    assert hall.work() == 0


def test_asked_again_under_the_same_id_it_is_asked_once(hall):
    question = hall.ask()
    with hall.database.transaction() as session:
        keys = {"certificate_number": "Z510000002", "mother_id_number": MOTHER}
        asked = {"source": hall.hospital, "kind": KIND, "item": ITEM, "keys": keys}
        assert commands.ask(session, SEAL, question, **asked, until=hall.now + HOUR, now=hall.now)
    assert hall.work() == 1
    assert hall.heard[0][2]["child_name"] == "王安安"


def test_two_that_ask_at_once_ask_each_question_once(hall):
    questions = [hall.ask() for _ in range(6)]
    before = Counter(hall.register.others["/hospital"].asked)
    hall.work(hall.asker(), hall.asker())
    hall.work()
    assert sorted(asked for asked, _, _ in hall.heard) == sorted(questions)
    assert all((Counter(hall.register.others["/hospital"].asked) - before)[question] == 1 for question in questions)


@pytest.mark.parametrize(("number", "result"), [("Z999999999", Result.NOT_FOUND), ("C000000001", Result.NEEDS_CITIZEN)])
def test_what_it_has_not_is_an_answer_too(hall, number, result):
    question = hall.ask(number)
    hall.work()
    assert hall.heard == [(question, result, {})]


def test_no_answer_is_tried_again_later_within_its_time_and_then_no_more(hall):
    question = hall.ask("U000000001", hours=1)
    hall.work()
    row = hall.row(question)
    assert (row.attempts, row.outcome) == (1, None)
    assert row.next_attempt_at > hall.now + timedelta(seconds=2)
    assert hall.work() == 0, "not before its time"
    hall.now = row.next_attempt_at
    assert hall.work() == 1
    hall.now += 2 * HOUR
    assert hall.work() == 0
    row = hall.row(question)
    assert (row.outcome, row.keys) == ("late", None)
    assert hall.heard == []


def test_a_register_that_fails_again_and_again_is_left_alone_and_then_probed(hall):
    for _ in range(MOST_FAILURES + 3):
        hall.ask("U000000001")
    sent = 0
    while (now_sent := hall.work()) and sent < 20:
        sent += now_sent
    assert sent < MOST_FAILURES + 3, "some were never sent: it rests"
    with hall.database.transaction() as session:
        rests_until = session.execute(
            select(registries.c.rests_until).where(registries.c.name == hall.name)
        ).scalar_one()
    assert rests_until is None or rests_until > hall.now
    hall.now += HOUR
    assert hall.work() == 1, "one probe"


def test_another_register_is_asked_meanwhile(hall, cases_database, local_registers):
    other = Hall(cases_database, hall.url, hall.register, now=hall.now)
    with hall.database.transaction() as session:
        resting = {"failures": MOST_FAILURES, "rests_until": hall.now + HOUR}
        session.execute(update(registries).where(registries.c.name == hall.name).values(resting))
    hall.ask()
    other.ask()
    hall.secrets |= other.secrets
    assert hall.work() == 1


def test_only_what_the_agreement_allows_comes_through(hall):
    hall.end()
    hall.agree(("child_name",), "R 2")
    hall.ask()
    hall.work()
    assert [fields for _, _, fields in hall.heard] == [{"child_name": "王安安"}]


def test_an_agreement_that_has_ended_is_denied_at_once_also_for_what_is_under_way(hall):
    question = hall.ask()
    asker = hall.asker()
    take = asker.take_due

    def take_then_end(*arguments):
        taken = take(*arguments)
        if taken:
            hall.end()
        return taken

    asker.take_due = take_then_end
    hall.work(asker)
    assert hall.heard == [(question, Result.NEEDS_CITIZEN, {})]
    assert hall.row(question).outcome == "not-allowed"


def test_what_was_withdrawn_while_it_was_under_way_comes_to_nothing(hall):
    question = hall.ask()
    asker = hall.asker()
    send = asker.send

    async def withdraw_then_send(asked):
        with hall.database.transaction() as session:
            commands.withdraw(session, question, hall.now)
        return await send(asked)

    asker.send = withdraw_then_send
    hall.work(asker)
    assert hall.heard == []
    assert hall.row(question).outcome == "withdrawn"


def test_a_department_needs_no_agreement(hall):
    number, name = next(iter(demo_names().items()))
    register = {"owner": "civil-affairs", "url": f"{hall.url}/households", "kinds": ["household-register"]}
    hall.add_register(**register)
    hall.secrets[hall.name] = HOUSEHOLDS_SECRET
    with hall.database.transaction() as session:
        asked = {"source": "civil-affairs", "kind": "household-register", "item": ITEM, "keys": {"id_number": number}}
        commands.ask(session, SEAL, str(uuid.uuid4()), **asked, until=hall.now + HOUR, now=hall.now)
    hall.work()
    assert [fields["head_name"] for _, _, fields in hall.heard] == [name]
    with hall.database.transaction() as session:
        commands.end_registry(session, hall.name, hall.now)


def test_who_has_no_register_is_asked_otherwise_and_one_that_was_ended_is_asked_nothing(hall):
    question = hall.ask()
    with hall.database.transaction() as session:
        commands.end_registry(session, hall.name, hall.now)
    assert hall.work() == 0
    assert hall.row(question).outcome is None
    with hall.database.transaction() as session:
        asked = {"source": hall.hospital, "kind": KIND, "item": ITEM, "keys": {}}
        assert not commands.ask(session, SEAL, question, **asked, until=hall.now + HOUR, now=hall.now)


def test_keys_that_nothing_can_be_found_by_are_refused_before_anything_is_asked(hall):
    asked = {"source": hall.hospital, "kind": KIND, "item": ITEM, "keys": {"certificate_number": "1"}}
    with pytest.raises(InvalidInput) as raised, hall.database.transaction() as session:
        commands.ask(session, SEAL, str(uuid.uuid4()), **asked, until=hall.now + HOUR, now=hall.now)
    assert raised.value.faults
    assert hall.work() == 0


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
        other = Seal("B" * 43, store.PURPOSE).close(b"{}", lost.encode())
        session.execute(update(registry_questions).where(registry_questions.c.id == lost).values(keys=other))
    hall.ask()
    assert hall.work() == 1
    assert hall.row(lost).outcome == "sealed-otherwise"


def test_the_process_asks_also_after_it_was_killed(hall, servers, tmp_path):
    own = servers.environment | {
        "ONEHALL_CASES_KEY": COOKIE_KEY,
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
    assert hall.register.others["/hospital"].asked.count(question) == 2
