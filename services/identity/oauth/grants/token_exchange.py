"""The token exchange grant (RFC 8693, section 2.1)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import BaseGrant, InvalidRequestError, TokenEndpointMixin, UnauthorizedClientError

from services.identity.domain import TOKEN_EXCHANGE
from services.identity.oauth.exchange import ACCESS_TOKEN, Asked, exchange
from services.identity.oauth.resources import InvalidTarget
from services.identity.oauth.tokens import AUDIENCE


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):
    GRANT_TYPE = TOKEN_EXCHANGE

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        self.request.client = client
        data: dict[str, str] = self.request.payload.data
        # the RFC lets `actor_token` be left out, and what it gives then passes for the person themselves: never here
        for name in ("subject_token", "subject_token_type", "actor_token", "actor_token_type"):
            if not data.get(name):
                raise InvalidRequestError(f"Missing '{name}' in request.")
        # section 2.1: an unknown type of token cannot be what it must be
        if data["actor_token_type"] != ACCESS_TOKEN:
            raise InvalidRequestError(f"The 'actor_token_type' must be {ACCESS_TOKEN}.")
        if data.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise InvalidRequestError(f"The 'requested_token_type' must be {ACCESS_TOKEN}.")
        # section 2.1: by its logical name, beside `resource` (`resources.require_served`)
        if data.get("audience", AUDIENCE) != AUDIENCE:
            raise InvalidTarget("The audience is unknown, or not for this grant.")

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        data = self.request.payload.data
        asked = Asked(data["subject_token"], data["subject_token_type"], data["actor_token"], data.get("scope"))
        token = exchange(self.server, self.request.client.registration, asked)
        return 200, token, self.TOKEN_RESPONSE_HEADER
