"""What is read of results."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from chassis.database import Session
from chassis.sealing import Seal
from services.cases.case_number import filing_day
from services.cases.results import store
from services.cases.results.domain import Content, Result

MOST_HELD: Final = 20


def certificates_of(
    session: Session, seal: Seal, holder: str, paper: str, at: datetime
) -> list[tuple[Result, Content]]:
    """The certificates of one kind that a person holds and that are good at that moment, the newest first.

    `paper` is the code of the kind, as documents name it in `proofs`. No look is noted here: whoever shows what one
    says to anybody else than its holder notes it (`services.cases.looks`).
    """
    return store.list_held(session, seal, holder, paper, at, filing_day(at), MOST_HELD)
