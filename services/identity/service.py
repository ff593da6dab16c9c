"""The entrypoints of identity: unpack, call, pack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from nameko.extensions import DependencyProvider

from chassis import recently
from chassis.bus import on_event
from chassis.database import Session
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timer import timer
from contracts.envelope import Envelope
from contracts.errors import ServiceUnavailable, SessionEnded
from services.identity import commands, queries
from services.identity.access_log import commands as access_log_commands
from services.identity.access_log import queries as access_log_queries
from services.identity.access_log import sealing as access_log_sealing
from services.identity.broker import Management
from services.identity.codes.commands import confirm_sent
from services.identity.codes.queries import get_codes
from services.identity.codes.secrecy import CodeKeys
from services.identity.device import approval
from services.identity.limits import guard
from services.identity.limits.devices import KNOWN_DEVICES
from services.identity.limits.domain import PASSWORD_AGAIN, REGISTRATION_ADDRESS
from services.identity.limits.guard import LimitKeys
from services.identity.limits.sign_in import Doorkeeper
from services.identity.mandates import commands as mandate_commands
from services.identity.mandates import queries as mandate_queries
from services.identity.mandates.acting import act_for
from services.identity.oauth import authorization, protocol
from services.identity.oauth import store as oauth_store
from services.identity.oauth.client_limits import ClientLimits
from services.identity.oauth.http import HttpRequest
from services.identity.oauth.keys import load_keys, rotate
from services.identity.oauth.pairwise import Subjects
from services.identity.oauth.server import Provider
from services.identity.oauth.tokens import BrokerResource, Issuer
from services.identity.persons import leaving, raising, registration
from services.identity.persons import store as persons
from services.identity.persons.people import People
from services.identity.persons.registry import Registry, open_registry
from services.identity.persons.vault import Vault
from services.identity.presence import commands as presence
from services.identity.presence import visits
from services.identity.sealing import Seal
from services.identity.sessions import commands as sessions
from services.identity.settings import IdentitySettings
from services.identity.warden import Warden

_PLAIN_MAILS = 500
"""How many are taken over at a time."""


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


class IdentityService(Service):
    name = "identity"
    settings_class = IdentitySettings
    settings: IdentitySettings
    warden: Warden = WardenProvider()

    @rpc
    def answer_authorization(self, url: str, session: str | None, decision: str | None) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return authorization.answer_authorization(provider, url, session, decision)

    @rpc
    def answer_protocol(self, endpoint: str, method: str, url: str, headers: Any, body: str) -> dict[str, Any]:
        request = HttpRequest.of(method, url, headers, body)
        with self.database.transaction() as transaction:
            now = datetime.now(UTC)
            limits = ClientLimits(transaction, self._limit_keys(), now)
            provider = Provider(transaction, self._issuer(transaction), now, limits)
            return protocol.answer_protocol(provider, endpoint, request)

    @rpc
    def answer_device(self, session: str | None, user_code: str | None, decision: str | None) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return approval.answer_device(provider, session, user_code, decision)

    @rpc
    def prove_presence(self, id_number: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return presence.prove_by_id_number(self.database, self._vault(), self.actor, id_number, now)

    @rpc
    def send_presence_code(self, phone: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            now, keys = datetime.now(UTC), self._code_keys()
            return presence.send_code(transaction, self._vault(), keys, self.actor, phone, now)

    @rpc
    def prove_presence_by_code(self, challenge: str, code: str) -> dict[str, Any]:
        now, keys = datetime.now(UTC), self._code_keys()
        return presence.prove_by_code(self.database, keys, self.actor, challenge, code, now)

    @rpc
    def open_visit(self, session: str, presence_token: str) -> str:
        """`session` is the clerk's at the hall. Raise `SessionEnded`."""
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            found = commands.use_web_session(transaction, self._web_sessions(transaction), session, now)
            provider = Provider(transaction, self._issuer(transaction), now)
            secret = visits.open_visit(provider, found["access_token"], presence_token) if found else None
        if secret is None:
            raise SessionEnded
        return secret

    @rpc
    def get_visit(self, secret: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return visits.get_visit(provider, secret)

    @rpc
    def end_visit(self, secret: str) -> None:
        with self.database.transaction() as transaction:
            visits.end_visit(transaction, secret)

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
        with self.database.transaction() as transaction:
            return raising.raise_at_counter(
                transaction, self._vault(), self.actor, username, id_number, datetime.now(UTC)
            )

    @rpc
    def get_personal_data(self) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return leaving.get_personal_data(transaction, self._vault(), self.actor)

    @rpc
    def close_account(self, password: str) -> None:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            guard.require_tries(transaction, [self._limit_keys().bucket(PASSWORD_AGAIN, self.actor.subject)], now)
        leaving.close_account(self.database, self.offload, self.actor, password, now)

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
        now, known = datetime.now(UTC), {"request": request, "previous": previous, "browser": browser}
        sign_in = partial(commands.sign_in, self.database, self.offload, username, password, channel, now, **known)
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
    def get_contacts(self, subjects: list[str]) -> dict[str, dict[str, str]]:
        with self.database.transaction() as transaction:
            return queries.get_contacts(transaction, self._vault(), self.actor, subjects, datetime.now(UTC))

    @rpc
    def list_access_log(
        self,
        subject: str | None = None,
        number: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            return access_log_queries.list_entries(
                transaction, self.actor, subject, number=number, cursor=cursor, limit=limit, now=now
            )

    @rpc
    def get_acting(self, secret: str, mandate: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            found = act_for(provider, self._web_sessions(transaction), secret, mandate)
        # after the commit, as of `get_web_session`
        if found is None:
            raise SessionEnded
        return found

    @rpc
    def list_mandates(self) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return mandate_queries.list_mandates(transaction, self.actor, datetime.now(UTC))

    @rpc
    def grant_mandate(self, agent: str, item: str | None, number: str | None, until: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            return mandate_commands.grant(
                transaction, self._vault(), self.actor, agent, item=item, number=number, until=until, now=now
            )

    @rpc
    def accept_mandate(self, mandate: str) -> None:
        with self.database.transaction() as transaction:
            mandate_commands.accept(transaction, self.actor, mandate, datetime.now(UTC))

    @rpc
    def end_mandate(self, mandate: str) -> None:
        with self.database.transaction() as transaction:
            mandate_commands.end(transaction, self.actor, mandate, datetime.now(UTC))

    @rpc
    def confirm_guardianship(
        self, ward_id_number: str, guardian_id_number: str, ward_name: str | None = None, until: str | None = None
    ) -> dict[str, Any]:
        seen = mandate_commands.Guardianship(ward_id_number, ward_name, guardian_id_number, until)
        with self.database.transaction() as transaction:
            return mandate_commands.confirm_guardianship(
                transaction, self._vault(), self.actor, seen, datetime.now(UTC)
            )

    @on_event("data.viewed")
    def on_data_viewed(self, session: Session, envelope: Envelope) -> None:
        access_log_commands.take_over_look(session, envelope)

    @rpc
    def get_codes(self, challenges: list[str]) -> dict[str, dict[str, Any]]:
        with self.database.transaction() as transaction:
            return get_codes(transaction, self.actor, self._code_keys(), challenges, datetime.now(UTC))

    @rpc
    def confirm_codes_sent(self, challenges: list[str]) -> None:
        with self.database.transaction() as transaction:
            confirm_sent(transaction, self.actor, challenges)

    @rpc
    def save_web_session(self, client: str, tokens: dict[str, Any], previous: str | None = None) -> str:
        with self.database.transaction() as transaction:
            sessions = self._web_sessions(transaction)
            return commands.save_web_session(transaction, sessions, client, tokens, datetime.now(UTC), previous)

    @rpc
    def get_web_session(self, secret: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            sessions = self._web_sessions(transaction)
            found = commands.use_web_session(transaction, sessions, secret, datetime.now(UTC))
        # after the commit, because ending a session is a change that must stay
        if found is None:
            raise SessionEnded
        return found

    @rpc
    def get_subject(self, access_token: str) -> str:
        """Whose token of a client with pairwise subjects it is. Raise `SessionEnded`."""
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self._issuer(transaction), datetime.now(UTC))
            return queries.get_subject(provider, access_token)

    @rpc
    def use_proof(self, proof: str, expires_at: float) -> bool:
        """False if the gateway, whichever process, has asked it of this proof (RFC 9449) before."""
        with self.database.transaction() as transaction:
            return oauth_store.use_proof(transaction, proof, datetime.fromtimestamp(expires_at, UTC))

    @rpc
    def end_web_session(self, secret: str) -> None:
        with self.database.transaction() as transaction:
            commands.end_web_session(transaction, secret, datetime.now(UTC))

    @timer(interval=5)
    def seal_plain_mails(self) -> None:
        """Of accounts of an older version; a look at an empty index when all are sealed (docs/adr/0015)."""
        with self.database.transaction() as transaction:
            persons.seal_plain_mails(transaction, self._vault(), _PLAIN_MAILS)

    @timer(interval=600)
    def remove_expired(self) -> None:
        with self.database.transaction() as transaction:
            commands.remove_expired(transaction, datetime.now(UTC))
            visits.remove_expired(transaction, datetime.now(UTC))
            sessions.remove_old_notices(transaction, datetime.now(UTC))
            recently.prune(transaction, datetime.now(UTC))

    @timer(interval=30)
    def end_expired_sessions(self) -> None:
        ended = True
        while ended:
            with self.database.transaction() as transaction:
                ended = sessions.end_expired(transaction, datetime.now(UTC)) > 0

    @timer(interval=600)
    def rotate_signing_keys(self) -> None:
        """Making an RSA key holds everybody up for some tenths of a second, once in a quarter."""
        longest, now = timedelta(days=self.settings.signing_key_days), datetime.now(UTC)
        with self.database.transaction() as transaction:
            seal = self._seal("signing-keys")
            load_keys(transaction, seal, now)
            rotate(transaction, seal, now, older_than=longest)

    @timer(interval=1)
    def seal_access_log(self) -> None:
        """In every replica: one seals at a time, the others find it at it."""
        access_log_sealing.seal_new_entries(self.database, self._seal(access_log_sealing.PURPOSE))

    @timer(interval=3)
    def watch_broker(self) -> None:
        """Also when nobody is connected: the alert tells of a warden that cannot see."""
        with self.database.transaction() as transaction:
            clients = queries.list_subscribers(transaction)
        # outside the transaction: it waits for the broker
        self.warden.look(clients, datetime.now(UTC))

    def _issuer(self, transaction: Session) -> Issuer:
        keys = load_keys(transaction, self._seal("signing-keys"), datetime.now(UTC))
        lifetime = timedelta(seconds=self.settings.broker_token_seconds)
        subjects = Subjects(transaction, self._seal("pairwise-subjects"))
        broker, people = BrokerResource(self.settings.vhost, lifetime), People(transaction, self._vault())
        return Issuer(self.settings.base_url, keys, subjects, broker, people=people)

    def _web_sessions(self, transaction: Session) -> commands.WebSessions:
        return commands.WebSessions(partial(self._issuer, transaction), self._seal("web-sessions"))

    def _registration_secrets(self) -> registration.Secrets:
        return registration.Secrets(self._seal("registrations"), self._code_keys(), self._vault())

    def _doorkeeper(self) -> Doorkeeper:
        return Doorkeeper(self.database, self.offload, self._limit_keys(), self._seal(KNOWN_DEVICES))

    def _limit_keys(self) -> LimitKeys:
        return LimitKeys(self.settings.cookie_key.get_secret_value())

    def _code_keys(self) -> CodeKeys:
        other = self.settings.other_cookie_key
        return CodeKeys(self.settings.cookie_key.get_secret_value(), other.get_secret_value() if other else None)

    def _seal(self, purpose: str) -> Seal:
        return Seal(self.settings.cookie_key.get_secret_value(), purpose, self._other_key())

    def _vault(self) -> Vault:
        return Vault(self.settings.cookie_key.get_secret_value(), self._other_key())

    def _other_key(self) -> str | None:
        other = self.settings.other_cookie_key
        return other.get_secret_value() if other else None


# a service object lives for one call; this lives as long as the process, with its token and its connections
@cache
def _registry(settings: IdentitySettings) -> Registry:
    """Raise `ServiceUnavailable` where no register is configured."""
    if settings.registry_url is None or settings.registry_client_secret is None:
        raise ServiceUnavailable("registry")
    return open_registry(
        settings.registry_url, settings.registry_client_id, settings.registry_client_secret.get_secret_value()
    )
