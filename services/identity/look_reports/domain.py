"""The rules of reports: who may make and answer them, and how much is said."""

from __future__ import annotations

from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotPermitted
from services.identity.domain import UNSTORABLE

PURPOSE = "look-reports"
OPEN, ANSWERED = "open", "answered"
STATES = (OPEN, ANSWERED)
LEAST, MOST_REASON, MOST_ANSWER = 10, 1_000, 2_000
"""Characters: what is shorter tells nobody what to look for."""


def require_text(pointer: str, text: str, most: int) -> str:
    """Stripped. Raise `InvalidInput`."""
    said = text.strip()
    if len(said) < LEAST:
        raise InvalidInput([Fault(pointer=pointer, rule="minLength", value=LEAST)])
    if len(said) > most:
        raise InvalidInput([Fault(pointer=pointer, rule="maxLength", value=most)])
    if UNSTORABLE.search(said.replace("\n", " ")):
        raise InvalidInput([Fault(pointer=pointer, rule="characters", value="text")])
    return said


def require_impartial(auditor: Actor, account: str, viewer: str) -> None:
    """Nobody answers what they reported, or what is reported of them. Raise `NotPermitted`."""
    if auditor.subject in (account, viewer):
        raise NotPermitted("answer_own_report")
