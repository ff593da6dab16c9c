"""Metrics of the registers of evidence."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

registry_answers = Counter(
    "onehall_registry_answers",
    "Questions to a register of evidence, by what came of an attempt",
    ["registry", "outcome"],
)
registry_questions_waiting = Gauge("onehall_registry_questions_waiting", "Questions that wait for a register's answer")
registry_question_oldest_seconds = Gauge("onehall_registry_question_oldest_seconds", "Age of the oldest of them")
