"""What cases needs besides every process's settings."""

from __future__ import annotations

from pydantic import Field, SecretStr

from chassis.settings import RpcSettings


class CasesSettings(RpcSettings):
    cases_key: SecretStr = Field(min_length=43, description="32 bytes, base64url: seals what people have typed")
    webhook_key: SecretStr = Field(min_length=43, description="32 bytes, base64url: seals what signs webhooks")
