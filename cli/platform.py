"""Which platform the command line works on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis import settings
from chassis.database import Database


class OperatorSettings(BaseSettings):
    """The part of the platform's environment that identity's commands need."""

    model_config = SettingsConfigDict(env_prefix="ONEHALL_", frozen=True, extra="ignore")

    environment: Literal["local", "production"]
    base_url: str = Field(pattern=r"^https?://[^/]+$")
    identity_database_url: SecretStr
    notify_client_secret: SecretStr | None = None
    cookie_key: SecretStr | None = None
    other_cookie_key: SecretStr | None = None


@functools.cache
def operator_settings() -> OperatorSettings:
    settings.load_local_environment()
    return settings.load(OperatorSettings)


def identity_database() -> Database:
    return Database(operator_settings().identity_database_url.get_secret_value(), pool_size=1)


def cases_database() -> Database:
    settings.load_local_environment()
    return Database(settings.database_url("cases"), pool_size=1)


def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """In place of a service's `offload`: nobody else waits here."""
    return function(*arguments)
