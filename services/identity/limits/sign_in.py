"""The sign-in with its limits around it: attackers are locked out, the citizen's own browser is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from contracts import security
from contracts.errors import SignInRefused
from services.identity import passwords
from services.identity import store as identity_store
from services.identity.domain import normalize_username
from services.identity.limits import devices, guard, store
from services.identity.limits.domain import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, SIGN_IN_DEVICE
from services.identity.limits.guard import LimitKeys
from services.identity.limits.store import Bucket
from services.identity.sealing import Seal
from services.identity.security_notices import note_change

Offload = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """What the limits of a sign-in need."""

    database: Database
    offload: Offload
    keys: LimitKeys
    seal: Seal

    def let(
        self, username: str, password: str, device: str | None, now: datetime, sign_in: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """What `sign_in` gives, with `device`, the cookie for this browser, once there is a session.

        Raise `TooManyAttempts` of the caller's address, before and whatever the name. An account that strangers have
        tried too often is refused like a wrong password: the same error, after the same work.
        """
        # a name that nobody can have is limited like any other
        name = normalize_username(username) or username
        taken, is_refused = self._take(name, device, now)
        if is_refused:
            self.offload(passwords.is_password, None, password)
            raise SignInRefused
        # what it raises leaves the tries taken
        answer = sign_in()
        with self.database.transaction() as session:
            store.put_back(session, taken)
            return self._remembering(session, answer, device, now)

    def remembering(self, answer: dict[str, Any], device: str | None, now: datetime) -> dict[str, Any]:
        """`answer`, with the cookie if it is a session: a browser is known after the second factor, if there is one.

        The owner hears of a browser that was not known, before anybody has the session's secret.
        """
        with self.database.transaction() as session:
            return self._remembering(session, answer, device, now)

    def _remembering(
        self, session: Session, answer: dict[str, Any], device: str | None, now: datetime
    ) -> dict[str, Any]:
        if "session" not in answer:
            return answer
        account = identity_store.get_account(session, answer["subject"])
        username = account.username if account else ""
        is_known = devices.find_device(self.seal, device, username, now) is not None
        # the first browser of all is the one that registered
        if account and not is_known and not identity_store.is_first_sign_in(session, account.subject):
            note_change(session, account.subject, security.NEW_DEVICE, now)
        return answer | {"device": devices.remember(self.seal, device, username, now)}

    def _take(self, name: str, cookie: str | None, now: datetime) -> tuple[list[Bucket], bool]:
        """The tries that were taken, and whether there was none left of the account's."""
        known = devices.find_device(self.seal, cookie, name, now)
        with self.database.transaction() as session:
            if known is not None:
                own = [self.keys.bucket(SIGN_IN_DEVICE, known.id)]
                if not store.take(session, own, now):
                    return own, False
                guard.count([SIGN_IN_DEVICE])
            # a stranger, or a known browser that guesses too much: treated as one
            address, account = self.keys.of_address(SIGN_IN_ADDRESS), [self.keys.bucket(SIGN_IN_ACCOUNT, name)]
            guard.require_tries(session, address, now)
            refused = store.take(session, account, now)
            guard.count(refused)
            return [*address, *account], bool(refused)
