"""Cases as one service: unpack, call, pack. Drafts and attachments have theirs in their own folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis import recently
from chassis.bus import on_event
from chassis.database import Session
from chassis.rpc import rpc
from chassis.schedule import Due
from chassis.sealing import Seal
from chassis.timer import on_due, timer
from chassis.webhooks import secrets
from contracts.envelope import Envelope
from contracts.errors import InvalidInput, ItemVersionOutdated
from services.cases import commands, own_data, queries
from services.cases.attachments import store as attachment_store
from services.cases.attachments.service import AttachmentEntrypoints
from services.cases.attachments.views import documents_view
from services.cases.base import CATALOGUE
from services.cases.catalogue import listing
from services.cases.catalogue.live import FRESH_SECONDS
from services.cases.catalogue.model import Filter
from services.cases.drafts.service import DraftEntrypoints
from services.cases.evidence import commands as evidence_commands
from services.cases.evidence import consenting, offering
from services.cases.evidence.service import EvidenceEntrypoints
from services.cases.joint import documents as joint_documents
from services.cases.joint.service import JointEntrypoints
from services.cases.lists.service import ListEntrypoints
from services.cases.progress.service import ProgressEntrypoints
from services.cases.results import queries as result_queries
from services.cases.results.service import ResultEntrypoints
from services.cases.statistics.service import StatisticsEntrypoints
from services.cases.subscriptions import commands as subscription_commands
from services.cases.subscriptions import queries as subscription_queries
from services.cases.webhooks import commands as webhook_commands
from services.cases.webhooks import queries as webhook_queries
from services.cases.work import notes, timing, worklist


class CasesService(
    AttachmentEntrypoints,
    DraftEntrypoints,
    EvidenceEntrypoints,
    JointEntrypoints,
    ListEntrypoints,
    ProgressEntrypoints,
    ResultEntrypoints,
    StatisticsEntrypoints,
):
    name = "cases"

    @rpc
    def list_items(
        self,
        q: str | None = None,
        department: str | None = None,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        audience: str | None = None,
        online: bool | None = None,
        facets: bool = False,
    ) -> dict[str, Any]:
        wanted = Filter(department, kind, audience, online)
        return listing.list_items(self.catalogue, q, wanted, cursor, limit, facets)

    @rpc
    def get_item(self, code: str) -> dict[str, Any]:
        """`fetched`: the documents that may be fetched with the applicant's consent, and from whom."""
        catalogue = self.catalogue
        item = catalogue.get(code)
        described = joint_documents.shown(catalogue, item)
        described = offering.with_fetched(self.database, catalogue, described, datetime.now(UTC))
        return described | {"region_name": self._places.name_of(item.region)}

    @rpc
    def submit_case(
        self,
        item: str,
        form: dict[str, Any],
        idempotency_key: str | None = None,
        item_version: int | None = None,
        needs_documents: bool = False,
        consents: list[str] | None = None,
        documents: list[str] | None = None,
    ) -> dict[str, Any]:
        try:
            filing = commands.prepare_filing(
                self.catalogue, self.actor, item, form, idempotency_key, item_version, self._places, documents, consents
            )
        except (InvalidInput, ItemVersionOutdated):
            if not idempotency_key:
                raise
            with self.work() as (session, catalogue):
                asked = (item, form, idempotency_key, documents, consents)
                before = commands.find_filed(session, catalogue, self.actor, *asked)
                if before is None:
                    raise
                return self._with_code(session, before)
        is_whole = needs_documents or documents is not None
        with self.work() as (session, catalogue):
            filed = commands.submit_case(session, catalogue, filing, datetime.now(UTC), is_whole=is_whole, **self._time)
            if consents:
                consenting.consent_with_filing(
                    session, catalogue, self._evidence_desk(), self.actor, filed["number"], consents, datetime.now(UTC)
                )
            return self._with_code(session, filed)

    @rpc
    def list_own_cases(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return own_data.list_own_cases(session, catalogue, self.actor, cursor, limit)

    @rpc
    def list_own_drafts(self) -> list[dict[str, Any]]:
        with self.work() as (session, catalogue):
            return own_data.list_own_drafts(session, catalogue, self._draft_seal(), self.actor)

    @rpc
    def discard_own_drafts(self) -> None:
        with self.database.transaction() as session:
            own_data.discard_own_drafts(session, self.actor)

    @rpc
    def get_case(self, number: str, purpose: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return self._with_code(session, queries.get_case(session, catalogue, self.actor, number, purpose))

    @rpc
    def get_history(self, number: str, purpose: str | None = None) -> dict[str, Any]:
        with self.database.transaction() as session:
            return queries.get_history(session, self.actor, number, purpose)

    @rpc
    def get_case_file(self, number: str, purpose: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            desk = self._evidence_desk()
            file = queries.get_case_file(session, catalogue, self.actor, number, purpose, self._places, desk)
            files = attachment_store.list_of_case(session, self._file_seal(), file["case"]["number"])
            case = self._with_code(session, file["case"])
            result = result_queries.summary(session, self._result_seal(), number) if case["decision"] else None
            documents = documents_view(file["item"], files)
            return file | {"case": case, "documents": documents, "result": result}

    @rpc
    def act_on_case(
        self,
        number: str,
        action: str,
        note: str | None = None,
        form: dict[str, Any] | None = None,
        details: dict[str, Any] | None = None,
        versions: list[int] | str | None = None,
    ) -> dict[str, Any]:
        """`versions`: those of the case that the caller has read, as `If-Match` has them (RFC 9110, 13.1.1)."""
        asked: dict[str, Any] = {"note": note, "form": form, "details": details, "versions": versions}
        asked |= {"result_seal": self._result_seal(), "desk": self._evidence_desk(), "places": self._places}
        with self.work() as (session, catalogue):
            return commands.act_on_case(
                session, catalogue, self.actor, number, action, now=datetime.now(UTC), **asked, **self._time
            )

    @rpc
    def list_work(
        self, shown: str | None = None, cursor: str | None = None, limit: int | None = None, name: str | None = None
    ) -> dict[str, Any]:
        asked: dict[str, Any] = {"shown": shown, "cursor": cursor, "limit": limit, "name": name}
        asked["rules"] = self._time["rules"]
        with self.work() as (session, catalogue):
            return worklist.list_work(session, catalogue, self.actor, datetime.now(UTC), **asked)

    @rpc
    def list_halls_without(self, region: str) -> list[str]:
        """Whose officers are not told of cases of this region. Where halls are, anybody may know."""
        return self._places.halls_without(region)

    @rpc
    def add_note(self, number: str, text: str) -> None:
        with self.database.transaction() as session:
            notes.add_note(session, self.actor, number, text, datetime.now(UTC))

    @timer(interval=300)
    def compute_tentative_dates(self) -> None:
        """Once the days off of a year are known. In every replica: what one has in hand, the next passes over."""
        with self.work() as (session, catalogue):
            timing.compute_tentative_dates(session, catalogue, datetime.now(UTC), **self._time)

    @on_due(timing.CLOCK)
    def on_clock(self, session: Session, due: Due) -> None:
        now = datetime.now(UTC)
        ended = timing.pass_time(session, self.catalogue, due, now, **self._time)
        if ended:
            evidence_commands.follow(session, self._evidence_desk(), ended, now)

    @rpc
    def create_subscription(
        self, name: str, filter_parts: dict[str, list[str]], delivery: str, url: str | None, start: str
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        request = subscription_commands.prepare(
            self.catalogue, self.actor, name, filter_parts, delivery=delivery, url=url, start=start, now=now
        )
        webhook = webhook_commands.prepare(url, self._seal())
        with self.database.transaction() as session:
            return subscription_commands.create_subscription(session, request, webhook, now)

    @rpc
    def list_subscriptions(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return subscription_queries.list_subscriptions(session, catalogue, self.actor, cursor, limit)

    @rpc
    def get_subscription(self, name: str) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return subscription_queries.get_subscription(session, catalogue, self.actor, name)

    @rpc
    def end_subscription(self, name: str) -> None:
        with self.work() as (session, catalogue):
            subscription_commands.end_subscription(session, catalogue, self.actor, name)

    @rpc
    def replay_subscription(self, name: str, start: str, end: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return subscription_commands.replay_subscription(
                session, catalogue, self.actor, name, start, end, datetime.now(UTC)
            )

    @rpc
    def list_replays(self, name: str, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return subscription_queries.list_replays(session, catalogue, self.actor, name, cursor, limit)

    @rpc
    def get_subscription_overview(self, name: str, cursor: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return webhook_queries.get_overview(session, catalogue, self.actor, name, cursor)

    @rpc
    def get_webhook(self, name: str) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return webhook_queries.get_webhook(session, catalogue, self.actor, name)

    @rpc
    def list_attempts(self, name: str, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return webhook_queries.list_attempts(session, catalogue, self.actor, name, cursor, limit)

    @rpc
    def list_deliveries(
        self, name: str, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return webhook_queries.list_deliveries(session, catalogue, self.actor, name, status, cursor, limit)

    @rpc
    def retry_delivery(self, name: str, delivery: int) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return webhook_commands.retry_delivery(session, catalogue, self.actor, name, delivery)

    @rpc
    def rotate_secret(self, name: str) -> dict[str, str]:
        with self.work() as (session, catalogue):
            return webhook_commands.rotate_secret(session, catalogue, self.actor, name, self._seal(), datetime.now(UTC))

    @rpc
    def resume_webhook(self, name: str) -> None:
        with self.work() as (session, catalogue):
            webhook_commands.resume_webhook(session, catalogue, self.actor, name, datetime.now(UTC))

    @rpc
    def send_test(self, name: str) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return webhook_commands.send_test(session, catalogue, self.actor, name, datetime.now(UTC))

    def _seal(self) -> Seal:
        other = self.settings.other_webhook_key
        return secrets.seal_of(
            self.settings.webhook_key.get_secret_value(), other.get_secret_value() if other else None
        )

    @timer(interval=FRESH_SECONDS)
    def refresh_catalogue(self) -> None:
        CATALOGUE.refresh(self.database)

    @timer(interval=5)
    def end_expired_subscriptions(self) -> None:
        """In every replica: what one has ended, the next does not find."""
        with self.database.transaction() as session:
            subscription_commands.end_expired_subscriptions(session)

    @timer(interval=600)
    def prune_subscriptions(self) -> None:
        with self.database.transaction() as session:
            subscription_commands.prune_subscriptions(session, datetime.now(UTC))

    @timer(interval=600)
    def prune_looks(self) -> None:
        with self.database.transaction() as session:
            recently.prune(session, datetime.now(UTC))

    @on_event("rating.given")
    def on_rating_given(self, session: Session, envelope: Envelope) -> None:
        commands.take_over_rating(session, envelope, datetime.now(UTC))
