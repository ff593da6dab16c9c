"""What identity needs besides every process's settings."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.settings import ManagingSettings, RpcSettings


class IdentitySettings(RpcSettings, ManagingSettings):
    """`cookie_key` encrypts stored tokens and signing keys: 32 bytes, base64url."""

    cookie_key: SecretStr
    other_cookie_key: SecretStr | None = Field(
        default=None, description="while `cookie_key` changes: opens, never seals"
    )
    registry_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]+$",
        description="of the register of persons; without one, nobody is asked",
    )
    registry_client_id: str = "onehall"
    registry_client_secret: SecretStr | None = None
    recovery_wait_hours: int = Field(
        default=24, ge=1, le=720, description="how long an owner has to stop a recovery of which one proof is missing"
    )
    recovery_long_wait_hours: int = Field(default=72, ge=1, le=720, description="the same, where two are missing")
    access_log_years: int = Field(default=10, ge=3, le=100, description="how long looks at data are kept")
    look_report_days: int = Field(default=15, ge=1, le=90, description="how soon a report of a look is answered")
    signing_key_days: int = Field(default=90, ge=1, le=3650, description="when signing keys rotate by themselves")
    broker_token_seconds: int = Field(default=600, ge=1, le=3600, description="how long a token opens the broker")
    broker_grace_seconds: int = Field(default=30, ge=1, le=600, description="for renewing it, and for clocks")

    @field_validator("registry_url", "registry_client_secret", mode="before")
    @classmethod
    def _take_nothing_for_none(cls, value: object) -> object:
        """Compose hands on what is not set as an empty text."""
        return None if value == "" else value

    @model_validator(mode="after")
    def _require_a_sealed_way(self) -> Self:
        """Names and ID numbers go there."""
        if self.registry_url is None:
            return self
        if self.registry_client_secret is None:
            raise ValueError("ONEHALL_REGISTRY_CLIENT_SECRET is missing")
        if self.environment == "production" and not self.registry_url.startswith("https://"):
            raise ValueError("ONEHALL_REGISTRY_URL must be https")
        return self
