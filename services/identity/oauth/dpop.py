"""Demonstrating proof of possession (RFC 9449) at the provider's own endpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from authlib.oauth2 import OAuth2Error

from chassis import dpop
from services.identity.domain import Client
from services.identity.oauth import store
from services.identity.oauth.http import ProviderRequest

HEADER = "Dpop"
"""As `HttpRequest` spells names of headers."""


class InvalidDPoPProof(OAuth2Error):
    """RFC 9449, section 5."""

    error = "invalid_dpop_proof"


class ProofNeeded(InvalidDPoPProof):
    """At a resource (section 7.1)."""

    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        challenge = f'DPoP error="invalid_dpop_proof", algs="{" ".join(dpop.ALGORITHMS)}"'
        return [*super().get_headers(), ("WWW-Authenticate", challenge)]


def prove_key(server: Any, request: ProviderRequest, client: Client) -> str | None:
    """At the token endpoint: the thumbprint of the key that the client has proved, which its tokens are bound to."""
    text = request.headers.get(HEADER)
    if text is None:
        # section 5.2: "MUST reject token requests from the client that do not contain the DPoP header"
        if client.requires_dpop:
            raise InvalidDPoPProof("This client needs a proof in the header DPoP.")
        return None
    return _use_proof(server, request, text).jkt


def offered_key(server: Any, request: ProviderRequest) -> str | None:
    """With a pushed request (section 10.1): the thumbprint of the key that a code shall be bound to."""
    text = request.headers.get(HEADER)
    jkt = None if text is None else _use_proof(server, request, text).jkt
    named = request.payload.data.get("dpop_jkt")
    # "the authorization server MUST reject the request if the JWK Thumbprints do not match"
    if jkt is not None and named not in (None, jkt):
        raise InvalidDPoPProof("The proof is of another key than dpop_jkt.")
    return jkt or named


def require_proof(server: Any, request: ProviderRequest, scheme: str, access_token: str, jkt: str | None) -> None:
    """At a resource (section 7.1): a bound token, and no other, comes by the scheme DPoP with a proof of its key."""
    if (scheme == "dpop") != (jkt is not None):
        raise ProofNeeded("A bound token, and no other, is sent by the scheme DPoP.")
    if jkt is None:
        return
    try:
        proved = _use_proof(server, request, request.headers.get(HEADER, ""), access_token).jkt
    except InvalidDPoPProof as error:
        raise ProofNeeded(error.description) from error
    if proved != jkt:
        raise ProofNeeded("The proof is of another key than the token's.")


def _use_proof(server: Any, request: ProviderRequest, text: str, access_token: str | None = None) -> dpop.Proof:
    """Raise `InvalidDPoPProof`."""
    try:
        proof = dpop.read_proof(text, request.method, request.uri, server.now.timestamp(), access_token)
    except dpop.ProofRefused as error:
        raise InvalidDPoPProof(str(error)) from error
    if not store.use_proof(server.session, proof.id, datetime.fromtimestamp(proof.expires_at, UTC)):
        raise InvalidDPoPProof("The proof was used before.")
    return proof
