"""What the entrypoints of every area of cases share."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from chassis.database import Session
from chassis.sealing import Seal
from chassis.service import ANONYMOUS, ActorProvider, Service
from contracts.actors import Actor
from services.cases.attachments import store as attachment_store
from services.cases.catalogue.live import LiveCatalogue
from services.cases.catalogue.model import Catalogue
from services.cases.crossing.places import BrokenPlaces, Places
from services.cases.crossing.places import read as read_places
from services.cases.drafts import store as draft_store
from services.cases.evidence import store as evidence_store
from services.cases.evidence.desk import Desk
from services.cases.registries import store as registry_store
from services.cases.registries.delivering import ask_register
from services.cases.results import store as result_store
from services.cases.settings import CasesSettings
from services.cases.work.calendars import Calendars, Published
from services.cases.work.clock import Escalation, Rules
from services.cases.work.timing import Time

CATALOGUE = LiveCatalogue()
log = logging.getLogger(__name__)
_COMPETENT = ("officer", "supervisor")


class PlacedActorProvider(ActorProvider):
    """With the region of the hall where they work: whoever calls says the hall, the tenant's places where that is."""

    def get_dependency(self, worker_ctx: Any) -> Actor:
        actor = super().get_dependency(worker_ctx)
        if actor.hall is None:
            return actor
        try:
            places = read_places(worker_ctx.config["settings"].places_file)
        except BrokenPlaces:
            # raising here would end the process; without its region nobody of a hall is anybody
            log.exception("the file of places cannot be read; who works at a hall is treated as nobody")
            return ANONYMOUS
        region = places.region_of(actor.hall)
        # a clerk of a hall that nobody has entered takes in as ever; an officer of one is competent nowhere
        kept = actor.roles if region else tuple(role for role in actor.roles if role not in _COMPETENT)
        if kept != actor.roles:
            _tell_once(actor.hall)
        return replace(actor, region=region, roles=kept)


@cache
def _tell_once(hall: str) -> None:
    log.warning("an officer works at the hall %s, which is in no file of places: they decide nothing", hall)


class CasesBase(Service):
    actor: Actor = PlacedActorProvider()
    settings_class = CasesSettings
    settings: CasesSettings

    @property
    def catalogue(self) -> Catalogue:
        return CATALOGUE.current(self.database)

    @property
    def _time(self) -> Time:
        """Which days are worked, and the rules of deadlines."""
        return {"calendars": _calendars(self.settings.calendar_file), "rules": _rules(self.settings)}

    @property
    def _places(self) -> Places:
        """Halls and competent offices of the tenant."""
        return read_places(self.settings.places_file)

    @contextmanager
    def work(self) -> Iterator[tuple[Session, Catalogue]]:
        """A transaction and the catalogue, which is looked at first: two connections a call would starve the pool."""
        catalogue = self.catalogue
        with self.database.transaction() as session:
            yield session, catalogue

    def _draft_seal(self) -> Seal:
        return self._cases_seal(draft_store.PURPOSE)

    def _file_seal(self) -> Seal:
        return self._cases_seal(attachment_store.PURPOSE)

    def _result_seal(self) -> Seal:
        return self._cases_seal(result_store.PURPOSE)

    def _evidence_desk(self) -> Desk:
        seals = self._cases_seal(evidence_store.PURPOSE), self._result_seal()
        asks = partial(ask_register, self._cases_seal(registry_store.PURPOSE))
        return Desk(*seals, calendars=self._time["calendars"], hand_over=asks)

    def _cases_seal(self, purpose: str) -> Seal:
        other = self.settings.other_cases_key
        return Seal(self.settings.cases_key.get_secret_value(), purpose, other.get_secret_value() if other else None)


@cache
def _calendars(file: Path | None) -> Calendars:
    return Published(file)


@cache
def _rules(settings: CasesSettings) -> Rules:
    escalations = tuple(Escalation(each.days, each.role) for each in settings.escalations)
    return Rules(settings.due_soon_days, escalations, settings.answer_days)
