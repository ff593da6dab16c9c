"""Cases over a real PostgreSQL: what is saved, what is sent, and what races do."""

import copy
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from stdnum import luhn

from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import (
    ActionNotAllowed,
    IdempotencyKeyReused,
    InvalidInput,
    ItemVersionOutdated,
    NotFound,
    NotPermitted,
    StepUpRequired,
)
from contracts.events import RatingGiven
from services.cases import commands, queries
from services.cases.catalogue.files import shipped
from services.cases.catalogue.model import Catalogue, ServiceItem
from tests.seals import RESULTS

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")


@pytest.fixture
def citizen():
    return Actor(subject=str(uuid.uuid4()), client="web")


@pytest.fixture
def submit(cases_database, citizen):
    def submit_case(item="elderly-card", form=None, key=None, actor=citizen):
        filing = commands.prepare_filing(CATALOGUE, actor, item, form or example(item), key)
        with cases_database.transaction() as session:
            return commands.submit_case(session, CATALOGUE, filing, NOW)

    return submit_case


@pytest.fixture
def act(cases_database):
    def act_on_case(number, actor, action, note=None, form=None):
        with cases_database.transaction() as session:
            return commands.act_on_case(
                session, CATALOGUE, actor, number, action, note=note, form=form, now=NOW, result_seal=RESULTS
            )

    return act_on_case


@pytest.fixture
def history(cases_database, citizen):
    def get_history(number):
        with cases_database.transaction() as session:
            return queries.get_history(session, citizen, number)["items"]

    return get_history


@pytest.fixture
def events(cases_database):
    def get_events(number):
        with cases_database.transaction() as session:
            rows = session.execute(
                text("SELECT body FROM outbox WHERE subject = :number ORDER BY id"), {"number": number}
            )
            return [Envelope.from_json(body) for (body,) in rows]

    return get_events


def example(item="elderly-card"):
    return dict(CATALOGUE.get(item).description["example"])


def test_submit_case(submit, citizen, history, events):
    case = submit()
    assert {name: case[name] for name in ("item", "department", "region", "kind", "status", "decision", "channel")} == {
        "item": "elderly-card",
        "department": "civil-affairs",
        "region": "511602",
        "kind": "public-service",
        "status": "submitted",
        "decision": None,
        "channel": "web",
    }
    assert case["submitted_at"] == case["updated_at"] == "2026-03-02T23:30:00Z"
    assert case["item_name"]["en"] == "Elderly concession card"
    assert history(case["number"]) == [
        {
            "sequence": 1,
            "at": "2026-03-02T23:30:00Z",
            "event": "case.submitted",
            "channel": "web",
            "actor": "citizen",
            "note": None,
        }
    ]
    (event,) = events(case["number"])
    assert (event.type, event.sequence, event.channel, event.actor) == ("case.submitted", 1, "web", "citizen")
    assert (event.data.item, event.data.applicant) == ("elderly-card", citizen.subject)


def test_a_clerk_files_for_the_citizen(submit, act, history, events, citizen, cases_database):
    for_them = replace(citizen, client="hall", channel="hall", act="clerk-1")
    number = submit(actor=for_them)["number"]
    act(number, OFFICER, "request_correction", "Please sign.")
    act(number, for_them, "correct")
    act(number, for_them, "withdraw")
    done = [(entry["event"], entry["actor"], entry["channel"]) for entry in history(number)]
    assert done[0] == ("case.submitted", "clerk", "hall")
    assert done[2:] == [("case.corrected", "clerk", "hall"), ("case.withdrawn", "clerk", "hall")]
    assert [event.actor for event in events(number)] == ["clerk", "officer", "clerk", "clerk"]
    with cases_database.transaction() as session:
        kept = session.execute(text("SELECT applicant FROM cases WHERE number = :n"), {"n": number}).scalar()
        hands = session.execute(
            text("SELECT actor_subject FROM case_history WHERE number = :n ORDER BY 1"), {"n": number}
        )
        assert kept == citizen.subject
        assert list(hands.scalars()) == ["clerk-1"] * 3 + [OFFICER.subject]


@pytest.mark.parametrize("action", ["accept", "approve", "refuse", "request_correction"])
def test_who_acts_for_the_applicant_decides_nothing(submit, act, citizen, action):
    number = submit()["number"]
    with pytest.raises(NotPermitted):
        act(number, replace(citizen, client="hall", channel="hall", act=OFFICER.subject), action, "note")


def test_case_numbers_carry_the_local_day_and_a_check_digit(submit):
    numbers = [submit()["number"] for _ in range(12)]
    assert all(number.startswith("20260303") and len(number) == 18 and luhn.is_valid(number) for number in numbers)
    assert numbers == sorted(set(numbers))


def test_case_numbers_do_not_collide(submit):
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: submit()["number"], range(60)))
    assert len(set(numbers)) == 60


def test_the_same_key_files_one_case(submit, act, events):
    case = submit(key="k1")
    act(case["number"], CLERK, "accept")
    again = submit(key="k1", form=dict(reversed(example().items())))
    assert (again["number"], again["status"]) == (case["number"], "accepted")
    assert [event.type for event in events(case["number"])] == ["case.submitted", "case.accepted"]
    assert submit(key="k2")["number"] != case["number"]
    assert submit()["number"] != submit()["number"]


def test_the_same_key_with_another_request(submit):
    submit(key="k1")
    with pytest.raises(IdempotencyKeyReused) as refusal:
        submit(key="k1", form=example() | {"address": "四川省广安市广安区南街6号"})
    assert refusal.value.args == ("k1",)
    with pytest.raises(IdempotencyKeyReused):
        submit(key="k1", item="residence-permit")


def test_a_request_that_is_sent_again_after_its_item_has_changed_gives_its_case(submit, citizen, cases_database):
    """The answer may be lost on the way; what today's form would refuse was filed all the same."""
    number = submit(key="k-7")["number"]
    newer = copy.deepcopy(CATALOGUE.get("elderly-card").description) | {"version": 99}
    newer["form"]["required"].append("nickname")
    newer["form"]["properties"]["nickname"] = {"type": "string", "maxLength": 9}
    catalogue = Catalogue([ServiceItem(newer)])

    def again(actor=citizen, key="k-7", form=None, **more):
        with pytest.raises((InvalidInput, ItemVersionOutdated)):
            commands.prepare_filing(catalogue, actor, "elderly-card", form or example(), key, 1)
        with cases_database.transaction() as session:
            asked = (actor, "elderly-card", form or example(), key)
            return commands.find_filed(session, CATALOGUE, *asked, **more)

    assert again()["number"] == number
    assert again(form=example() | {"full_name": "李明"}) is None
    assert again(documents=[]) is None
    assert again(key="k-8") is None
    assert again(key=None) is None
    assert again(actor=replace(citizen, subject=str(uuid.uuid4()))) is None


@pytest.mark.parametrize("key", ["", " ", "\t\n", "\xa0", "\u3000", "a\0", "k" * 256])
def test_a_key_that_says_nothing_is_not_taken_for_none(submit, key):
    with pytest.raises(InvalidInput) as refused:
        submit(key=key)
    assert [fault["pointer"] for fault in refused.value.faults] == ["/idempotency_key"]


def test_keys_are_each_applicants_own(submit, citizen):
    other = Actor(subject=str(uuid.uuid4()), client="web")
    assert submit(key="k1")["number"] != submit(key="k1", actor=other)["number"]


def test_a_race_of_one_key_files_one_case(submit, events):
    start = threading.Barrier(6)

    def race(_):
        start.wait()
        return submit(key="raced")["number"]

    with ThreadPoolExecutor(6) as pool:
        numbers = set(pool.map(race, range(6)))
    assert len(numbers) == 1
    assert len(events(numbers.pop())) == 1


def test_a_bad_form_is_refused_before_the_transaction(citizen):
    with pytest.raises(InvalidInput):
        commands.prepare_filing(CATALOGUE, citizen, "elderly-card", {}, None)
    with pytest.raises(InvalidInput):
        commands.prepare_filing(CATALOGUE, citizen, "elderly-card", example(), "k" * 256)
    with pytest.raises(NotFound):
        commands.prepare_filing(CATALOGUE, citizen, "dog-licence", {}, None)
    with pytest.raises(NotPermitted):
        commands.prepare_filing(CATALOGUE, Actor(subject="p", client="p"), "elderly-card", example(), None)


def test_the_life_of_a_case(submit, act, history, events, citizen):
    number = submit()["number"]
    act(number, CLERK, "accept", note="  ")
    act(number, OFFICER, "request_correction", note="the address is missing a number")
    corrected = act(number, citizen, "correct", form=example() | {"address": "四川省广安市广安区南街6号"})
    assert corrected["status"] == "accepted"
    closed = act(number, OFFICER, "approve", note="welcome")
    assert (closed["status"], closed["decision"], closed["sequence"]) == ("closed", "approved", 6)
    assert [(entry["sequence"], entry["event"], entry["channel"], entry["actor"]) for entry in history(number)] == [
        (1, "case.submitted", "web", "citizen"),
        (2, "case.accepted", "hall", "clerk"),
        (3, "case.correction-requested", "web", "officer"),
        (4, "case.corrected", "web", "citizen"),
        (5, "case.approved", "web", "officer"),
        (6, "case.closed", "web", "officer"),
    ]
    notes = [entry["note"] for entry in history(number)]
    assert notes == [None, None, "the address is missing a number", None, "welcome", None]
    sent = events(number)
    assert [(event.sequence, event.type) for event in sent] == [
        (entry["sequence"], entry["event"]) for entry in history(number)
    ]
    assert [(event.channel, event.actor) for event in sent] == [
        (entry["channel"], entry["actor"]) for entry in history(number)
    ]
    assert sent[-1].data.decision == "approved"


def test_notes_and_forms_stay_out_of_events(submit, act, events):
    case = submit()
    act(case["number"], OFFICER, "request_correction", note="a private word")
    said = json.dumps([event.to_dict() for event in events(case["number"])], ensure_ascii=False)
    assert "private" not in said
    assert not any(str(value) in said for value in example().values() if isinstance(value, str) and len(value) > 4)


def test_what_is_refused_leaves_nothing_behind(submit, act, history, events, citizen):
    number = submit()["number"]
    refused = [
        (ActionNotAllowed, OFFICER, "approve", {}),
        (NotPermitted, citizen, "accept", {}),
        (NotFound, Actor(subject="bob", client="web"), "withdraw", {}),
        (InvalidInput, OFFICER, "request_correction", {}),
        (InvalidInput, OFFICER, "accept", {"note": "x" * 2001}),
        (InvalidInput, OFFICER, "accept", {"note": "a\0"}),
    ]
    for error, actor, action, words in refused:
        with pytest.raises(error):
            act(number, actor, action, **words)
    assert len(history(number)) == len(events(number)) == 1


def test_a_correction_is_checked_against_the_form(submit, act, history, citizen):
    number = submit()["number"]
    act(number, CLERK, "request_correction", note="please")
    with pytest.raises(InvalidInput) as refusal:
        act(number, citizen, "correct", form={})
    assert "/form/full_name" in [fault["pointer"] for fault in refusal.value.faults]
    assert len(history(number)) == 2


def test_a_correction_without_a_form_leaves_it_as_it_was(submit, act, cases_database, citizen):
    number = submit()["number"]
    act(number, CLERK, "request_correction", note="please hand in the lease")
    assert act(number, citizen, "correct", note="handed in at the counter")["status"] == "submitted"
    with cases_database.transaction() as session:
        assert queries.get_case(session, CATALOGUE, citizen, number)["form"] == example()


def test_an_unknown_case(act):
    for number in ("202603030000000000", "202603039999999990", "x", "", None, "1" * 18 + "\0"):
        with pytest.raises(NotFound):
            act(number, CLERK, "accept")


def test_of_two_decisions_at_once_one_wins(submit, act, events):
    number = submit()["number"]
    act(number, CLERK, "accept")
    start = threading.Barrier(4)

    def decide(action):
        start.wait()
        try:
            return act(number, OFFICER, action, note="decided")["decision"]
        except ActionNotAllowed:
            return None

    with ThreadPoolExecutor(4) as pool:
        decisions = [each for each in pool.map(decide, ["approve", "refuse", "approve", "refuse"]) if each]
    assert len(decisions) == 1
    assert [event.sequence for event in events(number)] == [1, 2, 3, 4]
    assert events(number)[-1].data.decision == decisions[0]


def rated(number, citizen, score=2):
    data = RatingGiven(number, "elderly-card", "civil-affairs", "511602", "public-service", citizen.subject, score)
    return Envelope(id="e", sequence=2, time=NOW, channel="kiosk", actor="citizen", data=data)


def test_a_rating_joins_the_shared_history(submit, act, history, events, citizen, cases_database):
    number = submit()["number"]
    act(number, CLERK, "accept")
    act(number, OFFICER, "approve")
    with cases_database.transaction() as session:
        commands.take_over_rating(session, rated(number, citizen), NOW)
    assert history(number)[-1] == {
        "sequence": 5,
        "at": "2026-03-02T23:30:00Z",
        "event": "case.rated",
        "channel": "kiosk",
        "actor": "citizen",
        "note": None,
    }
    last = events(number)[-1]
    assert (last.type, last.source, last.sequence, last.channel, last.actor) == (
        "case.rated",
        "cases",
        5,
        "kiosk",
        "citizen",
    )
    assert last.data.score == 2


@pytest.mark.parametrize("change", ["UPDATE case_history SET note = 'x'", "DELETE FROM case_history"])
def test_the_history_is_append_only(submit, cases_database, change):
    submit()
    with pytest.raises(DBAPIError, match="append-only"), cases_database.transaction() as session:
        session.execute(text(change))


# Assurance


def test_an_item_takes_only_whom_it_is_sure_of(submit, citizen):
    for acr in (0, 1):
        with pytest.raises(StepUpRequired) as refused:
            submit("medical-reimbursement", actor=replace(citizen, acr=acr))
        assert refused.value.args == (2,)
    for acr in (2, 3):
        assert submit("medical-reimbursement", actor=replace(citizen, acr=acr))["status"] == "submitted"
    assert submit("elderly-card", actor=replace(citizen, acr=0))["status"] == "submitted"
