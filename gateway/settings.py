"""What the gateway reads from its environment, once."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.settings import RpcSettings
from chassis.webhooks.settings import WebhookAddresses

_DEMO_SECRET = "onehall-demo-secret"  # noqa: S105 the demo client's, refused in production below


class GatewaySettings(RpcSettings, WebhookAddresses):
    port: int = 8000
    identity_url: str = Field(description="where identity answers RPC over HTTP when the broker is gone")
    cases_url: str
    notify_url: str
    rating_url: str
    cookie_key: SecretStr = Field(
        min_length=43, description="32 bytes, base64url: encrypts the cookie of a sign-in under way"
    )
    web_client_secret: SecretStr = Field(default=SecretStr(_DEMO_SECRET), description="of the client `web`")
    hall_client_secret: SecretStr = Field(default=SecretStr(_DEMO_SECRET), description="of the client `hall`")
    trusted_proxies: str = Field(
        default="", description="networks whose `X-Forwarded-For` is believed, such as `10.0.0.0/8,fd00::/8`"
    )
    time_zone: str = "Asia/Shanghai"

    @model_validator(mode="after")
    def require_own_secret_in_production(self) -> Self:
        if self.is_production and self.web_client_secret.get_secret_value() == _DEMO_SECRET:
            raise ValueError("ONEHALL_WEB_CLIENT_SECRET must be set in production")
        return self

    @property
    def has_hall(self) -> bool:
        """Whether the counter's pages are open: in production with a secret of their own only."""
        return not self.is_production or self.hall_client_secret.get_secret_value() not in ("", _DEMO_SECRET)

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(part.strip()) for part in self.trusted_proxies.split(",") if part.strip())

    @field_validator("trusted_proxies")
    @classmethod
    def _require_networks(cls, value: str) -> str:
        for part in value.split(","):
            if part.strip():
                ip_network(part.strip())
        return value

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def service_urls(self) -> dict[str, str]:
        urls = {
            "identity": self.identity_url,
            "cases": self.cases_url,
            "notify": self.notify_url,
            "rating": self.rating_url,
        }
        return {service: url.rstrip("/") for service, url in urls.items()}

    @property
    def has_own_metrics_port(self) -> bool:
        return self.http_port not in (0, self.port)

    @property
    def shows_metrics_at_the_door(self) -> bool:
        """Metrics are no business of the public: at the public port in local runs only."""
        return not self.is_production
