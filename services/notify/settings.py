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
    sms_url: str = Field(default="https://sms.tencentcloudapi.com", description="without a path")
    sms_secret_id: str = Field(default="", description="without it no short messages are sent")
    sms_secret_key: SecretStr = SecretStr("")
    sms_region: str = "ap-guangzhou"
    sms_app_id: str = ""
    sms_sign_name: str = Field(default="", description="as the provider has approved it")
    sms_templates: str = Field(
        default="", description="the approved template of each language: `zh-Hans=1110,zh-Hant=1111,en=1112`"
    )
    sms_notice_templates: str = Field(default="", description="the same, of notices of security")
    sms_recovery_templates: str = Field(default="", description="the same, of what sets a new password")
    mail_lease_seconds: int = Field(
        default=60, ge=1, description="how long a mail taken by a replica that died waits for another one"
    )

    @property
    def sms_template_of(self) -> dict[str, str]:
        """By language. (A setting must be hashable.)"""
        return _by_language(self.sms_templates)

    @property
    def sms_notice_template_of(self) -> dict[str, str]:
        return _by_language(self.sms_notice_templates)

    @property
    def sms_recovery_template_of(self) -> dict[str, str]:
        return _by_language(self.sms_recovery_templates)


def _by_language(templates: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in templates.split(",") if "=" in pair)
