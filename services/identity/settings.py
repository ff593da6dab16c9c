"""What identity needs besides every process's settings."""

from __future__ import annotations

from pydantic import Field, SecretStr

from chassis.settings import ManagingSettings, RpcSettings


class IdentitySettings(RpcSettings, ManagingSettings):
    """`cookie_key` encrypts stored tokens and signing keys: 32 bytes, base64url."""

    cookie_key: SecretStr
    other_cookie_key: SecretStr | None = Field(
        default=None, description="while `cookie_key` changes: opens, never seals"
    )
    signing_key_days: int = Field(default=90, ge=1, le=3650, description="when signing keys rotate by themselves")
    broker_token_seconds: int = Field(default=600, ge=1, le=3600, description="how long a token opens the broker")
    broker_grace_seconds: int = Field(default=30, ge=1, le=600, description="for renewing it, and for clocks")
