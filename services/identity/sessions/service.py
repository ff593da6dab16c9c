"""The entrypoints of signing in and out, and of the gateway's sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from chassis.rpc import rpc
from chassis.timer import timer
from contracts.errors import SessionEnded
from services.identity import commands, queries
from services.identity.base import IdentityBase
from services.identity.sessions import commands as sessions
from services.identity.sessions import own
from services.identity.web_sessions import end_web_session, save_web_session, use_web_session


class SessionEntrypoints(IdentityBase):
    @rpc
    def sign_in(
        self,
        username: str,
        password: str,
        channel: str,
        request: str | None = None,
        previous: str | None = None,
        browser: str | None = None,
        device: str | None = None,
    ) -> dict[str, Any]:
        now, environment = datetime.now(UTC), self.settings.environment
        way = {"request": request, "previous": previous, "browser": browser, "environment": environment}
        sign_in = partial(commands.sign_in, self.database, self.offload, username, password, channel, now, **way)
        return self._doorkeeper().let(username, password, device, now, sign_in)

    @rpc
    def get_session(self, session: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return queries.get_session(transaction, session, datetime.now(UTC))

    @rpc
    def sign_out(self, session: str) -> None:
        with self.database.transaction() as transaction:
            sessions.sign_out(transaction, session, datetime.now(UTC))

    @rpc
    def list_sessions(self, session: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return own.list_sessions(transaction, self.actor, session, datetime.now(UTC))

    @rpc
    def end_session(self, session: str, sid: str) -> None:
        with self.database.transaction() as transaction:
            own.end_session(transaction, self.actor, session, sid, datetime.now(UTC))

    @rpc
    def end_other_sessions(self, session: str) -> None:
        with self.database.transaction() as transaction:
            own.end_other_sessions(transaction, self.actor, session, datetime.now(UTC))

    @rpc
    def end_app(self, session: str, client: str) -> None:
        with self.database.transaction() as transaction:
            own.end_app(transaction, self.actor, session, client, datetime.now(UTC))

    @rpc
    def save_web_session(self, client: str, tokens: dict[str, Any], previous: str | None = None) -> str:
        with self.database.transaction() as transaction:
            sessions = self._web_sessions(transaction)
            return save_web_session(transaction, sessions, client, tokens, datetime.now(UTC), previous)

    @rpc
    def get_web_session(self, secret: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            sessions = self._web_sessions(transaction)
            found = use_web_session(transaction, sessions, secret, datetime.now(UTC))
        # after the commit, because ending a session is a change that must stay
        if found is None:
            raise SessionEnded
        return found

    @rpc
    def end_web_session(self, secret: str) -> None:
        with self.database.transaction() as transaction:
            end_web_session(transaction, secret, datetime.now(UTC))

    @timer(interval=30)
    def end_expired_sessions(self) -> None:
        ended = True
        while ended:
            with self.database.transaction() as transaction:
                ended = sessions.end_expired(transaction, datetime.now(UTC)) > 0
