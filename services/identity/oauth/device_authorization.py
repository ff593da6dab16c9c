"""The device authorization endpoint (RFC 8628, section 3.1): a device asks for the two codes."""

from __future__ import annotations

from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, UnauthorizedClientError

from services.identity.device import store
from services.identity.device.domain import (
    INTERVAL,
    LIFETIME,
    MAX_DEVICE_NAME,
    MOST_WAITING,
    DeviceAuthorization,
    is_device_name,
    new_user_code,
)
from services.identity.domain import DEVICE_CODE
from services.identity.oauth.http import Answer, HttpRequest, ProviderRequest, answer
from services.identity.oauth.server import Provider
from services.identity.sealing import hash_secret, new_secret

PATH = "/oauth/device_authorization"
VERIFICATION_PATH = "/device"
_HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_DRAWS = 5


class TooManyWaiting(OAuth2Error):
    error = "temporarily_unavailable"
    description = "Too many devices wait for an answer. Ask again in some minutes."
    status_code = 503


def authorize_device(provider: Provider, request: HttpRequest) -> Answer:
    asked = ProviderRequest(request)
    client = provider.authenticate_client(asked, None, "device_authorization")
    if not client.check_grant_type(DEVICE_CODE):
        raise UnauthorizedClientError
    # RFC 6749, section 3.3: a default or an error; a person should not agree to what was not asked
    scope = client.get_allowed_scope(asked.payload.scope)
    if not scope:
        raise InvalidScopeError
    device_code = new_secret()
    user_code = _wait(provider, device_code, client.get_client_id(), scope, _device_name(asked))
    verification = f"{provider.issuer.url}{VERIFICATION_PATH}"
    body = {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": verification,
        "verification_uri_complete": f"{verification}?{urlencode({'user_code': user_code})}",
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": int(INTERVAL.total_seconds()),
    }
    return answer(200, body, _HEADERS)


def _device_name(asked: ProviderRequest) -> str | None:
    """A parameter of ours: what the device calls itself, for the person who is asked."""
    name = asked.form.get("device_name")
    if name is not None and not is_device_name(name):
        raise InvalidRequestError(f"The 'device_name' must be text of at most {MAX_DEVICE_NAME} characters.")
    return name


def _wait(provider: Provider, device_code: str, client_id: str, scope: str, device_name: str | None) -> str:
    """The user code under which the device waits."""
    if store.count_waiting(provider.session, client_id, provider.now) >= MOST_WAITING:
        raise TooManyWaiting
    for _ in range(_DRAWS):
        user_code = new_user_code()
        device = DeviceAuthorization(
            device_code_hash=hash_secret(device_code),
            user_code_hash=hash_secret(user_code),
            client_id=client_id,
            scope=scope,
            device_name=device_name,
            created_at=provider.now,
            expires_at=provider.now + LIFETIME,
        )
        if store.add(provider.session, device):
            return user_code
    raise TooManyWaiting
