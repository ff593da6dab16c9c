"""The client credentials grant (RFC 6749, section 4.4): a program for itself, without a person."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant as BaseGrant

from services.identity.oauth.resources import InvalidTarget, is_for_broker
from services.identity.oauth.tokens import issue_broker_token


class ClientCredentialsGrant(BaseGrant):
    """Public clients never get here: they cannot register for the grant (`domain.require_valid_client`)."""

    def validate_requested_scope(self) -> None:
        super().validate_requested_scope()
        # RFC 6749, section 3.3: without `scope` a default, which is all that the client was registered for
        registered = " ".join(self.client.registration.scopes)
        scope = self.client.get_allowed_scope(self.request.payload.scope or registered)
        if scope is None:
            raise InvalidScopeError
        self.request.scope = scope
        if is_for_broker(self.request.payload):
            self._require_events(scope)

    def _require_events(self, scope: str) -> None:
        if not self.client.registration.may_hear_events:
            raise InvalidTarget(
                "The broker is for programs of a department or an organisation with the scope 'events'."
            )
        if "events" not in scope.split():
            raise InvalidScopeError("The broker needs the scope 'events'.")

    def generate_token(self, **kwargs: object) -> dict[str, object]:
        if is_for_broker(self.request.payload):
            return issue_broker_token(self.server.issuer, self.client.registration, self.server.now)
        return dict(super().generate_token(**kwargs | {"scope": self.request.scope}))
