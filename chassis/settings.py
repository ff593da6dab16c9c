"""Configuration, read once at the root into one frozen object. All that is missing is named in one error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProcessSettings(BaseSettings):
    """What every process needs, also one that does not speak to the broker."""

    model_config = SettingsConfigDict(env_prefix="ONEHALL_", frozen=True, extra="ignore")

    environment: Literal["local", "production"]
    base_url: str = Field(pattern=r"^https?://[^/]+$", description="external address and issuer, no trailing slash")
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, description="metrics, health and the RPC fallback; 0 takes any free port")

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


class Settings(ProcessSettings):
    """For those who speak to the broker. A service adds its own fields in a subclass."""

    amqp_uri: SecretStr = Field(min_length=1, validation_alias="AMQP_URI")

    @property
    def vhost(self) -> str:
        """The broker's virtual host: the path of `AMQP_URI`, `/` if that is empty."""
        return unquote(urlsplit(self.amqp_uri.get_secret_value()).path.removeprefix("/")) or "/"

    @property
    def broker_user(self) -> str:
        return unquote(urlsplit(self.amqp_uri.get_secret_value()).username or "guest")


class RpcSettings(Settings):
    """For the gateway, which calls, and the services, which answer."""

    rpc_secret: SecretStr = Field(
        min_length=16, description="shared by the gateway and the services for RPC without the broker"
    )


class ManagingSettings(Settings):
    """For those who ask the broker's management plugin."""

    broker_management_url: SecretStr = Field(min_length=1, description="http[s]://user:password@host:port")


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(settings_class: type[SettingsT]) -> SettingsT:
    """Read the settings, or end the process with one line that names everything missing or wrong."""
    try:
        return settings_class()
    except ValidationError as error:
        sys.exit("settings: " + "; ".join(_fault(settings_class, fault) for fault in error.errors()))


def _fault(settings_class: type[BaseSettings], fault: object) -> str:
    location, message = fault["loc"], fault["msg"]  # type: ignore[index]
    name = str(location[0]) if location else settings_class.__name__
    if name in settings_class.model_fields:
        name = f"{settings_class.model_config.get('env_prefix', '')}{name}"
    return f"{name.upper()}: {message}"


def database_url(service: str) -> str:
    """The service's own database, from `ONEHALL_<SERVICE>_DATABASE_URL`."""
    name = f"ONEHALL_{service.upper()}_DATABASE_URL"
    try:
        return os.environ[name]
    except KeyError:
        sys.exit(f"settings: {name}: Field required")


def load_local_environment() -> None:
    """For tools run by hand: without `ONEHALL_ENVIRONMENT`, take what set-up wrote for the local platform."""
    if "ONEHALL_ENVIRONMENT" in os.environ:
        return
    path = Path(os.environ.get("ONEHALL_STATE", "var")) / "environment"
    if not path.is_file():
        sys.exit(f"{path} is missing: run `make up` first, or set ONEHALL_ENVIRONMENT and the rest by hand")
    for line in path.read_text().splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            os.environ.setdefault(name, value)
