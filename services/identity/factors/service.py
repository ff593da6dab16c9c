"""The entrypoints of second factors, of the step of a sign-in that asks for one, and of the password."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from services.identity.base import IdentityBase
from services.identity.browser_sessions import Browser
from services.identity.factors import enrolment, passkeys, password_change, queries, required_passkey, second_step


class FactorEntrypoints(IdentityBase):
    @rpc
    def get_pending_sign_in(self, pending: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return second_step.get_pending(transaction, self._means(), pending, datetime.now(UTC))

    @rpc
    def send_sign_in_code(self, pending: str, kind: str) -> None:
        with self.database.transaction() as transaction:
            second_step.send_code(transaction, self._means(), pending, kind, datetime.now(UTC))

    @rpc
    def answer_second_factor(
        self,
        pending: str,
        kind: str,
        answer: str,
        previous: str | None = None,
        browser: str | None = None,
        device: str | None = None,
    ) -> dict[str, Any]:
        now, here = datetime.now(UTC), {"previous": previous, "browser": browser}
        opened = second_step.answer(self.database, self._means(), pending, kind, answer, now, **here)
        return self._doorkeeper().remembering(opened, device, now)

    @rpc
    def begin_required_factor(self, pending: str) -> dict[str, str]:
        with self.database.transaction() as transaction:
            return enrolment.begin_required_totp(transaction, self._means(), pending, datetime.now(UTC))

    @rpc
    def finish_required_factor(
        self,
        pending: str,
        sealed: str,
        code: str,
        previous: str | None = None,
        browser: str | None = None,
        device: str | None = None,
    ) -> dict[str, Any]:
        now, here = datetime.now(UTC), {"previous": previous, "browser": browser}
        opened = enrolment.finish_required_totp(self.database, self._means(), pending, sealed, code, now, **here)
        return self._doorkeeper().remembering(opened, device, now)

    @rpc
    def begin_required_passkey(self, pending: str) -> dict[str, str]:
        with self.database.transaction() as transaction:
            return required_passkey.begin(transaction, self._means(), pending, datetime.now(UTC))

    @rpc
    def finish_required_passkey(
        self,
        pending: str,
        ceremony: str,
        credential: str,
        name: str,
        previous: str | None = None,
        browser: str | None = None,
        device: str | None = None,
    ) -> dict[str, Any]:
        now, here = datetime.now(UTC), Browser("", None, previous, browser)
        made = (ceremony, credential, name)
        opened = required_passkey.finish(self.database, self._means(), pending, *made, here, now)
        return self._doorkeeper().remembering(opened, device, now)

    @rpc
    def begin_passkey_sign_in(self, pending: str | None = None) -> dict[str, str]:
        with self.database.transaction() as transaction:
            return passkeys.begin_sign_in(transaction, self._means(), pending, datetime.now(UTC))

    @rpc
    def finish_passkey_sign_in(
        self,
        ceremony: str,
        credential: str,
        channel: str,
        request: str | None = None,
        previous: str | None = None,
        pending: str | None = None,
        browser: str | None = None,
        device: str | None = None,
    ) -> dict[str, Any]:
        now, here, means = datetime.now(UTC), Browser(channel, request, previous, browser), self._means()
        opened = passkeys.finish_sign_in(self.database, means, ceremony, credential, here, now, pending=pending)
        return self._doorkeeper().remembering(opened, device, now)

    @rpc
    def get_security(self, session: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return queries.get_security(transaction, self._means(), self.actor, session, datetime.now(UTC))

    @rpc
    def change_password(self, session: str, old: str, new: str) -> None:
        at, means = datetime.now(UTC), self._means()
        password_change.change_password(self.database, self.offload, means, self.actor, session, old, new, at)

    @rpc
    def begin_totp(self, session: str) -> dict[str, str]:
        with self.database.transaction() as transaction:
            return enrolment.begin_totp(transaction, self._means(), self.actor, session, datetime.now(UTC))

    @rpc
    def finish_totp(self, session: str, sealed: str, code: str) -> list[str]:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            return enrolment.finish_totp(transaction, self._means(), self.actor, session, sealed, code, now)

    @rpc
    def begin_code_factor(self, session: str, kind: str) -> str:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            return enrolment.begin_code_factor(transaction, self._means(), self.actor, session, kind, now)

    @rpc
    def finish_code_factor(self, session: str, challenge: str, code: str) -> list[str]:
        now = datetime.now(UTC)
        return enrolment.finish_code_factor(self.database, self._means(), self.actor, session, challenge, code, now)

    @rpc
    def begin_passkey(self, session: str) -> dict[str, str]:
        with self.database.transaction() as transaction:
            return passkeys.begin_registration(transaction, self._means(), self.actor, session, datetime.now(UTC))

    @rpc
    def finish_passkey(self, session: str, ceremony: str, credential: str, name: str) -> list[str]:
        at, means = datetime.now(UTC), self._means()
        return passkeys.finish_registration(self.database, means, self.actor, session, ceremony, credential, name, at)

    @rpc
    def remove_factor(self, session: str, kind: str, which: str | None = None) -> None:
        with self.database.transaction() as transaction:
            now = datetime.now(UTC)
            enrolment.remove_factor(transaction, self._means(), self.actor, session, kind, which, now)

    @rpc
    def renew_recovery_codes(self, session: str) -> list[str]:
        with self.database.transaction() as transaction:
            return enrolment.renew_recovery_codes(transaction, self.actor, session, datetime.now(UTC))
