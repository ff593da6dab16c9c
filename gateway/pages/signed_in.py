"""What a browser gets when somebody has signed in with it, however they did."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gateway.pages.visits import Visit
from gateway.sessions import DEVICE, DEVICE_SECONDS, SESSION


def set_session(visit: Visit, response: Response, session: dict[str, Any]) -> None:
    visit.cookies.set(response, SESSION, session["session"], session["max_age"])
    if "device" in session:
        # a browser that has signed in is not held up by strangers' guesses
        visit.cookies.set(response, DEVICE, session["device"], DEVICE_SECONDS)
