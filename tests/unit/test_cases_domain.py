from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.actors import SYSTEM, Actor
from contracts.errors import (
    ActionNotAllowed,
    CaseChanged,
    CorrectionAlreadyRequested,
    InvalidInput,
    NotFound,
    NotPermitted,
    ServiceError,
    VersionNeeded,
)
from services.cases import domain
from services.cases.catalogue.files import shipped
from services.cases.domain import (
    ACTIONS,
    BEFORE_CORRECTION,
    OPEN,
    SAME,
    STATUSES,
    TRANSITIONS,
    Case,
    Details,
    Missing,
)
from services.cases.work.procedure import Procedure
from services.cases.work.situation import Paper
from services.cases.work.states import RUNNING

CATALOGUE = shipped()
AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 1, 30, tzinfo=UTC)

CITIZEN = Actor(subject="alice", client="web", scopes=("cases",))
STRANGER = Actor(subject="bob", client="web", scopes=("cases",))
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
FAR_CLERK = Actor(subject="fay", client="hall", channel="hall", roles=("clerk",), hall="far")
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
FOREIGN_OFFICER = Actor(subject="eve", client="web", roles=("officer",), department="market-regulation")
PROGRAM = Actor(subject="dept-x", client="dept-x", department="civil-affairs", scopes=("cases",))
FOREIGN_PROGRAM = Actor(subject="dept-y", client="dept-y", department="market-regulation", scopes=("cases",))
UNSCOPED_PROGRAM = Actor(subject="dept-x", client="dept-x", department="civil-affairs")
ANONYMOUS = Actor(subject="", client="")
ACTORS = (
    CITIZEN,
    STRANGER,
    CLERK,
    FAR_CLERK,
    OFFICER,
    FOREIGN_OFFICER,
    PROGRAM,
    FOREIGN_PROGRAM,
    UNSCOPED_PROGRAM,
    ANONYMOUS,
)


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


PROCEDURE = Procedure.of(CATALOGUE.get("elderly-card").description | {"steps": [
    {"code": "apply", "role": "applicant", "next": ["accept"]},
    {"code": "accept", "role": "clerk", "next": ["correct", "examine"]},
    {"code": "correct", "role": "applicant", "next": ["accept"]},
    {"code": "examine", "role": "officer", "next": ["sign", "refuse"], "delegates": ["market-regulation"]},
    {"code": "sign", "role": "officer", "next": ["examine", "issue", "refuse"]},
    {"code": "issue", "role": "platform", "next": []},
    {"code": "refuse", "role": "officer", "next": []},
]})  # fmt: skip
"""Two steps of officers, the first of which may be passed to another department."""

DETAILS = {
    "accept_provisionally": Details(missing=(Missing(document="photo"),)),
    "suspend": Details(reason="hearing"),
    "finish_step": Details(to=None),
    "delegate": Details(to="market-regulation"),
    "assign": Details(to="erin"),
    "deliver": Details(way="post"),
    "transfer": Details(to="market-regulation", region="511603"),
    "pass_on": Details(papers=(Paper("photo", "original"),)),
}


def act(case, actor, action, note="because", procedure=None, versions="*"):
    details = DETAILS.get(action, Details())
    return domain.act(case, actor, action, at=LATER, note=note, details=details, versions=versions, procedure=procedure)


def create_case_in(status, before="accepted"):
    return create_case(
        status=status,
        status_before_correction=before if status == "correction_requested" else None,
        decision="approved" if status == "closed" else None,
        answer_by=LATER.date() if status in ("correction_requested", "provisionally_accepted") else None,
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
        ("submitted", OFFICER, "not_accept", "not_accepted", ["case.not-accepted"]),
        ("provisionally_accepted", CITIZEN, "supply", "accepted", ["case.supplied"]),
        ("provisionally_accepted", OFFICER, "refuse", "closed", ["case.refused", "case.closed"]),
        ("accepted", OFFICER, "suspend", "suspended", ["case.suspended"]),
        ("suspended", OFFICER, "resume", "accepted", ["case.resumed"]),
        ("suspended", CITIZEN, "withdraw", "withdrawn", ["case.withdrawn"]),
        ("submitted", CLERK, "claim", "submitted", ["case.assigned"]),
        ("accepted", OFFICER, "assign", "accepted", ["case.assigned"]),
        ("closed", CLERK, "deliver", "closed", ["case.delivered"]),
        ("closed", OFFICER, "reopen", "accepted", ["case.reopened"]),
        ("not_accepted", OFFICER, "reopen", "submitted", ["case.reopened"]),
        ("lapsed", OFFICER, "reopen", "submitted", ["case.reopened"]),
    ],
)
def test_act(status, actor, action, after, events):
    change = act(create_case_in(status), actor, action)
    assert change.case.status == after
    assert [event.type for event in change.events] == events
    assert change.case.updated_at == LATER
    assert change.case.sequence == 1 + len(events)


def test_every_other_action_is_not_allowed():
    may = {"correct": CITIZEN, "withdraw": CITIZEN, "supply": CITIZEN}
    for status in STATUSES:
        for action in ACTIONS:
            if (status, action) not in TRANSITIONS and action != "lapse":
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


def test_another_department_may_do_nothing():
    with pytest.raises(NotFound):
        domain.require_visible(FOREIGN_OFFICER, create_case())
    for action in (*ACTIONS, "nonsense"):
        with pytest.raises(NotPermitted):
            act(create_case(), FOREIGN_OFFICER, action)
    assert domain.allowed_actions(FOREIGN_OFFICER, create_case()) == []


@pytest.mark.parametrize("actor", [STRANGER, FOREIGN_PROGRAM, UNSCOPED_PROGRAM, ANONYMOUS])
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
        (CITIZEN, "provisionally_accepted", ["supply", "withdraw"]),
        (CLERK, "submitted", ["accept", "request_correction", "claim"]),
        (CLERK, "accepted", ["request_correction"]),
        (CLERK, "closed", ["deliver"]),
        (OFFICER, "submitted", ["accept", "not_accept", "request_correction", "claim", "assign", "transfer"]),
        (OFFICER, "accepted", ["request_correction", "suspend", "approve", "refuse", "claim", "assign", "transfer"]),
        (OFFICER, "provisionally_accepted", ["refuse", "claim", "assign"]),
        (OFFICER, "suspended", ["resume", "claim", "assign"]),
        (OFFICER, "withdrawn", []),
        (OFFICER, "lapsed", ["reopen"]),
        (OFFICER, "closed", ["deliver", "reopen"]),
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


def test_everything_missing_is_named_once():
    asked = act(create_case(), CLERK, "request_correction").case
    corrected = act(asked, CITIZEN, "correct").case
    assert "request_correction" not in domain.allowed_actions(OFFICER, corrected)
    for status in (corrected, act(corrected, CLERK, "accept").case):
        with pytest.raises(CorrectionAlreadyRequested):
            act(status, OFFICER, "request_correction")


def test_a_stale_version_is_told_before_the_status():
    case = create_case(status="closed", decision="approved", sequence=7)
    for versions in ([6], [], [1, 2]):
        with pytest.raises(CaseChanged) as refusal:
            act(case, OFFICER, "approve", versions=versions)
        assert refusal.value.args == (case.number, 7)
    with pytest.raises(ActionNotAllowed):
        act(case, OFFICER, "approve", versions=[7])
    with pytest.raises(NotPermitted):
        act(case, CLERK, "approve", versions=[6])


@pytest.mark.parametrize("action", [name for name, action in ACTIONS.items() if action.needs_version])
def test_a_version_is_needed_where_the_status_does_not_tell_who_was_faster(action):
    with pytest.raises(VersionNeeded):
        act(create_case_in("accepted"), OFFICER, action, versions=None)


def test_what_somebody_has_claimed_is_theirs_to_do():
    colleague = replace(OFFICER, subject="erin")
    claimed = act(create_case_in("accepted"), OFFICER, "claim").case
    assert claimed.assignee == OFFICER.subject
    assert domain.allowed_actions(colleague, claimed) == ["assign", "release", "transfer"]
    with pytest.raises(NotPermitted):
        act(claimed, colleague, "approve")
    assert act(act(claimed, colleague, "release").case, colleague, "approve").case.decision == "approved"
    assert act(claimed, CITIZEN, "withdraw").case.status == "withdrawn"


def test_a_case_goes_through_the_steps_that_its_item_declares():
    case = act(create_case(step="accept"), CLERK, "accept", procedure=PROCEDURE).case
    assert case.step == "examine"
    assert "approve" not in domain.allowed_actions(OFFICER, case, PROCEDURE)
    with pytest.raises(ActionNotAllowed):
        act(case, OFFICER, "approve", procedure=PROCEDURE)
    change = act(case, OFFICER, "finish_step", procedure=PROCEDURE)
    assert (change.case.step, change.details) == ("sign", {"step": "examine", "next_step": "sign"})
    assert act(change.case, OFFICER, "approve", procedure=PROCEDURE).case.status == "closed"


def test_a_step_of_another_department_is_theirs_and_allows_what_the_item_says():
    steps = [
        {"code": "accept", "role": "clerk", "next": ["examine"]},
        {"code": "examine", "role": "officer", "department": "market-regulation", "next": ["sign"]},
        {"code": "sign", "role": "officer", "next": ["issue", "refuse"], "actions": ["approve"]},
        {"code": "issue", "role": "platform", "next": []},
        {"code": "refuse", "role": "officer", "next": []},
    ]
    shared = Procedure.of(CATALOGUE.get("elderly-card").description | {"steps": steps})
    case = act(create_case(step="accept"), CLERK, "accept", procedure=shared).case
    assert case.handled_by == "market-regulation"
    assert "finish_step" not in domain.allowed_actions(OFFICER, case, shared)
    signing = act(case, FOREIGN_OFFICER, "finish_step", procedure=shared).case
    assert (signing.step, signing.handled_by) == ("sign", "civil-affairs")
    for action in ("refuse", "suspend", "request_correction"):
        with pytest.raises(ActionNotAllowed):
            act(signing, OFFICER, action, procedure=shared)
    assert act(signing, OFFICER, "approve", procedure=shared).case.decision == "approved"


def test_a_case_is_passed_to_another_department_and_back():
    case = act(create_case(step="accept"), CLERK, "accept", procedure=PROCEDURE).case
    passed = act(case, OFFICER, "delegate", procedure=PROCEDURE)
    assert passed.details == {"giver": "civil-affairs", "taker": "market-regulation"}
    assert passed.case.handled_by == "market-regulation"
    assert domain.allowed_actions(OFFICER, passed.case, PROCEDURE) == ["hand_back"]
    assert "finish_step" in domain.allowed_actions(FOREIGN_OFFICER, passed.case, PROCEDURE)
    with pytest.raises(NotPermitted):
        act(passed.case, OFFICER, "finish_step", procedure=PROCEDURE)
    back = act(passed.case, FOREIGN_OFFICER, "hand_back", procedure=PROCEDURE)
    assert back.case.handler is None
    # the department that had it in between sees it no more
    assert domain.allowed_actions(FOREIGN_OFFICER, back.case, PROCEDURE) == []


def test_a_delegation_ends_with_the_step():
    case = act(create_case_in("accepted"), OFFICER, "delegate", procedure=PROCEDURE).case
    assert act(case, FOREIGN_OFFICER, "finish_step", procedure=PROCEDURE).case.handler is None


def test_provisional_acceptance_is_only_of_what_may_follow():
    item = CATALOGUE.get("elderly-card").description
    follows = [each["code"] for each in item["documents"] if each.get("may_follow")]
    case = create_case()
    change = domain.act(
        case, CLERK, "accept_provisionally", at=LATER, note=None,
        details=Details(missing=(Missing(document=follows[0]),)), procedure=Procedure.of(item),
    )  # fmt: skip
    # the 3rd of March is a Tuesday, and the item says ten days
    assert change.case.answer_by == date(2026, 3, 17)
    assert change.events[0].until == "2026-03-17"
    assert change.details["missing"] == [{"document": follows[0]}]
    main = next(each["code"] for each in item["documents"] if not each.get("may_follow"))
    for missing in ((), (Missing(document=main),), (Missing(text="something"),)):
        with pytest.raises(InvalidInput):
            domain.act(
                case, CLERK, "accept_provisionally", at=LATER, note="x",
                details=Details(missing=missing), procedure=Procedure.of(item),
            )  # fmt: skip
    closed_to_it = Procedure.of(item | {"provisional_acceptance": {"open": False}})
    assert "accept_provisionally" not in domain.allowed_actions(CLERK, case, closed_to_it)


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        (Details(until=LATER.date()), "/until"),
        (Details(until=date(2028, 1, 1)), "/until"),
        (Details(missing=(Missing(document="passport"),)), "/missing/0/document"),
        (Details(missing=(Missing(text="x"), Missing(field="iban"))), "/missing/1/field"),
    ],
)
def test_a_correction_names_what_the_item_knows_and_a_day_to_come(details, pointer):
    procedure = CATALOGUE.get("elderly-card").procedure
    with pytest.raises(InvalidInput) as refusal:
        domain.act(create_case(), CLERK, "request_correction", at=LATER, note="x", details=details, procedure=procedure)
    assert [fault["pointer"] for fault in refusal.value.faults] == [pointer]


def test_a_reopened_case_may_still_be_rated():
    reopened = act(create_case_in("closed"), OFFICER, "reopen").case
    assert (reopened.decision, reopened.status) == (None, "accepted")
    assert domain.rate(reopened, 2, channel="web", at=LATER).case.status == "accepted"


# Lives

MOMENTS = st.integers(0, 40)
ATTEMPTS = st.lists(
    st.tuples(
        st.sampled_from((*ACTORS, replace(OFFICER, subject="erin"))),
        st.sampled_from([*ACTIONS, "rate", "time", "nonsense"]),
        st.sampled_from([None, "note"]),
        MOMENTS,
    ),
    max_size=30,
)


@given(ATTEMPTS)
def test_any_life_of_a_case_keeps_its_rules(attempts):
    case, now = domain.begun(create_case(), PROCEDURE), AT
    life = list(domain.submitted(case, CITIZEN).entries)
    for actor, action, note, hours in attempts:
        now += timedelta(hours=hours)
        for change in tried(case, actor, action, note, now):
            require_lawful(case, actor, action, change)
            life += change.entries
            case = change.case
    assert [sequence for sequence, _ in life] == list(range(1, case.sequence + 1))
    require_consistent(case, [event.type for _, event in life])


@settings(deadline=None)
@given(st.lists(st.integers(0, 1_000), max_size=20))
def test_whatever_is_offered_is_taken_and_keeps_the_rules(choices):
    case, types = domain.begun(create_case(papers="at-hall", filed_hall="far"), PROCEDURE), ["case.submitted"]
    for choice in choices:
        offered = [(actor, action) for actor in ACTORS for action in domain.allowed_actions(actor, case, PROCEDURE)]
        if not offered:
            assert case.status == "withdrawn"
            break
        actor, action = offered[choice % len(offered)]
        details = DETAILS.get(action, Details())
        if action == "accept_provisionally":
            details = Details(missing=(Missing(document=min(PROCEDURE.may_follow)),))
        if action == "transfer" and case.region == "511603":
            details = Details(to="civil-affairs", region="511602")
        change = domain.act(
            case, actor, action, at=LATER, note="x", details=details, versions=[case.sequence], procedure=PROCEDURE
        )
        require_lawful(case, actor, action, change)
        types += [event.type for event in change.events]
        case = change.case
        require_consistent(case, types)
    assert case.sequence == len(types)


def tried(case, actor, action, note, now):
    """The changes that the attempt makes of the case, none if it is refused."""
    if action == "time":
        changes = []
        while change := domain.pass_time(changes[-1].case if changes else case, now, procedure=PROCEDURE):
            changes.append(change)
        return changes
    try:
        if action == "rate":
            return [domain.rate(case, 4, channel="web", at=now)]
        details = DETAILS.get(action, Details())
        if action == "accept_provisionally":
            details = Details(missing=(Missing(document=min(PROCEDURE.may_follow)),))
        return [domain.act(case, actor, action, at=now, note=note, details=details, versions="*", procedure=PROCEDURE)]
    except ServiceError:
        return []


def require_lawful(before, actor, action, change):
    assert change.events, "nothing changes without an event"
    assert all(event.subject == before.number for event in change.events)
    assert change.case.sequence == before.sequence + len(change.events), "nothing of the history is lost"
    if action == "rate":
        assert change.case.status == before.status
        return
    if action == "time":
        assert change.actor == SYSTEM
        assert before.status in OPEN
        return
    assert before.status != "withdrawn", "what was withdrawn stays so"
    assert before.status in OPEN or action in ("reopen", "deliver", "pass_on", "receive_papers")
    assert change.case.status == expected_status(before, action)
    assert action in domain.allowed_actions(actor, before, PROCEDURE)
    assert change.actor.subject == actor.subject
    assert actor.subject == before.applicant or action not in ("correct", "supply", "withdraw")
    assert actor.subject != before.applicant or action in ("correct", "supply", "withdraw"), (
        "nobody decides for oneself"
    )


def expected_status(before, action):
    after = TRANSITIONS[before.status, action]
    if after == BEFORE_CORRECTION:
        return before.status_before_correction
    return before.status if after == SAME else after


def require_consistent(case, types):
    assert case.status in STATUSES
    assert (case.decision is not None) == (case.status == "closed")
    assert (case.status_before_correction is not None) == (case.status == "correction_requested")
    assert (case.answer_by is not None) == (case.status in ("correction_requested", "provisionally_accepted"))
    assert case.step in PROCEDURE.steps
    assert types[0] == "case.submitted"
    assert types.count("case.closed") == types.count("case.approved") + types.count("case.refused")
    ends = sum(types.count(f"case.{end}") for end in ("closed", "not-accepted", "lapsed"))
    assert ends - types.count("case.reopened") == (case.status in ("closed", "not_accepted", "lapsed"))
    assert types.count("case.withdrawn") == (case.status == "withdrawn")
    assert types.count("case.correction-requested") <= 1, "everything that is missing is named once"
    assert types.count("case.suspended") - types.count("case.resumed") in (0, 1)
    # the clock runs exactly while the department is to act
    assert (case.clock_from is not None) == (case.status in RUNNING)
    asked, corrected = types.count("case.correction-requested"), types.count("case.corrected")
    assert asked - corrected in (0, 1)
    if case.status != "withdrawn":
        assert asked - corrected == (case.status == "correction_requested")


@pytest.mark.parametrize("role", ["operator", "auditor"])
@pytest.mark.parametrize("action", domain.ACTIONS)
def test_who_keeps_the_platform_or_checks_it_does_nothing_to_a_case(role, action):
    somebody = Actor(subject="sam", client="web", roles=(role,), department="civil-affairs")
    with pytest.raises(NotFound):
        act(create_case(), somebody, action)


@pytest.mark.parametrize("role", ["clerk", "officer"])
@pytest.mark.parametrize("action", ["accept", "request_correction", "approve", "refuse"])
def test_nobody_works_on_a_case_of_their_own(role, action):
    alice = Actor(subject="alice", client="web", roles=(role,), department="civil-affairs")
    with pytest.raises(NotPermitted):
        act(create_case(), alice, action)


def heard_by(change):
    """Department and region of the routing keys of a change's events, each once."""
    for event in change.events:
        keys = [event.routing_key, *change.other_keys(event)]
        places = [tuple(key.split(".")[2:4]) for key in keys]
        assert len({*places}) == len(places), "nobody is told twice"
        yield event.type, {department for department, _ in places}


def test_whom_a_case_was_passed_to_hears_of_it_from_then_on_and_no_more_once_it_has_gone_back():
    other = replace(OFFICER, subject="eve", department="market-regulation")
    case = create_case(status="accepted", step="examine", clock_from=AT.date())
    heard = []
    both, own = {"civil-affairs", "market-regulation"}, {"civil-affairs"}
    steps = [
        *((OFFICER, "claim"), (OFFICER, "delegate"), (other, "suspend"), (other, "resume"), (other, "hand_back")),
        *(
            (OFFICER, "suspend"),
            (OFFICER, "resume"),
            (OFFICER, "delegate"),
            (other, "finish_step"),
            (OFFICER, "approve"),
        ),
    ]
    for actor, action in steps:
        change = act(case, actor, action, procedure=PROCEDURE)
        heard += heard_by(change)
        case = change.case
    assert heard == [
        ("case.assigned", own),
        ("case.delegated", both),
        ("case.suspended", both),
        ("case.resumed", both),
        ("case.handed-back", both),
        ("case.suspended", own),
        ("case.resumed", own),
        ("case.delegated", both),
        ("case.step-finished", both),
        ("case.approved", own),
        ("case.closed", own),
    ]


def test_of_a_case_that_was_transferred_its_giver_hears_that_and_nothing_more():
    case = create_case(status="submitted", step="accept", clock_from=AT.date())
    moved = act(case, OFFICER, "transfer", procedure=PROCEDURE)
    assert list(heard_by(moved)) == [("case.transferred", {"civil-affairs", "market-regulation"})]
    assert "case.transferred.civil-affairs.511602.public-service.elderly-card" in moved.other_keys(moved.events[0])
    taker = replace(OFFICER, subject="eve", department="market-regulation")
    next_ = act(moved.case, taker, "accept", procedure=PROCEDURE)
    assert list(heard_by(next_)) == [("case.accepted", {"market-regulation"})]
