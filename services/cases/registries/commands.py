"""Registers are described and asked, and what they say is handed on. One function a use case."""

from __future__ import annotations

import logging
import random
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis.database import Session
from chassis.sealing import Seal
from chassis.webhooks import rules
from chassis.webhooks.rules import Result as Attempted
from contracts.errors import NotFound
from services.cases.registries import agreeing, domain, metrics, store
from services.cases.registries.adapter import Answer, NoAnswer, Question, Result
from services.cases.registries.agreements import Allowed, Known
from services.cases.registries.domain import Asked, Registry
from services.cases.registries.kinds import all_kinds

log = logging.getLogger(__name__)

MOST_EACH: Final = 4
"""Questions under way to one register, over all processes that ask."""

TAKEN_FOR: Final = timedelta(minutes=2)
"""Longer than an attempt may take: a question whose asker has died is asked again after that."""

KEPT: Final = timedelta(days=30)
"""How long it is known that something was asked, and how it ended."""

NOT_ALLOWED: Final = "not-allowed"
WITHDRAWN: Final = "withdrawn"
ENDED: Final = "ended"
UNEXPECTED: Final = "unexpected"

_ANSWERS: Final = frozenset(map(str, Result))

Attempt = tuple[Asked, Answer | NoAnswer]
Deliver = Callable[[Session, Asked, Answer], bool]
"""Hand on what a register said, in the transaction that forgets the question. False if nobody waits for it."""


# Registers


def add_registry(
    session: Session,
    known: Known,
    name: str,
    *,
    owner: str,
    url: str,
    client_id: str,
    kinds: Sequence[str],
    plain: bool,
    now: datetime,
) -> Registry:
    """Let `owner`, a department or an organisation, answer through this register; again, it is changed."""
    is_department = owner in known.departments
    registry = Registry(name, owner, is_department, url.rstrip("/"), client_id, tuple(dict.fromkeys(kinds)))
    domain.require_registry(registry, known, plain=plain)
    former = store.get_registry(session, name)
    if former is not None and (former.owner, former.is_department) != (owner, is_department):
        # what was asked of one owner is nobody else's to read or to answer
        store.finish_of_registry(session, name, ENDED, now)
    store.save_registry(session, registry, now)
    return registry


def end_registry(session: Session, name: str, now: datetime) -> None:
    """It is asked nothing more; who has the evidence is asked on the bus again, and what waits is forgotten."""
    store.finish_of_registry(session, name, ENDED, now)
    if not store.end_registry(session, name, now):
        raise NotFound("registry", name)


# Questions


@dataclass(frozen=True, slots=True)
class Wanted:
    """Evidence that a source is asked for: its id, its case, for which time, who has it, what it is and what for."""

    evidence: str
    number: str
    asks: int
    source: str
    kind: str
    item: str


def ask(session: Session, seal: Seal, wanted: Wanted, keys: Mapping[str, str], until: datetime, now: datetime) -> bool:
    """Have the register of its source asked, within `until`.

    False if it has none for this kind, or if nothing can be looked up by these keys: then it is asked otherwise. The
    same asked again adds nothing.
    """
    registry = store.find_registry(session, wanted.source, wanted.kind)
    if registry is None or not all_kinds()[wanted.kind].keys_validator.is_valid(dict(keys)):
        return False
    question = str(uuid.uuid5(uuid.UUID(wanted.evidence), str(wanted.asks)))
    about = (question, wanted.evidence, wanted.number, wanted.asks)
    store.add_question(session, seal, Asked(*about, registry, wanted.kind, wanted.item, 0, keys), until, now)
    return True


def withdraw(session: Session, evidence: str, now: datetime) -> None:
    """Nobody waits for it any more. A question that is under way comes to nothing."""
    store.finish_of_evidence(session, evidence, WITHDRAWN, now)


def take_due(
    session: Session, seal: Seal, usable: Collection[str], busy: Mapping[str, int], most: int, now: datetime
) -> list[Asked]:
    """What is to be asked now. `usable` are the registers whose secrets are known here."""
    store.finish_late(session, now)
    return store.claim(session, seal, usable, busy, MOST_EACH, most, now, now + TAKEN_FOR)


def question_of(asked: Asked) -> Question:
    return Question(asked.id, all_kinds()[asked.kind], asked.keys, asked.item)


def settle(session: Session, attempts: Sequence[Attempt], deliver: Deliver, now: datetime) -> list[str]:
    """What came of them, a word each in their order, to be counted when it is committed.

    Whether the source may answer is looked at now, not when it was asked. Cases are locked first, and always in one
    order: whoever withdraws has their case, and then waits for the question.
    """
    words: dict[str, str] = {}
    answers = [(asked, answer) for asked, answer in attempts if isinstance(answer, Answer)]
    for asked, answer in sorted(answers, key=lambda attempt: (attempt[0].number, attempt[0].id)):
        words[asked.id] = _hand_on(session, asked, answer, deliver, now)
    # behind all cases: the questions of those that cannot be taken, too
    for asked, none in attempts:
        if isinstance(none, NoAnswer):
            words[asked.id] = none.word
            _put_off(session, asked, now, none.retry_after)
        elif words[asked.id] == UNEXPECTED:
            _put_off(session, asked, now, 0)
    _save_breakers(session, attempts, now)
    return [words[asked.id] for asked, _ in attempts]


def _hand_on(session: Session, asked: Asked, answer: Answer, deliver: Deliver, now: datetime) -> str:
    allowed = _allowed(session, asked, now)
    if allowed is None:
        # what it said is not looked at: from now on it is as if it had not been asked
        given, word = Answer(Result.NEEDS_CITIZEN), NOT_ALLOWED
    else:
        given = Answer(answer.result, allowed.narrow(answer.fields), answer.valid_until)
        word = str(answer.result)
    try:
        with session.begin_nested():
            is_wanted = deliver(session, asked, given)
            store.finish(session, asked.id, word if is_wanted else WITHDRAWN, now)
    except Exception as error:
        if session.invalidated:
            # the database went away: no fault of this one, and nothing can be written now
            raise
        # a fault of ours in one answer must not keep the others back. Its text may hold what was said
        log.error("the answer to question %s cannot be taken: %s", asked.id, type(error).__name__)  # noqa: TRY400
        return UNEXPECTED
    return word if is_wanted else WITHDRAWN


def _put_off(session: Session, asked: Asked, now: datetime, at_least: float) -> None:
    pause = rules.delay(min(asked.attempts, len(rules.DELAYS)), random.random())  # noqa: S311 jitter
    store.put_off(session, asked.id, now + max(pause, timedelta(seconds=at_least)))


def _allowed(session: Session, asked: Asked, now: datetime) -> Allowed | None:
    if asked.registry.is_department:
        return Allowed()
    return agreeing.allowed_for(session, asked.registry.owner, asked.kind, asked.item, now)


def _save_breakers(session: Session, attempts: Sequence[Attempt], now: datetime) -> None:
    for name in sorted({asked.registry.name for asked, _ in attempts}):
        before = breaker = store.get_breaker(session, name)
        for asked, answer in attempts:
            if asked.registry.name == name:
                breaker = breaker.after(_attempted(answer, now), now)
        if breaker != before:
            store.save_breaker(session, name, breaker)


def _attempted(answer: Answer | NoAnswer, now: datetime) -> Attempted:
    if isinstance(answer, NoAnswer):
        return Attempted(now, 0, error=answer.word, retry_after=answer.retry_after)
    return Attempted(now, 0, status_code=200)


def count(attempts: Sequence[Attempt], words: Iterable[str]) -> None:
    counted = Counter((asked.registry.name, word) for (asked, _), word in zip(attempts, words, strict=True))
    for (name, word), times in counted.items():
        metrics.registry_answers.labels(name, word).inc(times)
        if word not in _ANSWERS:
            log.warning("register %s: %s (%d times)", name, word, times)


def measure(session: Session, now: datetime) -> None:
    waiting, oldest = store.measure(session)
    metrics.registry_questions_waiting.set(waiting)
    metrics.registry_question_oldest_seconds.set((now - oldest).total_seconds() if oldest else 0)
    store.delete_over(session, now - KEPT)
