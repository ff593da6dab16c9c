from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted, ServiceError
from services.cases import domain
from services.cases.domain import ACTIONS, STATUSES, TRANSITIONS, Case

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 1, 30, tzinfo=UTC)

CITIZEN = Actor(subject="alice", client="web", scopes=("cases",))
STRANGER = Actor(subject="bob", client="web", scopes=("cases",))
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
FOREIGN_OFFICER = Actor(subject="eve", client="web", roles=("officer",), department="market-regulation")
PROGRAM = Actor(subject="dept-x", client="dept-x", department="civil-affairs", scopes=("cases",))
FOREIGN_PROGRAM = Actor(subject="dept-y", client="dept-y", department="market-regulation", scopes=("cases",))
UNSCOPED_PROGRAM = Actor(subject="dept-x", client="dept-x", department="civil-affairs")
ANONYMOUS = Actor(subject="", client="")
ACTORS = (CITIZEN, STRANGER, CLERK, OFFICER, FOREIGN_OFFICER, PROGRAM, FOREIGN_PROGRAM, UNSCOPED_PROGRAM, ANONYMOUS)


def create_case(**fields):
    return Case(
        **{
            "number": "202603020000000018",
            "item": "elderly-card",
            "item_version": 1,
            "department": "civil-affairs",
            "region": "511602",
            "kind": "public-service",
            "applicant": "alice",
            "channel": "web",
            "submitted_at": AT,
            "updated_at": AT,
        }
        | fields
    )


def act(case, actor, action, note="because"):
    return domain.act(case, actor, action, at=LATER, note=note)


def create_case_in(status, before="accepted"):
    return create_case(
        status=status,
        status_before_correction=before if status == "correction_requested" else None,
        decision="approved" if status == "closed" else None,
    )


@pytest.mark.parametrize(
    ("status", "actor", "action", "after", "events"),
    [
        ("submitted", CLERK, "accept", "accepted", ["case.accepted"]),
        ("submitted", OFFICER, "accept", "accepted", ["case.accepted"]),
        ("submitted", CLERK, "request_correction", "correction_requested", ["case.correction-requested"]),
        ("accepted", OFFICER, "request_correction", "correction_requested", ["case.correction-requested"]),
        ("correction_requested", CITIZEN, "correct", "accepted", ["case.corrected"]),
        ("accepted", OFFICER, "approve", "closed", ["case.approved", "case.closed"]),
        ("accepted", OFFICER, "refuse", "closed", ["case.refused", "case.closed"]),
        ("submitted", CITIZEN, "withdraw", "withdrawn", ["case.withdrawn"]),
        ("accepted", CITIZEN, "withdraw", "withdrawn", ["case.withdrawn"]),
        ("correction_requested", CITIZEN, "withdraw", "withdrawn", ["case.withdrawn"]),
    ],
)
def test_act(status, actor, action, after, events):
    change = act(create_case_in(status), actor, action)
    assert change.case.status == after
    assert [event.type for event in change.events] == events
    assert change.case.updated_at == LATER
    assert change.case.sequence == 1 + len(events)


def test_every_other_action_is_not_allowed():
    may = {"correct": CITIZEN, "withdraw": CITIZEN}
    for status in STATUSES:
        for action in ACTIONS:
            if (status, action) not in TRANSITIONS:
                with pytest.raises(ActionNotAllowed) as refusal:
                    act(create_case_in(status), may.get(action, OFFICER), action)
                assert refusal.value.args == (action, status)


@pytest.mark.parametrize(("action", "decision"), [("approve", "approved"), ("refuse", "refused")])
def test_a_decision_closes_the_case(action, decision):
    change = act(create_case_in("accepted"), OFFICER, action)
    assert change.case.decision == decision
    assert change.events[1].decision == decision
    assert [sequence for sequence, _ in change.entries] == [2, 3]


@pytest.mark.parametrize("before", ["submitted", "accepted"])
def test_correct_returns_to_the_status_before(before):
    asked = act(create_case_in(before), CLERK, "request_correction").case
    assert asked.status_before_correction == before
    corrected = act(asked, CITIZEN, "correct").case
    assert (corrected.status, corrected.status_before_correction) == (before, None)


@pytest.mark.parametrize("actor", [STRANGER, FOREIGN_OFFICER, FOREIGN_PROGRAM, UNSCOPED_PROGRAM, ANONYMOUS])
def test_a_case_is_not_there_for_others(actor):
    with pytest.raises(NotFound):
        domain.require_visible(actor, create_case())
    with pytest.raises(NotFound):
        act(create_case(), actor, "nonsense")
    assert domain.allowed_actions(actor, create_case()) == []


@pytest.mark.parametrize("actor", [CITIZEN, CLERK, OFFICER, PROGRAM])
def test_a_case_is_visible_to_whom_it_concerns(actor):
    domain.require_visible(actor, create_case())


@pytest.mark.parametrize(
    ("actor", "action"),
    [
        (CITIZEN, "accept"),
        (CITIZEN, "approve"),
        (CLERK, "approve"),
        (CLERK, "refuse"),
        (CLERK, "withdraw"),
        (OFFICER, "correct"),
        (OFFICER, "withdraw"),
        (PROGRAM, "accept"),
    ],
)
@pytest.mark.parametrize("status", STATUSES)
def test_the_person_comes_before_the_status(status, actor, action):
    with pytest.raises(NotPermitted):
        act(create_case_in(status), actor, action)


def test_nobody_decides_on_a_case_of_their_own():
    own = create_case(applicant=OFFICER.subject, status="accepted")
    assert domain.allowed_actions(OFFICER, own) == ["withdraw"]
    with pytest.raises(NotPermitted):
        act(own, OFFICER, "approve")


def test_an_unknown_action():
    with pytest.raises(InvalidInput) as refusal:
        act(create_case(), CITIZEN, "eat")
    assert refusal.value.faults == [{"pointer": "/action", "rule": "enum", "value": list(ACTIONS)}]


@pytest.mark.parametrize(
    ("status", "actor", "action"),
    [("submitted", CLERK, "request_correction"), ("accepted", OFFICER, "refuse")],
)
def test_what_is_missing_or_refused_is_said(status, actor, action):
    with pytest.raises(InvalidInput) as refusal:
        act(create_case_in(status), actor, action, note=None)
    assert refusal.value.faults == [{"pointer": "/note", "rule": "required", "value": True}]


def test_the_history_shows_the_role_acted_in():
    both = replace(OFFICER, roles=("auditor", "clerk", "officer"))
    assert act(create_case_in("submitted"), both, "accept").actor.role == "clerk"
    assert act(create_case_in("accepted"), both, "approve").actor.role == "officer"
    own = create_case(applicant=both.subject)
    assert act(own, both, "withdraw").actor.role == "citizen"


@pytest.mark.parametrize(
    ("actor", "status", "actions"),
    [
        (CITIZEN, "submitted", ["withdraw"]),
        (CITIZEN, "correction_requested", ["correct", "withdraw"]),
        (CITIZEN, "closed", []),
        (CLERK, "submitted", ["accept", "request_correction"]),
        (CLERK, "accepted", ["request_correction"]),
        (OFFICER, "accepted", ["request_correction", "approve", "refuse"]),
        (OFFICER, "withdrawn", []),
        (PROGRAM, "accepted", []),
    ],
)
def test_allowed_actions(actor, status, actions):
    assert domain.allowed_actions(actor, create_case_in(status)) == actions


@pytest.mark.parametrize("actor", [PROGRAM, ANONYMOUS])
def test_an_applicant_is_a_person(actor):
    with pytest.raises(NotPermitted):
        domain.applicant_of(actor)


def test_a_rating_joins_the_history():
    closed = create_case(status="closed", decision="approved", sequence=4)
    change = domain.rate(closed, 2, channel="kiosk", at=LATER)
    assert [(sequence, event.type, event.score) for sequence, event in change.entries] == [(5, "case.rated", 2)]
    assert (change.actor.role, change.actor.channel, change.actor.subject) == ("citizen", "kiosk", "alice")
    assert change.case == replace(closed, sequence=5, updated_at=LATER)


def test_only_a_closed_case_is_rated():
    with pytest.raises(ActionNotAllowed):
        domain.rate(create_case(), 5, channel="web", at=LATER)


ATTEMPTS = st.lists(
    st.tuples(
        st.sampled_from(ACTORS),
        st.sampled_from([*ACTIONS, "rate", "nonsense"]),
        st.sampled_from([None, "note"]),
    ),
    max_size=30,
)


@given(ATTEMPTS)
def test_any_life_of_a_case_keeps_its_rules(attempts):
    case = create_case()
    life = list(domain.submitted(case, CITIZEN).entries)
    for actor, action, note in attempts:
        change = try_to(case, actor, action, note)
        if change is None:
            continue
        require_lawful(case, actor, action, change)
        life += change.entries
        case = change.case
    assert [sequence for sequence, _ in life] == list(range(1, case.sequence + 1))
    require_consistent(case, [event.type for _, event in life])


@given(st.lists(st.integers(0, 1_000), max_size=20))
def test_whatever_is_offered_is_taken_and_keeps_the_rules(choices):
    case, types = create_case(), ["case.submitted"]
    for choice in choices:
        offered = [(actor, action) for actor in ACTORS for action in domain.allowed_actions(actor, case)]
        if not offered:
            assert case.status in ("closed", "withdrawn")
            break
        actor, action = offered[choice % len(offered)]
        change = act(case, actor, action)
        require_lawful(case, actor, action, change)
        types += [event.type for event in change.events]
        case = change.case
        require_consistent(case, types)
    assert case.sequence == len(types)


def try_to(case, actor, action, note):
    try:
        if action == "rate":
            return domain.rate(case, 4, channel="web", at=LATER)
        return act(case, actor, action, note)
    except ServiceError:
        return None


def require_lawful(before, actor, action, change):
    assert change.events, "nothing changes without an event"
    assert all(event.subject == before.number for event in change.events)
    if action == "rate":
        assert change.case.status == before.status == "closed"
        return
    assert before.status not in ("closed", "withdrawn"), "what has ended stays so"
    assert action in domain.allowed_actions(actor, before)
    assert change.actor.subject == actor.subject


def require_consistent(case, types):
    assert (case.decision is not None) == (case.status == "closed")
    assert (case.status_before_correction is not None) == (case.status == "correction_requested")
    assert types[0] == "case.submitted"
    assert types.count("case.closed") == types.count("case.approved") + types.count("case.refused")
    assert types.count("case.closed") == (case.status == "closed")
    assert types.count("case.withdrawn") == (case.status == "withdrawn")
    asked, corrected = types.count("case.correction-requested"), types.count("case.corrected")
    assert asked - corrected in (0, 1)
    if case.status != "withdrawn":
        assert asked - corrected == (case.status == "correction_requested")
