"""A registered client as Authlib asks about it. The answers are the domain's."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import ClientMixin

from services.identity.domain import AUTHORIZATION_CODE, Client


class RegisteredClient(ClientMixin):
    def __init__(self, client: Client) -> None:
        self.registration = client

    def get_client_id(self) -> str:
        return self.registration.id

    def get_default_redirect_uri(self) -> None:
        """None: OpenID Connect Core, section 3.1.2.1 wants `redirect_uri` in every request."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All that is asked or nothing: what a client may not have is an error, not left out in silence."""
        asked = (scope or "").split()
        return " ".join(dict.fromkeys(asked)) if self.registration.permits_scopes(frozenset(asked)) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self.registration.accepts_redirect_uri(redirect_uri)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and AUTHORIZATION_CODE in self.registration.grants

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.registration.grants
