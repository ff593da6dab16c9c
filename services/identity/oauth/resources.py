"""Resource indicators (RFC 8707): which resource an access token is asked for. A token is for one."""

from __future__ import annotations

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import OAuth2Payload

from services.identity.domain import CLIENT_CREDENTIALS
from services.identity.oauth.tokens import AUDIENCE

BROKER = "urn:onehall:rabbitmq"


class InvalidTarget(OAuth2Error):
    """RFC 8707, section 2: "The requested resource is invalid, missing, unknown, or malformed"."""

    error = "invalid_target"


def is_for_broker(parameters: OAuth2Payload) -> bool:
    return _asked(parameters) == {BROKER}


def require_served(parameters: OAuth2Payload, grant_type: str) -> None:
    """Raise `InvalidTarget`. Without a resource, a token is for the API; the broker is for programs by themselves."""
    asked = _asked(parameters)
    if len(asked) > 1:
        raise InvalidTarget("A token is for one resource: ask for each of them.")
    if asked - ({AUDIENCE, BROKER} if grant_type == CLIENT_CREDENTIALS else {AUDIENCE}):
        raise InvalidTarget("The resource is unknown, or not for this grant.")


def _asked(parameters: OAuth2Payload) -> set[str]:
    return set(parameters.datalist.get("resource", ()))
