"""Identity as one service: the entrypoints of its areas put together, and what is of none of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nameko.extensions import DependencyProvider

from chassis import recently
from chassis.timer import timer
from services.identity import commands, queries
from services.identity.access_log.service import AccessLogEntrypoints
from services.identity.broker import Management
from services.identity.codes.service import CodeEntrypoints
from services.identity.device.service import DeviceEntrypoints
from services.identity.factors.service import FactorEntrypoints
from services.identity.look_reports.service import LookReportEntrypoints
from services.identity.mandates.service import MandateEntrypoints
from services.identity.oauth.service import ProtocolEntrypoints
from services.identity.person_search.service import PersonSearchEntrypoints
from services.identity.persons.service import PersonEntrypoints
from services.identity.presence import visits
from services.identity.presence.service import PresenceEntrypoints
from services.identity.recovery.service import RecoveryEntrypoints
from services.identity.sessions import commands as sessions
from services.identity.sessions.service import SessionEntrypoints
from services.identity.settings import IdentitySettings
from services.identity.staff.service import StaffEntrypoints
from services.identity.warden import Warden


class WardenProvider(DependencyProvider):
    """One for all calls: it remembers."""

    def setup(self) -> None:
        settings: IdentitySettings = self.container.config["settings"]
        self._management = Management(settings.broker_management_url.get_secret_value(), settings.vhost)
        longest = timedelta(seconds=settings.broker_token_seconds + settings.broker_grace_seconds)
        self._warden = Warden(self._management, longest, settings.broker_user)

    def get_dependency(self, worker_ctx: Any) -> Warden:
        return self._warden

    def stop(self) -> None:
        self._management.close()


class IdentityService(
    AccessLogEntrypoints,
    CodeEntrypoints,
    DeviceEntrypoints,
    FactorEntrypoints,
    LookReportEntrypoints,
    MandateEntrypoints,
    ProtocolEntrypoints,
    PersonEntrypoints,
    PersonSearchEntrypoints,
    PresenceEntrypoints,
    RecoveryEntrypoints,
    SessionEntrypoints,
    StaffEntrypoints,
):
    name = "identity"
    warden: Warden = WardenProvider()

    @timer(interval=600)
    def remove_expired(self) -> None:
        with self.database.transaction() as transaction:
            commands.remove_expired(transaction, datetime.now(UTC))
            visits.remove_expired(transaction, datetime.now(UTC))
            sessions.remove_old_notices(transaction, datetime.now(UTC))
            recently.prune(transaction, datetime.now(UTC))

    @timer(interval=3)
    def watch_broker(self) -> None:
        """Also when nobody is connected: the alert tells of a warden that cannot see."""
        with self.database.transaction() as transaction:
            clients = queries.list_subscribers(transaction)
        # outside the transaction: it waits for the broker
        self.warden.look(clients, datetime.now(UTC))
