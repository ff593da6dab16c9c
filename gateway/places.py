"""Where pages are shown: each channel under its own path, with its own cookie, of its own client.

The pages of items and cases are the same everywhere; what differs stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.sessions import CLERK, KIOSK, VISIT, WEB


@dataclass(frozen=True, slots=True)
class Place:
    """`base` is put before the addresses of items and cases, `start` is where whoever is not signed in begins."""

    name: str
    base: str
    start: str
    cookie: str
    client: str


WEB_PLACE = Place("web", "", "/login/start", WEB, "web")
KIOSK_PLACE = Place("kiosk", "/kiosk", "/kiosk/", KIOSK, "kiosk")
HALL_PLACE = Place("hall", "/hall", "/hall/login", CLERK, "hall")
VISIT_PLACE = Place("visit", "/hall/visit", "/hall/", VISIT, "hall")
"""A citizen at the counter, for whom the clerk acts."""

_PLACES = (VISIT_PLACE, HALL_PLACE, KIOSK_PLACE)


def place_of(path: str) -> Place:
    return next((place for place in _PLACES if path.startswith(f"{place.base}/")), WEB_PLACE)
