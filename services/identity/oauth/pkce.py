"""Proof key for code exchange (RFC 7636), S256 only, and for every client (RFC 9700, section 2.1.1)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7636 import CodeChallenge


class S256Required(CodeChallenge):
    """Authlib lets a request without a challenge pass, and takes `plain` also if it is not named."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        parameters = grant.request.payload.data
        if "code_challenge" not in parameters:
            # RFC 7636, section 4.4.1: invalid_request, "code challenge required"
            raise InvalidRequestError("Missing 'code_challenge': PKCE is required.")
        # RFC 7636, section 4.3: without a method the challenge is a plain one
        if parameters.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Only the 'code_challenge_method' S256 is supported.")
        super().validate_code_challenge(grant, redirect_uri)

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
        return "S256"
