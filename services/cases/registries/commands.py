"""Registers are described and asked, and what they say is handed on. One function a use case."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from chassis.database import Session
from chassis.sealing import Seal
from chassis.webhooks import rules
from chassis.webhooks.rules import Result as Attempted
from contracts.errors import Fault, InvalidInput, NotFound
from services.cases.registries import agreeing, domain, metrics, store
from services.cases.registries.adapter import Answer, NoAnswer, Question, Result
from services.cases.registries.agreements import Allowed, Known
from services.cases.registries.domain import Asked, Registry
from services.cases.registries.kinds import all_kinds

log = logging.getLogger(__name__)

MOST_EACH: Final = 4
"""Questions under way to one register."""

TAKEN_FOR: Final = timedelta(minutes=2)
"""Longer than an attempt may take: a question whose asker has died is asked again after that."""

KEPT: Final = timedelta(days=30)
"""How long it is known that something was asked, and how it ended."""

NOT_ALLOWED: Final = "not-allowed"
WITHDRAWN: Final = "withdrawn"

_ANSWERS: Final = frozenset(map(str, Result))

Attempt = tuple[Asked, Answer | NoAnswer]
Deliver = Callable[[Session, Asked, Answer], None]
"""Hand on what a register said, in the transaction that forgets the question."""


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
    store.save_registry(session, registry, now)
    return registry


def end_registry(session: Session, name: str, now: datetime) -> None:
    """It is asked nothing more; who has the evidence is asked on the bus again."""
    if not store.end_registry(session, name, now):
        raise NotFound("registry", name)


# Questions


def ask(
    session: Session,
    seal: Seal,
    question: str,
    *,
    source: str,
    kind: str,
    item: str,
    keys: Mapping[str, str],
    until: datetime,
    now: datetime,
) -> bool:
    """Have the register of `source` asked, within `until`; `question` is an id (UUID) of the caller's.

    False if it has none for this kind: then it is asked otherwise. Asked again under the same id, nothing is added.
    Raise `InvalidInput` for keys that no register can look anything up by.
    """
    registry = store.find_registry(session, source, kind)
    if registry is None:
        return False
    require_keys(kind, keys)
    asked = Asked(question, registry, kind, item, 0, keys)
    store.add_question(session, seal, asked, until, now)
    return True


def require_keys(kind: str, keys: Mapping[str, str]) -> None:
    faults = [
        Fault(pointer="/keys/" + "/".join(map(str, error.absolute_path)), rule=str(error.validator), value=None)
        for error in all_kinds()[kind].keys_validator.iter_errors(dict(keys))
    ]
    if faults:
        raise InvalidInput(faults)


def withdraw(session: Session, question: str, now: datetime) -> None:
    """Nobody waits for it any more. One that is under way comes to nothing."""
    store.finish(session, question, WITHDRAWN, now)


def take_due(
    session: Session, seal: Seal, usable: Collection[str], busy: Mapping[str, int], most: int, now: datetime
) -> list[Asked]:
    """What is to be asked now. `usable` are the registers whose secrets are known here."""
    store.finish_late(session, now)
    return store.claim(session, seal, usable, busy, MOST_EACH, most, now, now + TAKEN_FOR)


def question_of(asked: Asked) -> Question:
    return Question(asked.id, all_kinds()[asked.kind], asked.keys, asked.item)


def settle(session: Session, attempts: Sequence[Attempt], deliver: Deliver, now: datetime) -> list[str]:
    """What came of them, a word each, to be counted when it is committed.

    What is over meanwhile comes to nothing. Whether the source may answer is looked at now, not when it was asked.
    """
    waiting = store.lock_open(session, [asked.id for asked, _ in attempts]) if attempts else set()
    words = [
        _settled(session, asked, answer, deliver, now) if asked.id in waiting else WITHDRAWN
        for asked, answer in attempts
    ]
    _save_breakers(session, attempts, now)
    return words


def _settled(session: Session, asked: Asked, answer: Answer | NoAnswer, deliver: Deliver, now: datetime) -> str:
    if isinstance(answer, NoAnswer):
        pause = rules.delay(min(asked.attempts, len(rules.DELAYS)), random.random())  # noqa: S311 jitter
        store.put_off(session, asked.id, now + max(pause, timedelta(seconds=answer.retry_after)))
        return answer.word
    allowed = _allowed(session, asked, now)
    if allowed is None:
        # what it said is not looked at: from now on it is as if it had not been asked
        store.finish(session, asked.id, NOT_ALLOWED, now)
        deliver(session, asked, Answer(Result.NEEDS_CITIZEN))
        return NOT_ALLOWED
    store.finish(session, asked.id, answer.result, now)
    deliver(session, asked, Answer(answer.result, allowed.narrow(answer.fields), answer.valid_until))
    return answer.result


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
