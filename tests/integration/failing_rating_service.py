"""Cases whose number begins with `fail` cannot be handled; with `once`, the first attempt cannot.

Those with `told` leave a row in the table `an_effect`; the second event of those with `told-bad` cannot be handled
while the file ONEHALL_TEST_BROKEN is there.
"""

import os
from pathlib import Path

from sqlalchemy import text

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
        if envelope.subject.startswith("told"):
            tell(session, envelope)


def tell(session, envelope):
    values = {"subject": envelope.subject, "sequence": envelope.sequence}
    session.execute(text("INSERT INTO an_effect (subject, sequence) VALUES (:subject, :sequence)"), values)
    is_bad = envelope.subject.startswith("told-bad") and envelope.sequence == 2
    if is_bad and Path(os.environ["ONEHALL_TEST_BROKEN"]).exists():
        raise ZeroDivisionError
