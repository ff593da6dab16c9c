"""What the entrypoints of every area share: the service's settings, and what is made of its keys for one call.

Each area has its entrypoints in a `service.py` of its own, in a class on this base; `services.identity.service` puts
them together. Nameko finds an entrypoint on a base class as on the class itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from chassis.database import Session
from chassis.service import Service
from services.identity.codes.secrecy import CodeKeys
from services.identity.factors import means as factor_means
from services.identity.limits.devices import KNOWN_DEVICES
from services.identity.limits.guard import LimitKeys
from services.identity.limits.sign_in import Doorkeeper
from services.identity.oauth.keys import KeyRing
from services.identity.oauth.pairwise import Subjects
from services.identity.oauth.tokens import BrokerResource, Issuer
from services.identity.persons import registration
from services.identity.persons.people import People
from services.identity.persons.vault import Vault
from services.identity.sealing import Seal
from services.identity.settings import IdentitySettings
from services.identity.web_sessions import WebSessions

# a service object lives for one call; this lives as long as the process
_KEY_RING = KeyRing()


class IdentityBase(Service):
    settings_class = IdentitySettings
    settings: IdentitySettings

    def _issuer(self, transaction: Session) -> Issuer:
        keys = _KEY_RING.load(transaction, self._seal("signing-keys"), datetime.now(UTC))
        lifetime = timedelta(seconds=self.settings.broker_token_seconds)
        subjects = Subjects(transaction, self._seal("pairwise-subjects"))
        broker, people = BrokerResource(self.settings.vhost, lifetime), People(transaction, self._vault())
        two = self.settings.is_production
        return Issuer(self.settings.base_url, keys, subjects, broker, people=people, two_factors_for_staff=two)

    def _web_sessions(self, transaction: Session) -> WebSessions:
        return WebSessions(partial(self._issuer, transaction), self._seal("web-sessions"))

    def _registration_secrets(self) -> registration.Secrets:
        return registration.Secrets(self._seal("registrations"), self._code_keys(), self._vault())

    def _doorkeeper(self) -> Doorkeeper:
        return Doorkeeper(self.database, self.offload, self._limit_keys(), self._seal(KNOWN_DEVICES))

    def _limit_keys(self) -> LimitKeys:
        return LimitKeys(self.settings.cookie_key.get_secret_value())

    def _means(self) -> factor_means.Means:
        settings, seal = self.settings, self._seal(factor_means.PURPOSE)
        return factor_means.Means(seal, self._code_keys(), self._vault(), settings.base_url, settings.environment)

    def _code_keys(self) -> CodeKeys:
        return CodeKeys(self.settings.cookie_key.get_secret_value(), self._other_key())

    def _seal(self, purpose: str) -> Seal:
        return Seal(self.settings.cookie_key.get_secret_value(), purpose, self._other_key())

    def _vault(self) -> Vault:
        return Vault(self.settings.cookie_key.get_secret_value(), self._other_key())

    def _other_key(self) -> str | None:
        other = self.settings.other_cookie_key
        return other.get_secret_value() if other else None
