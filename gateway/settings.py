"""What the gateway reads from its environment, once."""

from __future__ import annotations

import json
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Self

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
    files_url: str = Field(
        pattern=r"^(file|s3|memory)://", description="where files are kept: `file:///folder` or `s3://bucket/prefix`"
    )
    files_secret: SecretStr = Field(
        default=SecretStr("{}"),
        description="options of that file system as JSON, its keys among them (fsspec; for S3: `key`, `secret`, ...)",
    )
    clamd: str = Field(default="", description="the virus scanner, `host:port` or the path of its socket (ClamAV)")
    time_zone: str = "Asia/Shanghai"

    @model_validator(mode="after")
    def require_own_secret_in_production(self) -> Self:
        if self.is_production and self.web_client_secret.get_secret_value() == _DEMO_SECRET:
            raise ValueError("ONEHALL_WEB_CLIENT_SECRET must be set in production")
        return self

    @model_validator(mode="after")
    def require_scanner_in_production(self) -> Self:
        if self.is_production and not self.clamd:
            raise ValueError("ONEHALL_CLAMD must be set in production: no file is readable before it was scanned")
        return self

    @property
    def files_options(self) -> dict[str, Any]:
        options: dict[str, Any] = json.loads(self.files_secret.get_secret_value() or "{}")
        return options

    @field_validator("files_secret")
    @classmethod
    def _require_options(cls, value: SecretStr) -> SecretStr:
        try:
            json.loads(value.get_secret_value() or "{}").items()
        except (ValueError, AttributeError):
            # without the value: it holds keys
            raise ValueError("no JSON object") from None
        return value

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
