"""Filed at another region's hall, decided where competent: who passed what to whom, over a real PostgreSQL."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted, VersionNeeded
from services.cases import commands, queries
from services.cases.base import PlacedActorProvider
from services.cases.catalogue.files import shipped
from services.cases.crossing import places
from services.cases.lists import export
from services.cases.lists import queries as lists
from services.cases.work import staff, worklist
from tests.seals import RESULTS

CATALOGUE = shipped()
PLACES = places.read()
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CLERK = Actor(subject="fay", client="hall", channel="hall", roles=("clerk",), hall="chengdu-centre")
LOCAL_CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",), hall="civic-centre")
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
OTHER = Actor(subject="eve", client="web", roles=("officer",), department="market-regulation")
PAPERS = [{"document": "parents-identity-cards"}, {"document": "household-register", "form": "copy", "copies": 2}]


@pytest.fixture
def counter(cases_database):
    return Counter(cases_database)


class Counter:
    """A citizen before the clerk of a hall in Chengdu, and a birth that Guang'an registers."""

    def __init__(self, database):
        self.database = database
        self.citizen = Actor(subject=str(uuid.uuid4()), client="web")
        self.number = None

    def file(self, hall="chengdu-centre"):
        at_counter = {"act": CLERK.subject, "acr": 3, "hall": hall, "checks": ("id-number", "registry")}
        actor = Actor(subject=self.citizen.subject, client="hall", channel="hall", **at_counter)
        form = CATALOGUE.get("birth-registration").description["example"]
        filing = commands.prepare_filing(CATALOGUE, actor, "birth-registration", form, None, places=PLACES)
        with self.database.transaction() as session:
            self.number = commands.submit_case(session, CATALOGUE, filing, NOW)["number"]

    def act(self, actor, action, note=None, **details):
        with self.database.transaction() as session:
            sequence = queries.get_case(session, CATALOGUE, self.citizen, self.number)["sequence"]
            return commands.act_on_case(
                session,
                CATALOGUE,
                actor,
                self.number,
                action,
                note=note,
                form=None,
                details=details or None,
                versions=[sequence],
                places=PLACES,
                result_seal=RESULTS,
                now=NOW,
            )

    def file_of(self, actor):
        with self.database.transaction() as session:
            return queries.get_case_file(session, CATALOGUE, actor, self.number, places=PLACES)

    def trail(self, actor=None):
        return [
            (entry["event"], entry["giver"]["code"], entry["taker"]["code"])
            for entry in self.file_of(actor or self.citizen)["crossing"]["trail"]
        ]


def test_papers_go_there_the_result_comes_back_and_everybody_reads_who_passed_what_to_whom(counter):
    counter.file()
    counter.act(CLERK, "pass_on", note="by courier", papers=PAPERS)
    counter.act(OFFICER, "receive_papers")
    counter.act(OFFICER, "accept")
    counter.act(OFFICER, "approve")
    counter.act(OFFICER, "pass_on")
    assert counter.act(CLERK, "receive_papers")["papers"] == "result-at-hall"
    assert counter.act(CLERK, "deliver", way="counter")["delivered_by"] == "counter"
    there, back = ("chengdu-centre", "civil-affairs"), ("civil-affairs", "chengdu-centre")
    trail = [
        ("case.submitted", "applicant", "chengdu-centre"),
        ("case.passed-on", *there),
        ("case.papers-received", *there),
        ("case.passed-on", *back),
        ("case.papers-received", *back),
    ]
    for reader in (counter.citizen, CLERK, OFFICER):
        assert counter.trail(reader) == trail
    crossing = counter.file_of(counter.citizen)["crossing"]
    whole = [{"form": "original", "copies": 1} | each for each in PAPERS]
    assert crossing["trail"][1]["papers"] == whole
    assert crossing["trail"][1]["note"] == "by courier"
    assert crossing["trail"][0]["checks"] == ["id-number", "registry"], "who stood there was seen to be who they are"
    assert crossing["filed_hall"]["name"]["en"] == "Chengdu Jinjiang hall"


def test_what_is_sent_back_says_why_and_may_be_sent_again(counter):
    counter.file()
    counter.act(CLERK, "pass_on", papers=PAPERS)
    with pytest.raises(InvalidInput):
        counter.act(OFFICER, "return_papers")
    counter.act(OFFICER, "return_papers", note="the copy cannot be read")
    assert counter.act(CLERK, "pass_on", papers=PAPERS)["papers"] == "under-way"


def test_the_filing_hall_takes_in_and_does_not_take_up(counter):
    counter.file()
    with pytest.raises(NotPermitted):
        counter.act(CLERK, "accept")
    assert "accept" not in counter.file_of(CLERK)["actions"]
    counter.act(LOCAL_CLERK, "accept")


@pytest.mark.parametrize(
    ("actor", "action", "details"),
    [
        (LOCAL_CLERK, "pass_on", {"papers": PAPERS}),
        (OFFICER, "pass_on", {"papers": PAPERS}),
        (OFFICER, "receive_papers", {}),
        (CLERK, "receive_papers", {}),
        (OFFICER, "return_papers", {}),
    ],
)
def test_nobody_passes_on_or_receives_what_they_have_not(counter, actor, action, details):
    counter.file()
    with pytest.raises(ActionNotAllowed):
        counter.act(actor, action, note="x", **details)


@pytest.mark.parametrize(
    "papers",
    [
        [],
        [{"document": "no-such"}],
        [{"document": "photo", "form": "rumour"}],
        [{}],
        "all",
        [{"document": "x", "copies": 0}],
    ],
)
def test_what_is_passed_on_is_named(counter, papers):
    counter.file()
    with pytest.raises(InvalidInput):
        counter.act(CLERK, "pass_on", papers=papers)


def test_a_case_of_the_own_region_has_no_trail(counter):
    counter.file("civic-centre")
    assert counter.file_of(counter.citizen)["crossing"] is None
    with pytest.raises(ActionNotAllowed):
        counter.act(LOCAL_CLERK, "pass_on", papers=PAPERS)


def test_a_case_that_is_not_ours_goes_to_who_is_competent_with_its_time_as_it_was(counter):
    counter.file("civic-centre")
    before = counter.file_of(counter.citizen)["case"]
    offered = counter.file_of(OFFICER)["choices"]["transfer"]
    assert {"market-regulation", "civil-affairs"} == {each["department"] for each in offered}
    case = counter.act(OFFICER, "transfer", note="lives in Qianfeng", to="civil-affairs", region="511603")
    assert (case["region"], case["due"]) == ("511603", before["due"])
    case = counter.act(OFFICER, "transfer", note="not ours", to="market-regulation")
    assert (case["department"], case["region"], case["handled_by"]) == (
        "market-regulation",
        "511603",
        "market-regulation",
    )
    with pytest.raises(NotPermitted):
        counter.act(OFFICER, "accept")
    counter.act(OTHER, "accept")
    assert counter.act(OTHER, "approve")["decision"] == "approved"
    assert [event for event, _, _ in counter.trail()] == ["case.transferred"] * 2


@pytest.mark.parametrize(
    "to", [{"to": "no-such-office"}, {"to": "civil-affairs"}, {"to": "civil-affairs", "region": "110101"}, {}]
)
def test_a_case_goes_only_where_somebody_is_competent(counter, to):
    counter.file("civic-centre")
    with pytest.raises(InvalidInput):
        counter.act(OFFICER, "transfer", note="x", **to)


def test_a_transfer_says_which_version_was_read(counter):
    counter.file("civic-centre")
    with counter.database.transaction() as session, pytest.raises(VersionNeeded):
        commands.act_on_case(
            session,
            CATALOGUE,
            OFFICER,
            counter.number,
            "transfer",
            note="x",
            form=None,
            details={"to": "market-regulation"},
            places=PLACES,
            result_seal=RESULTS,
            now=NOW,
        )


def of_hall(actor, hall):
    """As the service reads a call of somebody who works at the hall."""
    return replace(actor, hall=hall, region=PLACES.region_of(hall))


AT_HOME, ABROAD = of_hall(OFFICER, "civic-centre"), of_hall(replace(OFFICER, subject="gus"), "chengdu-centre")


def test_an_officer_of_a_region_takes_up_what_is_decided_there_and_sees_nothing_else(counter):
    counter.file()
    counter.act(of_hall(CLERK, "chengdu-centre"), "pass_on", papers=PAPERS)
    for action in ("receive_papers", "accept", "claim", "transfer"):
        with pytest.raises(NotPermitted):
            counter.act(ABROAD, action, note="x")
    with pytest.raises(NotFound):
        counter.file_of(ABROAD)
    counter.act(AT_HOME, "receive_papers")
    counter.act(AT_HOME, "accept")
    assert counter.act(AT_HOME, "approve")["decision"] == "approved"
    with pytest.raises(NotPermitted):
        counter.act(ABROAD, "reopen", note="x")


def test_lists_and_the_worklist_are_those_of_the_region(counter):
    counter.file()

    def numbers(actor):
        with counter.database.transaction() as session:
            listed = lists.list_cases(session, CATALOGUE, actor, None, 100)["items"]
            asked = {"shown": None, "cursor": None, "limit": 100, "name": None}
            work = worklist.list_work(session, CATALOGUE, actor, NOW, **asked)["items"]
            rows = export.list_rows(session, CATALOGUE, actor, None, None)["items"]
        return [{case["number"] for case in each} for each in (listed, work, rows)]

    assert all(counter.number in found for found in numbers(AT_HOME))
    # a city's officer has what its counties decide
    assert all(counter.number in found for found in numbers(replace(OFFICER, region="511600")))
    assert numbers(ABROAD) == [set(), set(), set()]


def test_a_case_is_assigned_to_nobody_of_another_region(counter):
    counter.file("civic-centre")
    for officer in (AT_HOME, ABROAD):
        with counter.database.transaction() as session:
            staff.see(session, officer, datetime.now(UTC))
    counter.act(AT_HOME, "accept")
    assert "gus" not in str(counter.file_of(AT_HOME)["choices"].get("assign"))
    with pytest.raises(InvalidInput):
        counter.act(AT_HOME, "assign", to="gus")


def test_a_clerk_of_a_third_region_does_nothing_and_one_of_the_filing_hall_passes_on_only(counter):
    counter.file()
    third = of_hall(replace(CLERK, subject="ida"), "chongqing-centre")
    filing = of_hall(CLERK, "chengdu-centre")
    for clerk in (third, filing):
        for action in ("accept", "claim"):
            with pytest.raises(NotPermitted):
                counter.act(clerk, action)
    assert counter.file_of(third)["actions"] == []
    assert counter.file_of(filing)["actions"] == ["pass_on"]
    counter.act(of_hall(LOCAL_CLERK, "civic-centre"), "accept")


def test_after_a_transfer_it_is_the_other_regions(counter):
    counter.file("civic-centre")
    counter.act(AT_HOME, "transfer", note="lives in Chengdu", to="civil-affairs", region="510104")
    with pytest.raises(NotPermitted):
        counter.act(AT_HOME, "accept")
    counter.act(ABROAD, "accept")


@pytest.mark.parametrize(
    ("hall", "region"), [("civic-centre", "511602"), ("nowhere", None), (None, None), ("chengdu-centre", "510104")]
)
def test_the_service_says_the_region_and_no_call_does(hall, region):
    said = OFFICER.to_dict() | {"hall": hall, "region": "000000"}
    assert placed(said, None).region == region


def test_an_officer_of_a_hall_that_nobody_has_entered_decides_nothing():
    both = replace(OFFICER, roles=("clerk", "officer", "supervisor"), hall="nowhere")
    assert placed(both.to_dict(), None).roles == ("clerk",)
    assert placed(replace(both, hall="civic-centre").to_dict(), None).roles == both.roles


def test_whoever_works_at_a_hall_is_nobody_while_the_places_cannot_be_read(tmp_path):
    assert placed(OFFICER.to_dict() | {"hall": "civic-centre"}, tmp_path / "none.yaml").roles == ()
    assert placed(OFFICER.to_dict(), tmp_path / "none.yaml").roles == ("officer",)


def placed(said, places_file):
    context = SimpleNamespace(data={"actor": said}, config={"settings": SimpleNamespace(places_file=places_file)})
    return PlacedActorProvider().get_dependency(context)
