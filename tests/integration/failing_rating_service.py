"""Cases whose number begins with `fail` cannot be handled; with `once`, the first attempt cannot."""

from chassis.bus import on_event
from services.rating.service import RatingService

attempts = set()


class FailingRatingService(RatingService):
    @on_event("case.closed")
    def on_case_closed(self, session, envelope):
        if envelope.subject.startswith("fail"):
            raise ZeroDivisionError
        if envelope.subject.startswith("once") and envelope.id not in attempts:
            attempts.add(envelope.id)
            raise ZeroDivisionError
        if envelope.subject.startswith("interrupted") and envelope.id not in attempts:
            attempts.add(envelope.id)
            raise KeyboardInterrupt
