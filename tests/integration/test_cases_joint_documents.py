"""Documents of a joint case: handed in once, there for every part that asks for them, and for nobody else."""

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import text

from contracts.actors import Actor, Mandate
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound
from services.cases.attachments import commands, queries, store
from services.cases.drafts import commands as drafts
from services.cases.drafts import queries as draft_queries
from services.cases.joint import commands as joint_commands
from services.cases.joint import filing
from services.cases.joint import queries as joint_queries
from tests.integration.test_cases_attachments import Hall
from tests.integration.test_cases_drafts import SEAL
from tests.integration.test_cases_joint import (
    CARD,
    CATALOGUE,
    FILES,
    INSURANCE,
    NOW,
    OFFICERS,
    REGISTRATION,
    TIME,
    Birth,
)
from tests.unit.files import PDF
from tests.unit.gateway_fakes import bearer

CARDS, REGISTER, PHOTOGRAPH = "parents-identity-cards", "household-register", "photograph"
FORM = dict(CATALOGUE.get("birth").description["example"])


@pytest.fixture
def birth(cases_database):
    return Filed(cases_database, Actor(subject=str(uuid.uuid4()), client="web"))


class Filed(Birth):
    def save_draft(self, **answers):
        draft = str(uuid.uuid4())
        with self.database.transaction() as session:
            drafts.save_draft(session, CATALOGUE, SEAL, self.citizen, draft, "birth", FORM | answers, 0, NOW)
        return draft

    def submit(self, draft):
        with self.database.transaction() as session:
            filed = joint_commands.submit_joint_draft(session, CATALOGUE, SEAL, self.citizen, draft, NOW, **TIME)
        self.number = filed["number"]
        return filed

    def files_of(self, item, actor=None):
        """Document -> its files' ids, as a reader of the part gets them."""
        return self.files_in({"number": self.parts()[item]["number"]}, actor)

    def files_in(self, target, actor=None):
        with self.database.transaction() as session:
            shown = queries.list_documents(session, CATALOGUE, FILES, actor or self.citizen, target)
        return {each["code"]: [file["id"] for file in each["files"]] for each in shown["asked"] if each["files"]}

    def read_file(self, file, actor):
        with self.database.transaction() as session:
            return queries.get_attachment(session, CATALOGUE, FILES, actor, file)


def test_a_document_of_several_parts_is_handed_in_once_and_each_department_has_it(birth):
    draft = birth.save_draft()
    cards = birth.add({"draft": draft}, CARDS)
    register = birth.add({"draft": draft}, REGISTER)
    birth.submit(draft)
    assert birth.files_of(REGISTRATION) == {CARDS: [cards], REGISTER: [register]}
    assert birth.files_of(INSURANCE) == {CARDS: [cards]}, "the same file, no copy"
    assert birth.count("SELECT count(*) FROM attachments WHERE joint = :number") == 2
    for department in ("civil-affairs", "medical-insurance"):
        assert birth.read_file(cards, OFFICERS[department])["id"] == cards
    with pytest.raises(NotFound):
        birth.read_file(register, OFFICERS["medical-insurance"])
    with pytest.raises(NotFound):
        birth.read_file(cards, OFFICERS["human-resources"])
    with pytest.raises(NotFound):
        birth.read_file(cards, Actor(subject="zoe", client="web"))


def test_the_draft_asks_for_what_the_answers_call_for_and_is_filed_with_it(birth):
    def asked(draft):
        with birth.database.transaction() as session:
            item = draft_queries.get_draft(session, CATALOGUE, SEAL, birth.citizen, draft)["item"]
        return {each["code"]: [part["item"] for part in each["items"]] for each in item["documents"]}

    alone = asked(birth.save_draft(with_card=False, card_delivery=None))
    assert alone == {REGISTER: [REGISTRATION], CARDS: [REGISTRATION, INSURANCE]}
    draft = birth.save_draft()
    assert asked(draft)[PHOTOGRAPH] == [CARD]
    with pytest.raises(InvalidInput) as refusal:
        birth.submit(draft)
    assert [fault["pointer"] for fault in refusal.value.faults] == [f"/documents/{CARDS}"]
    with birth.database.transaction() as session:
        assert joint_queries.list_joint_cases(session, CATALOGUE, birth.citizen, None, None)["items"] == []


def test_what_is_added_later_is_there_for_every_part_also_for_one_that_begins_then(birth):
    birth.file()
    cards = birth.add({"number": birth.parts()[INSURANCE]["number"]}, CARDS)
    assert birth.files_of(REGISTRATION) == {CARDS: [cards]}
    photograph = birth.add({"joint": birth.number}, PHOTOGRAPH)
    assert birth.files_in({"joint": birth.number}) == {CARDS: [cards], PHOTOGRAPH: [photograph]}
    assert PHOTOGRAPH not in birth.files_of(REGISTRATION)
    birth.decide(REGISTRATION)
    assert birth.files_of(CARD, OFFICERS["human-resources"]) == {PHOTOGRAPH: [photograph]}


def test_a_filing_names_uploads_of_its_drafts_and_a_key_files_with_one_list(birth):
    cards = birth.add({"draft": birth.save_draft()}, CARDS)

    def file(*documents, key="k"):
        wanted = filing.prepare(CATALOGUE, birth.citizen, "birth", FORM, key, documents=list(documents))
        with birth.database.transaction() as session:
            return joint_commands.submit_joint_case(session, CATALOGUE, wanted, NOW, is_whole=True, **TIME)

    birth.number = file(cards)["number"]
    assert file(cards)["number"] == birth.number
    assert birth.files_of(INSURANCE) == {CARDS: [cards]}
    with pytest.raises(InvalidInput):
        file(str(uuid.uuid4()), key="other")


def test_files_for_the_whole_come_through_the_door_in_one_piece_or_in_several(cases_database):
    hall = Hall(cases_database)
    birth = Filed(cases_database, hall.actor)
    birth.file()
    assert hall.send(PDF, f"joint-cases/{birth.number}", document=CARDS).status_code == 201
    begun = hall.create(len(PDF), filename="cards.pdf", document=CARDS, joint=birth.number)
    assert hall.patch(begun.headers["Location"], 0, PDF).status_code == 204
    listed = hall.door.get(f"/api/v1/joint-cases/{birth.number}/documents", headers=bearer(sub=hall.sub)).json()
    assert {each["code"]: len(each["files"]) for each in listed["asked"] if each["files"]} == {CARDS: 2}
    assert len(birth.files_of(INSURANCE)[CARDS]) == 2
    of_nobody = hall.door.get(f"/api/v1/joint-cases/{birth.number}/documents", headers=bearer(sub=str(uuid.uuid4())))
    assert of_nobody.status_code == 404


def test_limits_are_those_of_one_case(birth):
    birth.file()
    target = {"number": birth.parts()[INSURANCE]["number"]}
    for _ in range(4):
        birth.add(target, CARDS)
    with pytest.raises(InvalidInput) as refusal:
        birth.add({"number": birth.parts()[REGISTRATION]["number"]}, CARDS)
    assert refusal.value.faults[0]["rule"] == "file.count"
    with pytest.raises(InvalidInput):
        birth.add(target, REGISTER)
    with pytest.raises(InvalidInput):
        birth.add({"joint": birth.number}, "passport")


def test_nothing_is_handed_in_for_a_part_that_is_over_and_nothing_is_taken_out(birth):
    birth.file()
    cards = birth.add({"joint": birth.number}, CARDS)
    with birth.database.transaction() as session, pytest.raises(ActionNotAllowed):
        commands.delete_attachment(session, FILES, birth.citizen, cards)
    birth.decide(REGISTRATION, "refuse")
    with pytest.raises(InvalidInput):
        birth.add({"joint": birth.number}, REGISTER)
    birth.whole("withdraw")
    with pytest.raises(ActionNotAllowed):
        birth.add({"joint": birth.number}, CARDS)


def test_an_agent_hands_in_for_what_the_mandate_is_about(birth):
    birth.file()
    agent = replace(birth.citizen, act="the-agent", mandate=Mandate(item="birth"))
    cards = birth.add({"joint": birth.number}, CARDS, actor=agent)
    of_part = replace(agent, mandate=Mandate(case=birth.parts()[INSURANCE]["number"]))
    assert birth.read_file(cards, of_part)["id"] == cards
    register = birth.add({"joint": birth.number}, REGISTER, actor=agent)
    assert birth.read_file(register, agent)["id"] == register
    with pytest.raises(NotFound):
        # what another part alone asks for
        birth.read_file(register, of_part)
    other = replace(agent, mandate=Mandate(item="elderly-card"))
    with pytest.raises(NotFound):
        birth.read_file(cards, other)
    with pytest.raises(NotFound):
        birth.add({"joint": birth.number}, CARDS, actor=other)


def test_a_look_of_a_department_is_told_and_nothing_filed_is_cleared_away(birth):
    draft = birth.save_draft()
    cards = birth.add({"draft": draft}, CARDS)
    birth.submit(draft)
    looked = "SELECT count(*) FROM outbox WHERE routing_key LIKE 'data.viewed.%' AND body LIKE :account"
    with birth.database.transaction() as session:
        queries.get_attachment(session, CATALOGUE, FILES, OFFICERS["medical-insurance"], cards)
        account = {"account": f"%{birth.citizen.subject}%document%"}
        assert session.execute(text(looked), account).scalar_one() == 1
        # as a service of the release before does it: every file of a joint case is one of a case, too
        assert cards not in [row.id for row in store.take_unwanted(session, NOW, commands.CHECK_LEASE, 100)]
