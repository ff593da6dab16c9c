"""What the provider says of itself (OpenID Connect Discovery 1.0; RFC 8414). Only what is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis import dpop
from services.identity.assurance import ACR_VALUES
from services.identity.domain import (
    AUTH_METHODS,
    CONFIDENTIAL_AUTH_METHODS,
    LOCALES,
    PROMPTS,
    SCOPES,
    SIGNING_ALGORITHMS,
    SUBJECT_TYPES,
)
from services.identity.oauth import client_keys, response_modes
from services.identity.oauth.claims import CLAIMS
from services.identity.oauth.pkce import S256Required
from services.identity.oauth.server import GRANTS

PAGES = {"authorization_endpoint": "/oauth/authorize", "end_session_endpoint": "/oauth/logout"}
"""Endpoints that a person's browser comes to, which the gateway answers with pages."""


def configuration(base_url: str, paths: Mapping[str, str]) -> dict[str, Any]:
    """`paths` of the endpoints that programs call, by their names in this document."""
    return {
        "issuer": base_url,
        **{name: f"{base_url}{path}" for name, path in (PAGES | dict(paths)).items()},
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": list(response_modes.MODES),
        "grant_types_supported": [grant.GRANT_TYPE for grant, _ in GRANTS],
        "subject_types_supported": list(SUBJECT_TYPES),
        "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "userinfo_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        **_authentication("token_endpoint", AUTH_METHODS),
        **_authentication("revocation_endpoint", AUTH_METHODS),
        **_authentication("introspection_endpoint", CONFIDENTIAL_AUTH_METHODS),
        "code_challenge_methods_supported": list(S256Required.SUPPORTED_CODE_CHALLENGE_METHOD),
        "prompt_values_supported": list(PROMPTS),
        "acr_values_supported": list(ACR_VALUES),
        "claims_supported": [
            *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"),
            *(claim for claims in CLAIMS.values() for claim in claims),
        ],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        # Back-Channel Logout 1.0, section 2.1
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "ui_locales_supported": list(LOCALES),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        # of those clients only that say so in their registration
        "require_pushed_authorization_requests": False,
    }


def _authentication(endpoint: str, methods: tuple[str, ...]) -> dict[str, list[str]]:
    """How clients prove there who they are (RFC 8414, section 2)."""
    return {
        f"{endpoint}_auth_methods_supported": list(methods),
        f"{endpoint}_auth_signing_alg_values_supported": list(client_keys.ALGORITHMS),
    }
