"""The refresh token grant (RFC 6749, section 6): each token works once and gives the next."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749.grants import RefreshTokenGrant as BaseGrant

from services.identity import store as identity_store
from services.identity.oauth import refreshing
from services.identity.oauth.refreshing import Claimed
from services.identity.oauth.tokens import Grantee


class ClaimedToken:
    """What Authlib asks of a refresh token."""

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed
        self.family = claimed.family

    def check_client(self, client: Any) -> bool:
        return bool(self.family.client_id == client.get_client_id())

    def get_scope(self) -> str:
        return self.family.scope


class RefreshTokenGrant(BaseGrant):
    # RFC 9700, section 2.2.2: sender-constrained or rotated
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> ClaimedToken | None:
        server = self.server
        client_id = self.client.get_client_id()
        claimed = refreshing.claim(server.session, refresh_token, client_id, server.dpop_jkt, server.now)
        return ClaimedToken(claimed) if claimed else None

    def authenticate_user(self, refresh_token: ClaimedToken) -> Grantee | None:
        account = identity_store.get_account(self.server.session, refresh_token.family.subject)
        return Grantee(account, refresh_token.family, claimed=refresh_token.claimed) if account else None

    def revoke_old_credential(self, refresh_token: ClaimedToken) -> None:
        """It is spent since its successor was made."""
