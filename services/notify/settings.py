"""What notify needs besides: the mail server, and its own account at the API."""

from __future__ import annotations

from pydantic import Field, SecretStr

from chassis.settings import RpcSettings


class NotifySettings(RpcSettings):
    api_url: str = Field(pattern=r"^https?://[^/]+$", description="where the gateway is reached from here")
    notify_client_secret: SecretStr
    smtp_host: str
    smtp_port: int = 25
    smtp_user: str = Field(default="", description="empty: no login")
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = False
    mail_from: str = Field(pattern=r"@[^@\s]+$|@[^@\s]+>$", description="`Name <address>` or an address")
    mail_lease_seconds: int = Field(
        default=60, ge=1, description="how long a mail taken by a replica that died waits for another one"
    )
