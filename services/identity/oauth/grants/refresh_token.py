"""The refresh token grant (RFC 6749, section 6): each token works once and gives the next."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749.grants import RefreshTokenGrant as BaseGrant

from services.identity import store as identity_store
from services.identity.domain import TokenFamily
from services.identity.oauth import store
from services.identity.oauth.tokens import Grantee, claim_refresh_token
from services.identity.sealing import hash_secret


class ClaimedToken:
    """What Authlib asks of a refresh token."""

    def __init__(self, secret: str, family: TokenFamily) -> None:
        self.secret = secret
        self.family = family

    def check_client(self, client: Any) -> bool:
        return bool(self.family.client_id == client.get_client_id())

    def get_scope(self) -> str:
        return self.family.scope


class RefreshTokenGrant(BaseGrant):
    # RFC 9700, section 2.2.2: sender-constrained or rotated
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> ClaimedToken | None:
        server = self.server
        family = claim_refresh_token(server.session, refresh_token, self.client.get_client_id(), server.now)
        return ClaimedToken(refresh_token, family) if family else None

    def authenticate_user(self, refresh_token: ClaimedToken) -> Grantee | None:
        account = identity_store.get_account(self.server.session, refresh_token.family.subject)
        return Grantee(account, refresh_token.family) if account else None

    def revoke_old_credential(self, refresh_token: ClaimedToken) -> None:
        store.spend_refresh_token(self.server.session, hash_secret(refresh_token.secret), self.server.now)
