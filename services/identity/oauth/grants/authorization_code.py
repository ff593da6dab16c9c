"""The authorization code grant (RFC 6749, section 4.1), with a code that works once."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant as BaseGrant

from services.identity import store as identity_store
from services.identity.domain import CODE_LIFETIME, AuthorizationCode, BrowserSession, TokenFamily
from services.identity.oauth import store
from services.identity.oauth.tokens import Grantee
from services.identity.sealing import hash_secret, new_secret
from services.identity.sessions import store as sessions


class StoredCode:
    """What Authlib asks of a code."""

    def __init__(self, code: AuthorizationCode) -> None:
        self.code = code
        self.code_challenge = code.code_challenge

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri

    def get_scope(self) -> str:
        return self.code.scope


class AuthorizationCodeGrant(BaseGrant):
    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Any) -> str:
        # Authlib puts the address into its message, where most of its characters are not allowed
        uri = request.payload.redirect_uri
        if uri is None or not client.check_redirect_uri(uri):
            raise InvalidRequestError("The redirect_uri is missing or not registered for this client.")
        return str(uri)

    def validate_requested_scope(self) -> None:
        # RFC 6749, section 3.3: a default or an error; a person should not agree to what was not asked
        if not self.request.payload.scope:
            raise InvalidScopeError("Missing 'scope' in request.")
        super().validate_requested_scope()

    def generate_authorization_code(self) -> str:
        return new_secret()

    def create_authorization_response(self, redirect_uri: str, grant_user: BrowserSession) -> str:
        """The code alone: how it gets to the client is said in `response_modes`."""
        self.request.user = grant_user
        code = self.generate_authorization_code()
        self.save_authorization_code(code, self.request)
        return code

    def save_authorization_code(self, code: str, request: Any) -> None:
        signed_in: BrowserSession = request.user
        stored = AuthorizationCode(
            code_hash=hash_secret(code),
            client_id=request.client.get_client_id(),
            subject=signed_in.account.subject,
            redirect_uri=request.payload.redirect_uri,
            scope=request.scope,
            nonce=request.payload.data.get("nonce"),
            code_challenge=request.payload.data["code_challenge"],
            signed_in_at=signed_in.signed_in_at,
            amr=signed_in.amr,
            expires_at=self.server.now + CODE_LIFETIME,
            claims=request.claims.stored(),
            dpop_jkt=request.payload.data.get("dpop_jkt"),
            sid=signed_in.sid,
        )
        store.add_code(self.server.session, stored)

    def query_authorization_code(self, code: str, client: Any) -> StoredCode | None:
        session, code_hash = self.server.session, hash_secret(code)
        taken = store.take_code(session, code_hash, client.get_client_id())
        if taken is None:
            # RFC 6749, section 4.1.2: "If an authorization code is used more than once, the authorization
            # server MUST deny the request and SHOULD revoke all tokens previously issued based on that code"
            store.revoke_family_of_code(session, code_hash, self.server.now)
            return None
        # RFC 9449, section 10: "the authorization server MUST reject the request" of whoever has not that key
        is_theirs = taken.dpop_jkt is None or taken.dpop_jkt == self.server.dpop_jkt
        return StoredCode(taken) if is_theirs and self.server.now < taken.expires_at else None

    def authenticate_user(self, authorization_code: StoredCode) -> Grantee | None:
        code, server = authorization_code.code, self.server
        account = identity_store.get_account(server.session, code.subject)
        if account is None or not self._join(code):
            return None
        family = TokenFamily(
            id=new_secret(),
            client_id=code.client_id,
            subject=code.subject,
            scope=code.scope,
            signed_in_at=code.signed_in_at,
            amr=code.amr,
            created_at=server.now,
            code_hash=code.code_hash,
            claims=code.claims,
            dpop_jkt=server.dpop_jkt if self.client.registration.is_public else None,
            sid=code.sid,
        )
        store.add_family(server.session, family)
        return Grantee(account, family, code.nonce)

    def _join(self, code: AuthorizationCode) -> bool:
        """False if the person has signed out since: nobody would tell the client, which came a moment too late."""
        if code.sid is None:
            return True
        return sessions.join(self.server.session, code.sid, code.client_id, code.subject, self.server.now)

    def delete_authorization_code(self, authorization_code: StoredCode) -> None:
        """It is gone since `query_authorization_code`: deleting it here would let two requests win."""
