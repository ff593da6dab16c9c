"""The entrypoints of staff: the same commands as `onehall user`, in the name of an operator's account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from chassis.database import Session
from chassis.rpc import rpc
from contracts.errors import Fault, InvalidInput
from services.identity.base import IdentityBase
from services.identity.limits.guard import LimitKeys
from services.identity.security_notices.codes import NoticeKeys
from services.identity.staff import commands, opening, queries
from services.identity.staff.domain import Hand
from services.identity.staff.operators import require_fresh_operator, require_present_operator

A_PAGE = 50


class StaffEntrypoints(IdentityBase):
    @rpc
    def list_staff(
        self, session: str, role: str | None = None, department: str | None = None, after: str | None = None
    ) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            require_present_operator(transaction, self.actor, session, datetime.now(UTC))
            return queries.list_page(transaction, role, department, after, A_PAGE)

    @rpc
    def list_staff_of(self, role: str, department: str | None = None) -> list[dict[str, str | None]]:
        """For the platform's programs, which tell them something."""
        with self.database.transaction() as transaction:
            return queries.list_working(transaction, self.actor, role, department)

    @rpc
    def find_staff_member(self, session: str, username: str) -> str:
        """The subject of whoever has this user name: pages call an account by that, for addresses end in logs."""
        with self.database.transaction() as transaction:
            require_present_operator(transaction, self.actor, session, datetime.now(UTC))
            return queries.find(transaction, username)

    @rpc
    def get_staff_member(self, session: str, subject: str) -> dict[str, Any]:
        """With who may change it next: so the sign-in is as fresh as for that."""
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            hand = self._fresh_operator(transaction, session, now)
            shown = queries.show(transaction, hand, queries.name_of(transaction, subject), now)
            return shown | {"is_own": subject == hand.viewer}

    @rpc
    def get_operator(self, session: str) -> None:
        """Whether they may change something now."""
        with self.database.transaction() as transaction:
            self._fresh_operator(transaction, session, datetime.now(UTC))

    @rpc
    def add_staff_member(self, session: str, said: dict[str, Any]) -> str:
        now, limits = datetime.now(UTC), self._limit_keys()
        member = opening.require_new_member(said)
        with self.database.transaction() as transaction:
            hand = self._fresh_operator(transaction, session, now, limits)
        keys = NoticeKeys(self.settings.cookie_key.get_secret_value(), self._other_key())
        return opening.open_account(self.database, self.offload, self._vault(), keys, hand, member, now)

    @rpc
    def grant_role(
        self,
        session: str,
        subject: str,
        roles: list[str],
        department: str | None = None,
        hall: str | None = None,
    ) -> None:
        self._change(session, subject, partial(commands.grant, roles=roles, department=department, hall=hall))

    @rpc
    def revoke_role(self, session: str, subject: str, roles: list[str]) -> None:
        if not roles:
            # at the command line none means all; a form that was sent without a choice means nothing
            raise InvalidInput([Fault(pointer="/roles", rule="minItems", value=1)])
        self._change(session, subject, partial(commands.revoke, roles=roles))

    @rpc
    def disable_account(self, session: str, subject: str) -> None:
        self._change(session, subject, commands.disable)

    @rpc
    def enable_account(self, session: str, subject: str) -> None:
        self._change(session, subject, commands.enable)

    @rpc
    def reset_factors(self, session: str, subject: str) -> None:
        self._change(session, subject, commands.reset_factors)

    def _change(self, session: str, subject: str, change: Callable[..., Any]) -> None:
        now, limits = datetime.now(UTC), self._limit_keys()
        with self.database.transaction() as transaction:
            hand = self._fresh_operator(transaction, session, now, limits)
            change(transaction, hand, queries.name_of(transaction, subject), now=now)

    def _fresh_operator(
        self, transaction: Session, session: str, now: datetime, limits: LimitKeys | None = None
    ) -> Hand:
        return require_fresh_operator(transaction, self.actor, session, self.settings.environment, now, limits)
