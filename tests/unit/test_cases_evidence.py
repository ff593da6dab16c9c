"""The states of evidence as properties: whatever is tried, in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.errors import ActionNotAllowed, InvalidInput, NotPermitted
from services.cases.evidence import domain
from services.cases.evidence.domain import Answer, Evidence

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
LEADS_TO = {
    domain.CONSENT: {domain.ASKED, domain.PROVIDED, domain.USED},
    domain.ANSWER: set(domain.RESULTS),
    domain.USE: {domain.USED},
    domain.DECLINE: {domain.DECLINED},
    domain.WITHDRAW: {domain.WANTED},
    domain.PASS_LIMIT: {domain.OVERDUE},
    domain.END: {domain.ENDED},
}


class Acts(RuleBasedStateMachine):
    """One piece of evidence; the applicant, its source, the clock and the case's end in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.evidence = Evidence("e", "n", "document", "paper", domain.DEPARTMENT, "source", "applicant", "item")
        self.now = START
        self.was_used = False

    def attempt(self, act: str, do: Callable[[Evidence], Evidence]) -> None:
        before = self.evidence
        try:
            self.evidence = do(before)
        except ActionNotAllowed:
            is_too_old = act == domain.USE and not domain.is_good(before, self.now.date())
            assert before.status not in domain.MAY[act] or is_too_old
            return
        except InvalidInput:
            assert (act, before.asks) == (domain.CONSENT, domain.MOST_ASKS)
            return
        except NotPermitted:
            assert before.consented_until is not None
            assert before.consented_until <= self.now
            return
        assert before.status in domain.MAY[act]
        assert self.evidence.status in LEADS_TO[act]
        self.was_used |= self.evidence.status == domain.USED

    @rule(days=st.integers(1, 120))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def consent_and_ask(self) -> None:
        due_at = self.now + timedelta(days=3)
        self.attempt(domain.CONSENT, lambda each: domain.asked(domain.consented(each, self.now), self.now, due_at))

    @rule(origin=st.sampled_from((domain.CERTIFICATE, domain.EARLIER)))
    def consent_to_what_is_there(self, origin: str) -> None:
        self.attempt(
            domain.CONSENT,
            lambda each: domain.taken_from(domain.consented(each, self.now), origin, "o", None, self.now),
        )

    @rule(result=st.sampled_from(domain.RESULTS), days=st.none() | st.integers(0, 60))
    def answer(self, result: str, days: int | None) -> None:
        is_there = result == domain.PROVIDED and days is not None
        valid_until = self.now.date() + timedelta(days=days or 0) if is_there else None
        self.attempt(domain.ANSWER, lambda each: domain.answered(each, Answer(result, {}, valid_until), self.now))

    @rule(act=st.sampled_from((domain.USE, domain.DECLINE)))
    def decide(self, act: str) -> None:
        self.attempt(act, lambda each: domain.decided(each, act, self.now.date()))

    @rule()
    def withdraw(self) -> None:
        self.attempt(domain.WITHDRAW, domain.withdrawn)

    @rule()
    def pass_limit(self) -> None:
        self.attempt(domain.PASS_LIMIT, domain.overdue)

    @rule()
    def end(self) -> None:
        self.attempt(domain.END, domain.ended)

    @invariant()
    def what_was_used_stays_so(self) -> None:
        assert not self.was_used or self.evidence.status == domain.USED

    @invariant()
    def its_source_is_asked_a_few_times_at_most(self) -> None:
        assert self.evidence.asks <= domain.MOST_ASKS

    @invariant()
    def nothing_is_asked_there_or_used_without_a_consent(self) -> None:
        needs_consent = self.evidence.status in (*domain.FETCHED, domain.OVERDUE)
        assert not needs_consent or self.evidence.consented_at is not None

    @invariant()
    def whoever_may_answer_has_a_day_to_do_so(self) -> None:
        assert self.evidence.status not in domain.WAITING or self.evidence.due_at is not None


Acts.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestActs = Acts.TestCase


def test_every_status_but_the_first_is_led_to_and_every_one_but_used_is_left() -> None:
    assert {domain.WANTED, *(status for ends in LEADS_TO.values() for status in ends)} == set(domain.STATUSES)
    assert {status for begins in domain.MAY.values() for status in begins} == {*domain.STATUSES} - {domain.USED}
