"""What those who send to addresses of others need besides every process's settings."""

from __future__ import annotations

from pydantic import Field, FilePath, SecretStr, field_validator

from chassis.settings import ProcessSettings, Settings
from chassis.webhooks.addresses import Networks, parse_networks


class WebhookAddresses(ProcessSettings):
    """For everybody who looks an endpoint's address up."""

    webhook_private_addresses: str = Field(
        default="", description="networks besides the public ones that webhooks may go to: 10.20.0.0/16,fd00::/8"
    )

    @field_validator("webhook_private_addresses")
    @classmethod
    def require_networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    @property
    def webhook_networks(self) -> Networks:
        return parse_networks(self.webhook_private_addresses)


class SendingSettings(WebhookAddresses):
    """For everybody who sends there."""

    webhook_ca_file: FilePath | None = Field(
        default=None,
        description="certificates (PEM) that endpoints' certificates may be signed by, beside the system's",
    )
    webhook_timeout_seconds: float = Field(default=10, gt=0, le=60)


class WebhookSettings(SendingSettings, Settings):
    webhook_key: SecretStr = Field(min_length=43, description="32 bytes, base64url: seals what signs webhooks")
    other_webhook_key: SecretStr | None = Field(
        default=None, description="the next or the former one, while it changes"
    )
    webhook_retention_days: int = Field(default=30, ge=1, description="how long finished deliveries are kept")
