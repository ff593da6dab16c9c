"""Joint cases over a real PostgreSQL: one form, several cases, what waits for what, and nothing lost or doubled."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from chassis.sealing import Seal
from contracts.actors import Actor, Mandate
from contracts.errors import (
    ActionNotAllowed,
    IdempotencyKeyReused,
    InvalidInput,
    ItemIsJoint,
    NotFound,
    NotPermitted,
)
from services.cases import commands, own_data, queries
from services.cases.attachments import commands as attachments
from services.cases.attachments import store as attachment_store
from services.cases.catalogue.files import shipped
from services.cases.drafts import commands as drafts
from services.cases.drafts import queries as draft_queries
from services.cases.evidence import offering
from services.cases.joint import commands as joint_commands
from services.cases.joint import filing
from services.cases.joint import queries as joint_queries
from services.cases.lists import queries as lists
from services.cases.registries import agreeing
from services.cases.registries.agreements import Terms
from services.cases.registries.releasing import release_uncovered
from services.cases.work.calendars import WEEKDAYS_EVERYWHERE
from services.cases.work.clock import RULES
from tests.integration.test_cases_drafts import SEAL
from tests.processes import wait_until
from tests.seals import DESK, RESULTS

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
FILES = Seal("A" * 43, attachment_store.PURPOSE)
GOOD = {"media_type": "application/pdf", "sha256": "00" * 32}
SEALED = {"result_seal": RESULTS}
TIME = {"calendars": WEEKDAYS_EVERYWHERE, "rules": RULES}
REGISTRATION, INSURANCE, CARD = "birth-registration", "newborn-insurance", "newborn-social-card"
OFFICERS = {
    "civil-affairs": Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs"),
    "medical-insurance": Actor(subject="eve", client="web", roles=("officer",), department="medical-insurance"),
    "human-resources": Actor(subject="fay", client="web", roles=("officer",), department="human-resources"),
}
TOLD = """
    SELECT count(*) FROM outbox o JOIN cases c ON c.number = o.subject
    WHERE c.joint = :number AND o.routing_key LIKE 'case.submitted.%' AND o.body LIKE '%"joint":"' || :number || '"%'
"""


@pytest.fixture
def citizen():
    return Actor(subject=str(uuid.uuid4()), client="web")


@pytest.fixture
def birth(cases_database, citizen):
    return Birth(cases_database, citizen)


class Birth:
    """One joint case of a citizen, and whoever works on its parts."""

    def __init__(self, database, citizen):
        self.database, self.citizen = database, citizen
        self.number = None

    def file(self, key=None, actor=None, **answers):
        form = dict(CATALOGUE.get("birth").description["example"]) | answers
        form = {name: value for name, value in form.items() if value is not None}
        wanted = filing.prepare(CATALOGUE, actor or self.citizen, "birth", form, key)
        with self.database.transaction() as session:
            filed = joint_commands.submit_joint_case(session, CATALOGUE, wanted, NOW, **TIME)
        self.number = filed["number"]
        return filed

    def read(self, actor=None):
        with self.database.transaction() as session:
            return joint_queries.get_joint_case(session, CATALOGUE, actor or self.citizen, self.number)

    def parts(self):
        return {part["item"]: part for part in self.read()["parts"]}

    def states(self):
        return {item: part["state"] for item, part in self.parts().items()}

    def act(self, item, action, actor=None, **asked):
        part = self.parts()[item]
        officer = actor or OFFICERS[part["department"]]
        with self.database.transaction() as session:
            commands.act_on_case(
                session,
                CATALOGUE,
                officer,
                part["number"],
                action,
                note="because",
                form=None,
                now=NOW,
                result_seal=RESULTS,
                **asked,
            )

    def decide(self, item, action="approve"):
        self.act(item, "accept")
        self.act(item, action)

    def whole(self, action, part=None, form=None, actor=None):
        with self.database.transaction() as session:
            return joint_commands.act_on_joint_case(
                session,
                CATALOGUE,
                actor or self.citizen,
                self.number,
                action,
                part=part,
                form=form,
                now=NOW,
                result_seal=RESULTS,
                **TIME,
            )

    def add(self, target, document, *, actor=None, length=1000):
        """The id of a good file."""
        by = actor or self.citizen
        with self.database.transaction() as session:
            begun = attachments.begin_attachment(
                session, CATALOGUE, FILES, by, target, document, f"{document}.pdf", length, NOW
            )
            attachments.receive_part(
                session, CATALOGUE, FILES, by, begun["id"], 0, f"{0:012}-{0:016x}", length, NOW, outcome=GOOD
            )
        return begun["id"]

    def count(self, query):
        with self.database.transaction() as session:
            return session.execute(text(query), {"number": self.number}).scalar_one()


def test_one_form_files_what_waits_for_nothing_and_asks_everything_once(birth):
    filed = birth.file()
    assert birth.states() == {REGISTRATION: "submitted", INSURANCE: "submitted", CARD: "waiting"}
    parts = birth.parts()
    assert parts[CARD]["because"] == [REGISTRATION]
    assert parts[CARD]["due"] is None, "no clock of a case that has not begun"
    with birth.database.transaction() as session:
        registration = queries.get_case(session, CATALOGUE, birth.citizen, parts[REGISTRATION]["number"])
        insurance = queries.get_case(session, CATALOGUE, birth.citizen, parts[INSURANCE]["number"])
    assert registration["form"]["child_name"] == insurance["form"]["insured_name"] == "王安安"
    assert registration["joint"] == insurance["joint"] == filed["number"]
    assert registration["due"]["on"] is not None
    assert {entry["event"] for entry in filed["history"]} == {"case.submitted"}
    assert len({filed["number"], registration["number"], insurance["number"]}) == 3
    assert birth.count(TOLD) == 2


def test_what_waits_begins_with_the_approval_and_by_itself(birth):
    birth.file()
    birth.decide(REGISTRATION)
    assert birth.states() == {REGISTRATION: "approved", INSURANCE: "submitted", CARD: "submitted"}
    begun = [entry for entry in birth.read()["history"] if entry["item"] == CARD]
    assert [(entry["event"], entry["actor"]) for entry in begun] == [("case.submitted", "system")]
    birth.decide(CARD)
    birth.decide(INSURANCE)
    whole = birth.read()
    assert not whole["is_open"]
    assert whole["actions"] == []


def test_a_refused_part_hides_no_other_and_what_needs_it_does_not_begin(birth):
    birth.file()
    birth.decide(REGISTRATION, "refuse")
    assert birth.states() == {REGISTRATION: "refused", INSURANCE: "submitted", CARD: "not_begun"}
    assert birth.parts()[CARD]["because"] == [REGISTRATION]
    birth.decide(INSURANCE)
    assert birth.states()[INSURANCE] == "approved"
    assert birth.parts()[REGISTRATION]["reason"] == "because"
    seen = {
        part["item"]: (part["can_open"], part["reason"]) for part in birth.read(OFFICERS["medical-insurance"])["parts"]
    }
    assert seen == {REGISTRATION: (False, None), INSURANCE: (True, None), CARD: (False, None)}, "states, and no reasons"
    assert not birth.read()["is_open"]
    # a review takes the refusal back: then what it needs is there after all
    version = birth.read()["history"]
    sequence = max(entry["sequence"] for entry in version if entry["item"] == REGISTRATION)
    birth.act(REGISTRATION, "reopen", versions=[sequence])
    assert birth.states()[CARD] == "waiting"
    birth.act(REGISTRATION, "approve")
    assert birth.states()[CARD] == "submitted"


def test_a_part_that_is_not_asked_for_is_not_there(birth):
    birth.file(with_card=False, card_delivery=None)
    assert list(birth.states()) == [REGISTRATION, INSURANCE]


def test_a_key_files_once_and_with_one_form(birth):
    key = str(uuid.uuid4())
    first = birth.file(key)
    assert birth.file(key)["number"] == first["number"]
    assert birth.count("SELECT count(*) FROM cases WHERE joint = :number") == 2
    with pytest.raises(IdempotencyKeyReused):
        birth.file(key, child_name="王平安")


def test_every_fault_of_the_form_is_named_and_nothing_is_filed(birth):
    with pytest.raises(InvalidInput) as refusal:
        birth.file(child_name="王", telephone=None)
    assert {fault["pointer"] for fault in refusal.value.faults} == {"/form/child_name", "/form/telephone"}
    with birth.database.transaction() as session:
        assert lists.list_cases(session, CATALOGUE, birth.citizen, None, None)["items"] == []


def test_a_joint_item_is_no_case_and_a_plain_item_no_joint_case(birth):
    form = CATALOGUE.get("birth").description["example"]
    with pytest.raises(ItemIsJoint):
        commands.prepare_filing(CATALOGUE, birth.citizen, "birth", form, None)
    with pytest.raises(NotFound):
        filing.prepare(CATALOGUE, birth.citizen, "elderly-card", {}, None)


def test_one_part_is_withdrawn_or_all_that_is_open(birth):
    birth.file()
    birth.whole("withdraw", CARD)
    assert birth.states() == {REGISTRATION: "submitted", INSURANCE: "submitted", CARD: "withdrawn"}
    birth.decide(REGISTRATION)
    assert birth.states()[CARD] == "withdrawn", "it was taken back, so it does not begin"
    birth.whole("withdraw")
    assert birth.states() == {REGISTRATION: "approved", INSURANCE: "withdrawn", CARD: "withdrawn"}
    with pytest.raises(ActionNotAllowed):
        birth.whole("withdraw")


def test_what_is_corrected_in_one_part_changes_no_other_and_is_told(birth):
    birth.file()
    form = dict(CATALOGUE.get(CARD).description["example"]) | {"holder_name": "王平安"}
    whole = birth.whole("correct", CARD, form)
    assert [(each["field"], sorted(each["parts"])) for each in whole["differing"]] == [
        ("child_name", sorted([REGISTRATION, INSURANCE, CARD]))
    ]
    birth.decide(REGISTRATION)
    with pytest.raises(ActionNotAllowed):
        birth.whole("correct", CARD, form)
    with birth.database.transaction() as session:
        card = queries.get_case(session, CATALOGUE, birth.citizen, birth.parts()[CARD]["number"])
        other = queries.get_case(session, CATALOGUE, birth.citizen, birth.parts()[INSURANCE]["number"])
    assert (card["form"]["holder_name"], other["form"]["insured_name"]) == ("王平安", "王安安")


def test_who_changed_what_waits_is_told_and_stays_with_the_part(birth):
    birth.file()
    form = dict(CATALOGUE.get(CARD).description["example"]) | {"holder_name": "王平安"}
    with pytest.raises(InvalidInput):
        birth.whole("correct", CARD, form | {"telephone": "1"})
    counter = replace(birth.citizen, act="the-clerk", channel="hall", hall="civic-centre")
    whole = birth.whole("correct", CARD, form, actor=counter)
    told = [entry for entry in whole["history"] if entry["event"] == "part.corrected"]
    assert [(each["item"], each["actor"], each["channel"], each["hall"]) for each in told] == [
        (CARD, "clerk", "hall", "civic-centre")
    ]
    assert "the-clerk" not in str(whole)
    assert "part.corrected" not in str(birth.read(OFFICERS["civil-affairs"])["history"]), "another department's part"
    birth.decide(REGISTRATION)
    officer = OFFICERS["human-resources"]
    assert [each["event"] for each in birth.read(officer)["history"]] == ["part.corrected", "case.submitted"]
    with birth.database.transaction() as session:
        file = queries.get_case_file(session, CATALOGUE, officer, birth.parts()[CARD]["number"])
    assert [each["event"] for each in file["joint"]["before"]] == ["part.corrected"]


def test_who_took_back_what_waited_is_told(birth):
    birth.file()
    birth.whole("withdraw", CARD, actor=replace(birth.citizen, channel="app"))
    entry = birth.read()["history"][-1]
    assert (entry["event"], entry["item"], entry["actor"], entry["channel"]) == (
        "part.withdrawn",
        CARD,
        "citizen",
        "app",
    )


def test_an_officer_reads_where_the_others_are_and_no_more(birth):
    birth.file()
    officer = OFFICERS["civil-affairs"]
    whole = birth.read(officer)
    assert {entry["item"] for entry in whole["history"]} == {REGISTRATION}
    assert "form" not in str([part.keys() for part in whole["parts"]])
    number = birth.parts()[REGISTRATION]["number"]
    with birth.database.transaction() as session:
        file = queries.get_case_file(session, CATALOGUE, officer, number)
    assert file["joint"]["number"] == birth.number
    assert [(part["item"], part["state"]) for part in file["joint"]["parts"]] == list(birth.states().items())
    with pytest.raises(NotPermitted):
        birth.whole("withdraw", actor=officer)
    for stranger in (Actor(subject="zoe", client="web"), replace(officer, department="taxation")):
        with pytest.raises(NotFound):
            birth.read(stranger)


def test_an_agent_files_and_reads_the_whole_that_the_mandate_is_about(birth):
    agent = replace(birth.citizen, act="the-agent", mandate=Mandate(item="birth"))
    birth.file(actor=agent)
    assert birth.read(agent)["number"] == birth.number
    birth.whole("withdraw", actor=agent)
    assert set(birth.states().values()) == {"withdrawn"}
    with pytest.raises(NotFound):
        birth.read(replace(agent, mandate=Mandate(item="elderly-card")))
    with pytest.raises(NotPermitted):
        birth.file(actor=replace(agent, mandate=Mandate(item="elderly-card")))


def test_who_acts_for_somebody_and_reads_the_form_of_what_waits_is_told_to_them(birth):
    birth.file()
    with birth.database.transaction() as session:
        joint_queries.get_part(session, CATALOGUE, birth.citizen, birth.number, CARD)
    looked = "SELECT count(*) FROM outbox WHERE routing_key LIKE 'data.viewed.%' AND body LIKE :account"
    with birth.database.transaction() as session:
        account = {"account": f"%{birth.citizen.subject}%"}
        assert session.execute(text(looked), account).scalar_one() == 0
        agent = replace(birth.citizen, act="the-agent", mandate=Mandate(item="birth"))
        joint_queries.get_part(session, CATALOGUE, agent, birth.number, CARD)
        assert session.execute(text(looked), account).scalar_one() == 1


def test_a_draft_of_it_becomes_it_once(birth):
    draft, form = str(uuid.uuid4()), dict(CATALOGUE.get("birth").description["example"])

    def submit():
        with birth.database.transaction() as session:
            return joint_commands.submit_joint_draft(session, CATALOGUE, SEAL, birth.citizen, draft, NOW, **TIME)

    with birth.database.transaction() as session:
        drafts.save_draft(session, CATALOGUE, SEAL, birth.citizen, draft, "birth", form, 0, NOW)
    birth.add({"draft": draft}, "parents-identity-cards")
    first = submit()
    assert submit()["number"] == first["number"]
    with birth.database.transaction() as session, pytest.raises(NotFound):
        drafts.save_draft(session, CATALOGUE, SEAL, birth.citizen, draft, "birth", form, 0, NOW)


def test_a_draft_that_is_begun_while_its_form_is_filed_does_not_stay(birth):
    key, form = str(uuid.uuid4()), dict(CATALOGUE.get("birth").description["example"])
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor(1) as pool:
        with birth.database.transaction() as session:
            drafts.save_draft(session, CATALOGUE, SEAL, birth.citizen, key, "birth", form, 0, NOW)
            filed = pool.submit(birth.file, key)
            wait_until("the filing waits for the draft", lambda: birth.count(waiting) > 0 or filed.done(), 20)
        filed.result(20)
    with birth.database.transaction() as session:
        assert draft_queries.list_drafts(session, CATALOGUE, birth.citizen, None, NOW)["items"] == []


def test_decisions_at_once_begin_what_waits_once(birth):
    birth.file()
    for item in (REGISTRATION, INSURANCE):
        birth.act(item, "accept")
    start = threading.Barrier(3)

    def decide(item):
        start.wait()
        try:
            birth.act(item, "approve")
        except ActionNotAllowed as error:
            return error.args[0]
        return "done"

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(decide, (REGISTRATION, INSURANCE, REGISTRATION)))
    assert sorted(answers) == ["approve", "done", "done"]
    assert birth.count("SELECT count(*) FROM cases WHERE joint = :number") == 3


def test_the_list_is_the_applicants_own_with_progress(birth):
    first = birth.file()["number"]
    second = birth.file()["number"]
    with birth.database.transaction() as session:
        page = joint_queries.list_joint_cases(session, CATALOGUE, birth.citizen, None, 1)
        rest = joint_queries.list_joint_cases(session, CATALOGUE, birth.citizen, page["next"], 1)
    assert [each["number"] for each in (*page["items"], *rest["items"])] == [second, first]
    assert [part["state"] for part in page["items"][0]["parts"]] == ["submitted", "submitted", "waiting"]


def test_what_waits_is_told_to_its_owner_with_their_data_and_nobody_else(birth):
    birth.file()
    with birth.database.transaction() as session:
        waiting = own_data.list_own_waiting(session, CATALOGUE, birth.citizen)
        others = own_data.list_own_waiting(session, CATALOGUE, replace(birth.citizen, subject="zoe"))
        with pytest.raises(NotPermitted):
            own_data.list_own_waiting(session, CATALOGUE, replace(birth.citizen, act="the-agent"))
    assert [(each["item"], each["form"]["holder_name"]) for each in waiting] == [(CARD, "王安安")]
    assert others == []
    birth.decide(REGISTRATION)
    with birth.database.transaction() as session:
        assert own_data.list_own_waiting(session, CATALOGUE, birth.citizen) == []


def test_a_list_of_many_joint_cases_takes_no_more_statements_than_one(birth):
    def statements():
        seen = []

        def count(*args):
            seen.append(args[2])

        event.listen(Engine, "before_cursor_execute", count)
        try:
            with birth.database.transaction() as session:
                joint_queries.list_joint_cases(session, CATALOGUE, birth.citizen, None, 100)
                lists.list_cases(session, CATALOGUE, birth.citizen, None, 100)
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        return len(seen)

    birth.file()
    few = statements()
    for _ in range(4):
        birth.file()
    assert statements() == few


STEPS = st.lists(
    st.tuples(st.sampled_from((REGISTRATION, INSURANCE, CARD)), st.sampled_from(("approve", "refuse", "withdraw"))),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_decided_in_whatever_order_no_part_is_lost_or_begun_wrongly(cases_database, steps):
    """Each step is tried twice, as a caller that heard no answer does."""
    birth = Birth(cases_database, Actor(subject=str(uuid.uuid4()), client="web"))
    birth.file()
    was_approved = False
    for item, action in (step for step in steps for _ in range(2)):
        if action == "withdraw":
            do(birth.whole, "withdraw", item)
        elif birth.parts()[item]["number"]:
            do(birth.act, item, "accept")
            do(birth.act, item, action)
        states = birth.states()
        was_approved |= states[REGISTRATION] == "approved"
        assert set(states) == {REGISTRATION, INSURANCE, CARD}
        has_begun = birth.parts()[CARD]["number"] is not None
        assert not has_begun or was_approved
        if states[REGISTRATION] == "approved":
            assert has_begun or states[CARD] == "withdrawn"
        if states[REGISTRATION] in ("refused", "withdrawn"):
            assert states[CARD] in ("not_begun", "withdrawn")
        begun = birth.count("SELECT count(*) FROM cases WHERE joint = :number")
        assert begun == sum(part["number"] is not None for part in birth.parts().values())
        assert birth.count(TOLD) == begun


def do(action, *args):
    with suppress(ActionNotAllowed):
        action(*args)


def test_consent_is_given_with_the_joint_filing_for_the_parts_that_begin_with_it_and_once(cases_database, citizen):
    form = dict(CATALOGUE.get("birth").description["example"])
    hospital = "city-hospital"
    terms = Terms({"birth-medical-certificate": None}, (REGISTRATION,), NOW, NOW + timedelta(days=90_000))
    with cases_database.transaction() as session:
        agreeing.add_agreement(session, agreeing.known_in(CATALOGUE), hospital, "joint", terms, NOW)
    described = offering.with_fetched(cases_database, CATALOGUE, CATALOGUE.get("birth").description, datetime.now(UTC))
    [offered] = described["fetched"]
    assert (offered["document"], offered["source"]) == ("birth-certificate", hospital)
    # by the names of the joint form
    assert offered["keys"] == ["birth_certificate_number", "mother_id_number"]
    agent = replace(citizen, act="agent", mandate=Mandate(item="birth"))
    for actor in (citizen, agent):
        key = str(uuid.uuid4())
        for _ in range(2):
            wanted = filing.prepare(CATALOGUE, actor, "birth", form, key, consents=["birth-certificate"])
            with cases_database.transaction() as session:
                joint = joint_commands.submit_joint_case(session, CATALOGUE, wanted, NOW, desk=DESK, **TIME)
        numbers = [part["number"] for part in joint["parts"] if part["number"]]
        asked = text("SELECT count(*), max(status) FROM evidence WHERE number = ANY(:numbers)")
        with cases_database.transaction() as session:
            assert tuple(session.execute(asked, {"numbers": numbers}).one()) == (1, "asked")
    with pytest.raises(InvalidInput) as refused:
        filing.prepare(CATALOGUE, citizen, "birth", form, None, consents=["household-register-page"])
    assert refused.value.faults[0]["pointer"] == "/consents"
    with cases_database.transaction() as session:
        agreeing.end_agreement(session, hospital, "joint", NOW)
    # nobody waits for what is left
    release_uncovered(cases_database, DESK, NOW)
