"""The entrypoints of a person's own data: registering, assurance, contacts, closing."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from chassis.rpc import rpc
from chassis.timer import timer
from contracts.errors import ServiceUnavailable
from services.identity import queries
from services.identity.base import IdentityBase
from services.identity.limits import guard
from services.identity.limits.domain import PASSWORD_AGAIN, REGISTRATION_ADDRESS
from services.identity.look_reports.domain import PURPOSE as LOOK_REPORTS
from services.identity.look_reports.queries import list_own
from services.identity.persons import address_change, leaving, own_data, raising, registration
from services.identity.persons import store as persons
from services.identity.persons.registry import Registry, open_registry
from services.identity.settings import IdentitySettings

_PLAIN_MAILS = 500
"""How many are taken over at a time."""


class PersonEntrypoints(IdentityBase):
    @rpc
    def begin_registration(self, email: str, phone: str, locale: str) -> str:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            guard.require_tries(transaction, self._limit_keys().of_address(REGISTRATION_ADDRESS), now)
            secrets = self._registration_secrets()
            return registration.begin_registration(transaction, secrets, email, phone, locale, now)

    @rpc
    def send_registration_codes(self, secret: str) -> None:
        with self.database.transaction() as transaction:
            registration.send_codes_again(transaction, self._registration_secrets(), secret, datetime.now(UTC))

    @rpc
    def prove_registration(self, secret: str, codes: dict[str, str]) -> list[str]:
        with self.database.transaction() as transaction:
            secrets = self._registration_secrets()
            return registration.prove_addresses(transaction, secrets, secret, codes, datetime.now(UTC))

    @rpc
    def register_person(self, secret: str, said: dict[str, str]) -> None:
        secrets = self._registration_secrets()
        registration.finish_registration(self.database, self.offload, secrets, secret, said, datetime.now(UTC))

    @rpc
    def get_assurance(self) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            shown = raising.get_assurance(transaction, self._vault(), self.actor)
        return shown | {"registry": self.settings.registry_url is not None}

    @rpc
    def check_registry(self, id_number: str | None = None) -> dict[str, Any]:
        registry = _registry(self.settings)
        return raising.check_registry(self.database, self._vault(), registry, self.actor, id_number, datetime.now(UTC))

    @rpc
    def raise_assurance(self, username: str, id_number: str) -> dict[str, Any]:
        now, vault = datetime.now(UTC), self._vault()
        return raising.raise_at_counter(self.database, vault, self.actor, username, id_number, now)

    @rpc
    def get_personal_data(self) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            data = own_data.get_personal_data(transaction, self._vault(), self.actor, datetime.now(UTC))
            return data | {"look_reports": list_own(transaction, self._seal(LOOK_REPORTS), self.actor.subject)}

    @rpc
    def close_account(self, password: str) -> None:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            guard.require_tries(transaction, [self._limit_keys().bucket(PASSWORD_AGAIN, self.actor.subject)], now)
        leaving.close_account(self.database, self.offload, self.actor, password, now)

    @rpc
    def begin_address_change(self, session: str, kind: str, said: str) -> str:
        now, means = datetime.now(UTC), self._means()
        with self.database.transaction() as transaction:
            return address_change.begin(transaction, means, self.actor, session, kind, said, now)

    @rpc
    def finish_address_change(self, session: str, challenge: str, code: str) -> None:
        now, means = datetime.now(UTC), self._means()
        address_change.finish(self.database, means, self.actor, session, challenge, code, now)

    @rpc
    def get_contacts(self, subjects: list[str]) -> dict[str, dict[str, str]]:
        with self.database.transaction() as transaction:
            return queries.get_contacts(transaction, self._vault(), self.actor, subjects, datetime.now(UTC))

    @timer(interval=5)
    def seal_plain_mails(self) -> None:
        """Of accounts of an older version; a look at an empty index when all are sealed (docs/adr/0015)."""
        with self.database.transaction() as transaction:
            persons.seal_plain_mails(transaction, self._vault(), _PLAIN_MAILS)


# a service object lives for one call; this lives as long as the process, with its token and its connections
@cache
def _registry(settings: IdentitySettings) -> Registry:
    """Raise `ServiceUnavailable` where no register is configured."""
    if settings.registry_url is None or settings.registry_client_secret is None:
        raise ServiceUnavailable("registry")
    return open_registry(
        settings.registry_url, settings.registry_client_id, settings.registry_client_secret.get_secret_value()
    )
