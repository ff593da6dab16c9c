"""How it was seen who stands at the counter: what a token says that was exchanged there, as `checks`."""

from __future__ import annotations

from sqlalchemy import select

from chassis.database import Session
from contracts.actors import CHECKS
from services.identity.persons.tables import assurance_changes


def checks_of(session: Session, subject: str, way: str) -> list[str]:
    """How presence was proved, and by what the account was confirmed before: words of `CHECKS`, in their order."""
    row = assurance_changes.c
    before = session.execute(select(row.method).where(row.subject == subject).distinct()).scalars()
    said = {way, *before}
    return [word for word in CHECKS if word in said]
