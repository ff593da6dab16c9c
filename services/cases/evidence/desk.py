"""What every use case of evidence is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Session
from chassis.sealing import Seal
from services.cases.evidence.domain import Evidence
from services.cases.work.calendars import WEEKDAYS_EVERYWHERE, Calendars


@dataclass(frozen=True, slots=True)
class Desk:
    """The keys, the calendars and the registers.

    `hand_over` is told of each new request in its transaction, besides the event that the source hears on the bus.
    """

    seal: Seal
    result_seal: Seal
    calendars: Calendars = WEEKDAYS_EVERYWHERE
    hand_over: Callable[[Session, Evidence, Mapping[str, str], datetime], None] | None = None
