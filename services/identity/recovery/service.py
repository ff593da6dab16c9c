"""The entrypoints of recovery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.database import Session
from chassis.rpc import rpc
from chassis.schedule import Due
from chassis.timer import on_due
from services.identity.limits.devices import KNOWN_DEVICES
from services.identity.recovery import attempts, finishing, handing_over, waiting
from services.identity.recovery.attempts import Desk
from services.identity.recovery.domain import Waits
from services.identity.security_notices.service import NoticeEntrypoints


class RecoveryEntrypoints(NoticeEntrypoints):
    @rpc
    def begin_recovery(self, said: str, way: str, locale: str, device: str | None = None) -> str:
        with self.database.transaction() as transaction:
            return attempts.begin(transaction, self._desk(), said, way, locale, device, datetime.now(UTC))

    @rpc
    def prove_recovery(self, secret: str, code: str) -> dict[str, Any]:
        return attempts.prove(self.database, self._desk(), secret, code, datetime.now(UTC))

    @rpc
    def get_recovery(self, secret: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return attempts.show(transaction, self._desk(), secret, datetime.now(UTC))

    @rpc
    def send_other_recovery_code(self, secret: str) -> None:
        with self.database.transaction() as transaction:
            attempts.send_other(transaction, self._desk(), secret, datetime.now(UTC))

    @rpc
    def prove_recovery_further(self, secret: str, kind: str, given: str) -> dict[str, Any]:
        return attempts.prove_further(self.database, self._desk(), secret, kind, given, datetime.now(UTC))

    @rpc
    def wait_for_recovery(self, secret: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return attempts.wait(transaction, self._desk(), secret, datetime.now(UTC))

    @rpc
    def finish_recovery(self, secret: str, password: str, device: str | None = None) -> str:
        now = datetime.now(UTC)
        return finishing.finish_attempt(self.database, self.offload, self._desk(), secret, password, device, now)

    @rpc
    def get_recovery_link(self, code: str) -> None:
        """Raise `NotFound` unless it sets a password now."""
        finishing.require_link(self._lookup(), code, datetime.now(UTC))

    @rpc
    def finish_recovery_by_link(self, code: str, password: str, device: str | None = None) -> str:
        now = datetime.now(UTC)
        return finishing.finish_link(self._lookup(), self.offload, self._desk(), code, password, device, now)

    @rpc
    def recover_at_counter(self, id_number: str) -> dict[str, str]:
        now, keys, limits = datetime.now(UTC), self._notice_keys(), self._limit_keys()
        return handing_over.begin_at_counter(self.database, self._vault(), keys, limits, self.actor, id_number, now)

    @on_due(waiting.READY)
    def on_recovery_ready(self, session: Session, due: Due) -> None:
        waiting.on_ready(session, due, datetime.now(UTC))

    def _desk(self) -> Desk:
        hours = self.settings.recovery_wait_hours, self.settings.recovery_long_wait_hours
        waits = Waits(*(timedelta(hours=each) for each in hours))
        return Desk(self._means(), self._seal(KNOWN_DEVICES), waits)
