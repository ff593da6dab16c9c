"""Registered clients for the tests of the provider, each under a name of its own."""

from __future__ import annotations

import secrets
from typing import Any

from services.identity import commands
from services.identity.domain import SECRET_AUTH_METHODS, Client
from services.identity.sealing import hash_secret
from tests.integration.identity_driver import REDIRECTS, SECRETS, Driver

SCOPES = ("openid", "profile", "email", "offline_access", "cases")


def register(driver: Driver, *, public: bool = False, host: str = "rp.example", **fields: Any) -> str:
    """Its id, which `driver.exchange`, `driver.refresh` and `driver.as_client` know."""
    client_id = f"rp-{secrets.token_hex(5)}"
    REDIRECTS[client_id] = f"https://{host}/callback"
    if not public:
        SECRETS[client_id] = "secret"
        fields |= {"secret_hash": hash_secret("secret"), "auth_methods": SECRET_AUTH_METHODS}
    known = {"redirect_uris": (REDIRECTS[client_id],), "scopes": SCOPES, "first_party": False}
    with driver.database.transaction() as transaction:
        commands.add_client(transaction, Client(client_id, "Test", **known | fields))
    return client_id
