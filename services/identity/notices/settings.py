"""What the sender of logout notices needs besides every process's settings. It does not speak to the broker."""

from __future__ import annotations

from pydantic import Field, SecretStr

from chassis.webhooks.settings import SendingSettings


class NoticeSettings(SendingSettings):
    """`cookie_key` opens the signing keys and the salt of pairwise subjects, as identity has sealed them."""

    cookie_key: SecretStr
    other_cookie_key: SecretStr | None = Field(
        default=None, description="while `cookie_key` changes: opens, never seals"
    )
