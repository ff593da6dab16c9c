"""The registers of evidence of a local run, and the agreement of the hospital. Scripts rely on their names."""

from __future__ import annotations

from datetime import datetime, timedelta

from chassis.database import Session
from services.cases.registries import store
from services.cases.registries.agreements import Terms
from services.cases.registries.domain import Registry

REGISTERS = {
    "hospital": ("city-hospital", False, "birth-medical-certificate"),
    "households": ("public-security", True, "household-register"),
}
"""Register -> its owner, whether that is a department, what it has. Each stands under a path of its own name."""

_REFERENCE = "demo"
_YEARS = timedelta(days=3_650)


def seed_registers(session: Session, url: str | None, now: datetime) -> None:
    """May be repeated: an agreement that was ended stays ended, and one that runs is not extended.

    `url` is where the demo's registers are; without one there are none.
    """
    if url is not None:
        for name, (owner, is_department, kind) in REGISTERS.items():
            store.save_registry(session, Registry(name, owner, is_department, f"{url}/{name}", "onehall", (kind,)), now)
    terms = Terms({"birth-medical-certificate": None}, ("birth-registration",), now, now + _YEARS)
    store.add_agreement(session, "city-hospital", _REFERENCE, terms, now)
