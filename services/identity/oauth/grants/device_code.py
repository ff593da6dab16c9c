"""The device authorization grant (RFC 8628, section 3.4): a device polls until somebody has decided."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    InvalidGrantError,
    InvalidRequestError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc8628 import DeviceCodeGrant as BaseGrant
from authlib.oauth2.rfc8628.errors import AuthorizationPendingError, ExpiredTokenError, SlowDownError

from chassis import outbox
from contracts.actors import Actor
from contracts.events import SignedIn
from services.identity import store as identity_store
from services.identity.device import store
from services.identity.device.domain import Decision, DeviceAuthorization
from services.identity.domain import TokenFamily
from services.identity.oauth import store as oauth_store
from services.identity.oauth.tokens import Grantee
from services.identity.sealing import hash_secret, new_secret


class ApprovedDevice:
    """What Authlib asks of it."""

    def __init__(self, device: DeviceAuthorization) -> None:
        self._device = device

    def get_scope(self) -> str:
        return self._device.scope


class DeviceCodeGrant(BaseGrant):
    def validate_token_request(self) -> None:
        """Ours instead of Authlib's, which tells the client apart after it has looked at the code, and reads twice."""
        device_code = self.request.payload.data.get("device_code")
        if not device_code:
            raise InvalidRequestError("Missing 'device_code' in request.")
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        self.request.client = client
        approved = self._poll(hash_secret(device_code), client.get_client_id())
        self.request.credential = ApprovedDevice(approved)
        self.request.user = self._begin(approved)

    def _poll(self, device_code_hash: str, client_id: str) -> DeviceAuthorization:
        """Consumes an approval; else raises what the device shall do (section 3.5)."""
        session, now = self.server.session, self.server.now
        approved = store.take_approved(session, device_code_hash, client_id, now)
        if approved is not None:
            return approved
        waiting = store.lock(session, device_code_hash, client_id)
        # never given, of another client, or used already
        if waiting is None:
            raise InvalidGrantError
        if now >= waiting.expires_at:
            raise ExpiredTokenError
        if waiting.decision == Decision.DENIED:
            raise AccessDeniedError
        if waiting.is_too_soon(now):
            store.note_poll(session, device_code_hash, waiting.raised_interval, now)
            raise SlowDownError
        store.note_poll(session, device_code_hash, waiting.interval_seconds, now)
        raise AuthorizationPendingError

    def _begin(self, device: DeviceAuthorization) -> Grantee:
        """Somebody signs in at the device, in a family of tokens of their own."""
        session, now, client = self.server.session, self.server.now, self.request.client.registration
        account = identity_store.get_account(session, device.subject or "")
        if account is None or device.signed_in_at is None:
            raise InvalidGrantError
        family = TokenFamily(
            id=new_secret(),
            client_id=device.client_id,
            subject=account.subject,
            scope=device.scope,
            signed_in_at=device.signed_in_at,
            amr=device.amr,
            created_at=now,
            dpop_jkt=self.server.dpop_jkt if client.is_public else None,
        )
        oauth_store.add_family(session, family)
        actor = Actor(subject=account.subject, client=client.id, channel=client.channel)
        sequence = identity_store.raise_sequence(session, account.subject)
        outbox.add(session, SignedIn(account.subject), sequence=sequence, actor=actor)
        return Grantee(account, family)
