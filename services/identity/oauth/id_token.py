"""The ID token (OpenID Connect Core, section 3.1.3.3), added to the answer of a grant that asked for `openid`."""

from __future__ import annotations

from typing import Any

from services.identity.oauth import tokens


class IdToken:
    """Our own instead of Authlib's, whose `auth_time` becomes now at every refresh."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_create_token_response", self.add_id_token)

    def add_id_token(self, grant: Any, response: tuple[int, dict[str, Any], Any]) -> None:
        _, token, _ = response
        if "openid" in token["scope"].split():
            server, client = grant.server, grant.client.registration
            token["id_token"] = tokens.id_token(
                server.issuer, client, grant.request.user, token["access_token"], server.now
            )
