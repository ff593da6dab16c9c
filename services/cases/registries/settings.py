"""What asks registers of evidence needs besides every process's settings. It does not speak to the broker."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr, field_validator

from chassis.settings import ProcessSettings


class RegistrySettings(ProcessSettings):
    cases_key: SecretStr = Field(min_length=43, description="32 bytes, base64url: opens what is asked")
    other_cases_key: SecretStr | None = Field(default=None, description="the next or the former one, while it changes")
    evidence_secrets: SecretStr = Field(
        default=SecretStr(""), description="by register of evidence, what it knows us by: hospital=secret,tax=other"
    )

    @field_validator("evidence_secrets")
    @classmethod
    def require_pairs(cls, value: SecretStr) -> SecretStr:
        if not all(_PAIR.fullmatch(pair) for pair in _pairs(value)):
            raise ValueError("name=secret,name=secret, without a comma in a secret")
        return value

    @property
    def secret_of(self) -> dict[str, str]:
        """By register. (A setting must be hashable.)"""
        return dict(pair.split("=", 1) for pair in _pairs(self.evidence_secrets))


_PAIR = re.compile("[a-z0-9-]+=.+")


def _pairs(value: SecretStr) -> list[str]:
    return [pair.strip() for pair in value.get_secret_value().split(",") if pair.strip()]
