"""A service that does with each event what the yardstick does: one row."""

from sqlalchemy import text

from chassis.bus import on_event
from chassis.database import Session
from chassis.service import Service
from contracts.envelope import Envelope

_ADD = text("INSERT INTO bench_effects (event_id) VALUES (:event_id)")


class ConsumerService(Service):
    # the name only has to be one that hears `cases`
    name = "rating"

    @on_event("case.submitted", "case.accepted")
    def on_step(self, session: Session, envelope: Envelope) -> None:
        session.execute(_ADD, {"event_id": envelope.id})
