"""What identity needs besides every process's settings."""

from __future__ import annotations

from pydantic import SecretStr

from chassis.settings import ManagingSettings


class IdentitySettings(ManagingSettings):
    """`cookie_key` encrypts stored tokens and signing keys: 32 bytes, base64url."""

    cookie_key: SecretStr
