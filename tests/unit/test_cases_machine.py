"""Any life of a case, step by step beside a model that knows the law from the guide and counts the days by itself.

The law is the table of docs/cases.md, which is written by hand; days are counted one by one. So a rule that is lost in
the code is missed here, whatever the code says of itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.actors import Actor
from contracts.errors import CaseChanged, ServiceError, VersionNeeded
from services.cases import domain
from services.cases.catalogue.files import shipped
from services.cases.domain import Case, Details, Missing
from services.cases.work.procedure import Procedure
from services.cases.work.situation import Paper

ROW = re.compile(r"\| `([a-z_]+)` \| `([a-z_]+)` \| ([a-z, ]+) \| (`[a-z_]+`|stays|as before) \| (.+) \|")


@dataclass(frozen=True)
class Law:
    by: frozenset[str]
    becomes: str
    events: tuple[str, ...]


LAW = {
    (status, action): Law(frozenset(by.split(", ")), becomes.strip("`"), tuple(re.findall(r"`([a-z.-]+)`", events)))
    for status, action, by, becomes, events in ROW.findall(
        (Path(__file__).parents[2] / "docs" / "cases.md").read_text()
    )
}
ACTIONS = sorted({action for _, action in LAW} - {"lapse"})
RUNNING = {"submitted", "accepted", "provisionally_accepted"}
AWAITING = {"correction_requested", "provisionally_accepted"}
ELSEWHERE = {"transfer", "pass_on", "receive_papers", "return_papers"}
HANDED_AROUND = {"claim", "assign", "release", "delegate", "hand_back", "finish_step"} | ELSEWHERE
CARRIED = {
    ("at-hall", "pass_on"): "under-way",
    ("returned", "pass_on"): "under-way",
    ("under-way", "receive_papers"): "received",
    ("under-way", "return_papers"): "returned",
    ("received", "return_papers"): "returned",
    ("result-under-way", "receive_papers"): "result-at-hall",
}
"""Of a case that was filed in another region (docs/cross-region.md); its result goes the other way."""
OF_EITHER_DEPARTMENT = {"hand_back", "deliver", "reopen"}
BY_WHOEVER_HAS_IT = {"accept", "accept_provisionally", "not_accept", "request_correction", "suspend", "resume"}
BY_WHOEVER_HAS_IT |= {"finish_step", "approve", "refuse", "delegate"}
OF_A_STEP = BY_WHOEVER_HAS_IT - {"resume"}
WITH_A_REASON = {"not_accept", "refuse", "suspend", "delegate", "reopen", "transfer", "return_papers"}
WITH_A_VERSION = {"finish_step", "assign", "release", "delegate", "hand_back", "reopen"} | ELSEWHERE
OF_TIME = {"case.due-soon", "case.overdue", "case.escalated", "case.lapsed"}

CHINA = timezone(timedelta(hours=8))
START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
HOME, OTHER = "civil-affairs", "market-regulation"
FAR_HALL = "chengdu-centre"
CITIZEN = Actor(subject="alice", client="web")
PEOPLE = (
    CITIZEN,
    replace(CITIZEN, roles=("officer", "clerk"), department=HOME),
    Actor(subject="bob", client="web"),
    Actor(subject="carol", client="hall", channel="hall", roles=("clerk",)),
    Actor(subject="hal", client="hall", channel="hall", roles=("clerk",), hall=FAR_HALL),
    *(Actor(subject=name, client="web", roles=("officer",), department=HOME) for name in ("dan", "erin")),
    Actor(subject="eve", client="web", roles=("officer",), department=OTHER),
    Actor(subject="sam", client="web", roles=("operator",), department=HOME),
    Actor(subject="dept", client="dept", department=HOME, scopes=("cases",)),
)
TWO_STEPS = [
    {"code": "apply", "role": "applicant", "next": ["accept"]},
    {"code": "accept", "role": "clerk", "next": ["examine"], "days": 2},
    {"code": "examine", "role": "officer", "next": ["sign", "refuse"], "delegates": [OTHER]},
    {"code": "sign", "role": "officer", "next": ["issue", "refuse"], "delegates": [OTHER]},
    {"code": "issue", "role": "platform", "next": []},
    {"code": "refuse", "role": "officer", "next": []},
]
SHARED_STEPS = [
    {"code": "apply", "role": "applicant", "next": ["accept"]},
    {"code": "accept", "role": "clerk", "next": ["examine"], "actions": ["accept", "request_correction"]},
    {
        "code": "examine",
        "role": "officer",
        "department": OTHER,
        "next": ["sign"],
        "actions": ["finish_step", "suspend"],
    },
    {"code": "sign", "role": "officer", "next": ["issue", "refuse"], "actions": ["approve", "refuse"]},
    {"code": "issue", "role": "platform", "next": []},
    {"code": "refuse", "role": "officer", "next": []},
]
"""One step is another department's, and each says what may be done in it."""
ITEM = shipped().get("elderly-card").description
PROCEDURES = [
    Procedure.of(ITEM),
    Procedure.of(ITEM | {"steps": TWO_STEPS, "promised_days": 3, "statutory_days": 20, "day_unit": "working"}),
    Procedure.of(ITEM | {"steps": TWO_STEPS, "promised_days": 10, "statutory_days": 12, "day_unit": "calendar"}),
    Procedure.of(ITEM | {"steps": SHARED_STEPS, "promised_days": 5, "statutory_days": 9, "day_unit": "working"}),
]


def local(at: datetime) -> date:
    return at.astimezone(CHINA).date()


def days_behind(start: date, end: date, unit: str) -> int:
    """Counted one by one: those behind `start`, up to and with `end`."""
    count = 0
    while start < end:
        start += timedelta(days=1)
        count += unit == "calendar" or start.weekday() < 5
    return count


class Life(RuleBasedStateMachine):
    case: Case
    procedure: Procedure

    @initialize(procedure=st.sampled_from(PROCEDURES), is_far=st.booleans())
    def file(self, procedure: Procedure, is_far: bool) -> None:
        self.now, self.procedure = START, procedure
        filed = Case(
            number="202603020000000018",
            item="elderly-card",
            item_version=1,
            department=HOME,
            region="511602",
            kind="public-service",
            applicant="alice",
            channel="web",
            submitted_at=START,
            updated_at=START,
            filed_hall=FAR_HALL if is_far else None,
            papers="at-hall" if is_far else None,
        )
        self.case = domain.begun(filed, procedure)
        self.history = list(domain.submitted(self.case, CITIZEN).entries)
        self.asked, self.told, self.before_correction = 0, set(), ""
        self.begin_clock()

    def begin_clock(self) -> None:
        """A limit begins: what it is in days, and the day of which the first is counted."""
        self.limit, self.since, self.spent = self.case.statutory_left, local(self.now), 0
        self.unit = "working" if self.case.status == "submitted" else self.procedure.unit
        self.told = set()

    @rule(hours=st.sampled_from([0, 1, 7, 16, 24, 50, 120, 400]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        while change := domain.pass_time(self.case, self.now, procedure=self.procedure):
            (event,) = change.events
            assert event.type in OF_TIME
            assert change.actor.role == "system"
            if event.type == "case.lapsed":
                assert self.case.status in AWAITING
                assert self.case.answer_by is not None
                assert local(self.now) > self.case.answer_by, "not before the last day is over"
                self.stop_clock()
                assert change.case.status == "lapsed"
            else:
                key = (event.type, event.to_data().get("limit"), event.to_data().get("level"))
                assert key not in self.told, "each stage is told once"
                self.told.add(key)
                assert self.case.status in RUNNING, "nothing is late while the clock stands"
                assert change.case.status == self.case.status
            self.take(change)

    @rule(
        actor=st.sampled_from(PEOPLE),
        action=st.sampled_from(ACTIONS),
        note=st.sampled_from([None, "because"]),
        version=st.sampled_from(["this", "this", "any", "old", "none"]),
        data=st.data(),
    )
    def act(self, actor: Actor, action: str, note: str | None, version: str, data: Any) -> None:
        self.attempt(actor, action, note, version, self.details(action, data))

    @rule(
        choice=st.integers(0, 1000),
        who=st.integers(0, 1000),
        note=st.sampled_from(["because", "because", None]),
        version=st.sampled_from(["this", "this", "this", "any", "old", "none"]),
        data=st.data(),
    )
    def do_what_is_offered(self, choice: int, who: int, note: str | None, version: str, data: Any) -> None:
        """So that lives are long: what is offered is taken, if it is asked for rightly."""
        offered: dict[str, list[Actor]] = {}
        for actor in PEOPLE:
            for action in domain.allowed_actions(actor, self.case, self.procedure):
                offered.setdefault(action, []).append(actor)
        # an end that nothing follows is worth a tenth of the lives
        names = sorted(offered, key=lambda action: (action == "withdraw", action))
        names = names[:-1] if len(names) > 1 and choice % 10 and "withdraw" in offered else names
        if names:
            action = names[choice % len(names)]
            actor = offered[action][who % len(offered[action])]
            done = self.attempt(actor, action, note, version, self.details(action, data, right=True))
            needs = (action in WITH_A_REASON and note is None) or (action in WITH_A_VERSION and version == "none")
            assert done == (version != "old" and not needs), action

    def details(self, action: str, data: Any, *, right: bool = False) -> Details:
        choices = domain.choices(self.case, self.procedure)
        soon = local(self.now) + timedelta(days=data.draw(st.integers(1 if right else -2, 9)))
        until = data.draw(st.sampled_from([None, soon]))
        match action:
            case "accept_provisionally":
                known = choices[action] if right else [*choices[action], "nothing"]
                return Details(missing=(Missing(document=data.draw(st.sampled_from(known))),), until=until)
            case "request_correction":
                return Details(missing=(Missing(text="a page"),), until=until)
            case "suspend":
                return Details(reason="hearing" if right else data.draw(st.sampled_from(["hearing", "weather"])))
            case "finish_step" | "delegate":
                known = choices[action]
                wrong = [] if right else ["nowhere"]
                return Details(to=data.draw(st.sampled_from([*known, *wrong]))) if known or wrong else Details()
            case "assign":
                return Details(to="erin")
            case "deliver":
                return Details(way=data.draw(st.sampled_from(choices[action])))
            case "transfer" | "pass_on":
                return self.carried(action, data, right=right)
        return Details()

    def carried(self, action: str, data: Any, *, right: bool) -> Details:
        wrong = [] if right else [None, self.case.department]
        if action == "transfer":
            return Details(to=data.draw(st.sampled_from([OTHER if self.case.department == HOME else HOME, *wrong])))
        known = [*domain.choices(self.case, self.procedure)[action], *([] if right else ["nothing"])]
        return Details(papers=(Paper(data.draw(st.sampled_from(known)), "original"),))

    def attempt(self, actor: Actor, action: str, note: str | None, version: str, details: Details) -> bool:
        before = self.case
        read = {"this": [before.sequence], "any": "*", "old": [before.sequence - 1], "none": None}[version]
        offered = action in domain.allowed_actions(actor, before, self.procedure)
        try:
            change = domain.act(
                before, actor, action, at=self.now, note=note, details=details, versions=read, procedure=self.procedure
            )
        except ServiceError as error:
            if isinstance(error, CaseChanged):
                assert version == "old"
            if isinstance(error, VersionNeeded):
                assert version == "none"
            return False
        law = LAW[before.status, action]
        assert offered, "what may be done is offered"
        assert version != "old"
        assert version != "none" or action not in WITH_A_VERSION
        assert note or action not in WITH_A_REASON
        assert change.actor.role in law.by
        self.require_person(actor, action, change.actor.role)
        allowed = self.procedure.steps[before.step or ""].actions
        assert allowed is None or action in allowed or action not in OF_A_STEP, "the item says what its steps allow"
        assert tuple(event.type for event in change.events) == law.events
        assert change.case.status == self.expected(law, before)
        self.require_hands(action, details, before, change.case)
        self.require_papers(action, before, change.case)
        self.require_dates(action, details, before, change.case)
        self.require_outcome(action, before, change.case)
        self.keep_time(action, before, change)
        return True

    def require_person(self, actor: Actor, action: str, role: str) -> None:
        if role == "citizen":
            assert actor.subject == self.case.applicant
            return
        assert actor.subject != self.case.applicant, "nobody works on a case of their own"
        assert role in actor.roles
        if role == "officer":
            competent = {self.case.handled_by}
            competent |= {self.case.department} if action in OF_EITHER_DEPARTMENT else set()
            assert actor.department in competent
        if action in BY_WHOEVER_HAS_IT:
            assert self.case.assignee in (None, actor.subject), "what somebody has claimed is theirs to do"

    def expected(self, law: Law, before: Case) -> str:
        if law.becomes == "as before":
            return self.before_correction
        return before.status if law.becomes == "stays" else law.becomes

    def require_hands(self, action: str, details: Details, before: Case, after: Case) -> None:
        """Who has it now: a department, and perhaps somebody there."""
        if action in ("delegate", "hand_back", "finish_step", "accept", "accept_provisionally", "reopen", "transfer"):
            assert after.assignee is None, "whoever had it in hand had it there"
        if action in ("hand_back", "finish_step", "accept", "accept_provisionally"):
            assert after.handled_by == self.place_of(after)
        assert after.department == (details.to if action == "transfer" else before.department)
        match action:
            case "delegate":
                assert after.handled_by == details.to != before.handled_by
            case "hand_back":
                assert before.handled_by != self.place_of(before), "only what was passed on goes back"
            case "claim":
                assert before.assignee is None
                assert after.assignee is not None
            case "assign":
                assert after.assignee == details.to
            case "transfer":
                assert after.handled_by == after.department

    def place_of(self, case: Case) -> str:
        """The department whose step it is."""
        return self.procedure.steps[case.step or ""].department or case.department

    def require_papers(self, action: str, before: Case, after: Case) -> None:
        if action == "pass_on" and before.status == "closed":
            assert before.papers in ("at-hall", "under-way", "received", "returned"), "a result goes there once"
            assert after.papers == "result-under-way"
        elif (before.papers, action) in CARRIED:
            assert after.papers == CARRIED[str(before.papers), action]
        elif action == "reopen" and str(before.papers).startswith("result"):
            assert after.papers == "received", "what is decided anew has a result of its own to pass on"
        else:
            assert action not in ELSEWHERE - {"transfer"}, "what is not there is not passed on"
            assert after.papers == before.papers

    def require_dates(self, action: str, details: Details, before: Case, after: Case) -> None:
        if action == "request_correction":
            self.asked += 1
            self.before_correction = before.status
        if action in ("request_correction", "accept_provisionally"):
            assert after.answer_by is not None
            assert after.answer_by > local(self.now)
            assert details.until is None or after.answer_by >= details.until
            assert after.answer_by.weekday() < 5, "a last day that is a holiday gives way"

    def require_outcome(self, action: str, before: Case, after: Case) -> None:
        match action:
            case "approve" | "refuse":
                assert after.decision == {"approve": "approved", "refuse": "refused"}[action]
                following = [self.procedure.steps[code].role for code in self.procedure.steps[before.step or ""].next]
                assert action == "refuse" or "platform" in following, "the last step grants"
            case "deliver":
                assert before.delivered_by is None, "once"
            case "reopen":
                assert (after.decision, after.delivered_by) == (None, None)

    def keep_time(self, action: str, before: Case, change: Any) -> None:
        after = change.case
        if action in HANDED_AROUND:
            clock = ("clock_from", "promised_left", "statutory_left", "due_on", "statutory_due_on", "due_stage")
            assert [getattr(after, name) for name in clock] == [getattr(before, name) for name in clock]
        was, runs = before.status in RUNNING, after.status in RUNNING
        if was and not runs:
            self.stop_clock()
        self.take(change)
        if action in ("accept", "accept_provisionally", "reopen"):
            self.begin_clock()
            if after.status != "submitted":
                assert self.limit == self.procedure.statutory_days
        elif runs and not was:
            self.since = local(self.now)

    def stop_clock(self) -> None:
        if self.since is not None:
            self.spent += days_behind(self.since, local(self.now), self.unit)
            self.since = None

    def take(self, change: Any) -> None:
        assert change.case.sequence == self.case.sequence + len(change.events)
        self.history += change.entries
        self.case = change.case

    @rule(score=st.integers(1, 5))
    def rate(self, score: int) -> None:
        was_closed = any(event.type == "case.closed" for _, event in self.history)
        try:
            change = domain.rate(self.case, score, channel="web", at=self.now)
        except ServiceError:
            assert self.case.status != "closed"
            return
        assert was_closed or self.case.reopened_at is not None
        assert replace(change.case, sequence=0, updated_at=START) == replace(self.case, sequence=0, updated_at=START)
        self.take(change)

    @invariant()
    def nothing_of_the_history_is_lost(self) -> None:
        assert [sequence for sequence, _ in self.history] == list(range(1, self.case.sequence + 1))

    @invariant()
    def the_status_says_what_stands_beside_it(self) -> None:
        case = self.case
        assert (case.decision is not None) == (case.status == "closed")
        assert (case.answer_by is not None) == (case.status in AWAITING)
        assert (case.clock_from is not None) == (case.status in RUNNING)
        assert case.step in self.procedure.steps
        assert self.asked <= 1, "everything missing is named once"
        assert case.delivered_by is None or case.status == "closed"
        assert (case.papers is None) == (case.filed_hall is None)

    @invariant()
    def the_days_that_were_promised_are_the_days_that_are_counted(self) -> None:
        """Whatever was done meanwhile: what is left and what is spent make the limit."""
        case = self.case
        if self.limit is None or case.statutory_left is None:
            return
        spent = self.spent
        if case.clock_from is None:
            # late as soon as the last day is over, also on a Saturday, when no further day was counted yet
            assert case.statutory_left == self.limit - spent or spent >= self.limit > 0 > case.statutory_left
        else:
            assert case.statutory_due_on is not None
            assert self.since is not None
            if case.statutory_left >= 0:
                counted = days_behind(self.since, case.statutory_due_on, self.unit)
                assert counted + spent == self.limit or (counted, case.statutory_left) == (1, 0)


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
