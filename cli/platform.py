"""Which platform the command line works on."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import click
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

import chassis.sealing
from chassis import settings
from chassis.database import Database
from contracts.access import COMMAND_LINE
from services.identity.persons.vault import Vault
from services.identity.sealing import Seal, SealedOtherwise, SealingKeyUnusable
from services.identity.security_notices.codes import NoticeKeys
from services.identity.staff.domain import Hand


class OperatorSettings(BaseSettings):
    """The part of the platform's environment that identity's commands need."""

    model_config = SettingsConfigDict(env_prefix="ONEHALL_", frozen=True, extra="ignore")

    environment: Literal["local", "production"]
    base_url: str = Field(pattern=r"^https?://[^/]+$")
    identity_database_url: SecretStr
    notify_client_secret: SecretStr | None = None
    cookie_key: SecretStr | None = None
    other_cookie_key: SecretStr | None = None
    webhook_key: SecretStr | None = None
    other_webhook_key: SecretStr | None = None
    cases_key: SecretStr | None = None
    other_cases_key: SecretStr | None = None


@functools.cache
def operator_settings() -> OperatorSettings:
    settings.load_local_environment()
    return settings.load(OperatorSettings)


def identity_database() -> Database:
    return Database(operator_settings().identity_database_url.get_secret_value(), pool_size=1)


def cases_database() -> Database:
    settings.load_local_environment()
    return Database(settings.database_url("cases"), pool_size=1)


def hand() -> Hand:
    """Who is at the command line, by the login there: whoever has its keys could claim any account."""
    try:
        login = os.environ.get("SUDO_USER") or getpass.getuser()
    except OSError:
        # a container's user without a name
        login = str(os.getuid())
    return Hand(f"os:{login}", "onehall", COMMAND_LINE)


def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """In place of a service's `offload`: nobody else waits here."""
    return function(*arguments)


@contextmanager
def sealing() -> Iterator[None]:
    """Say what is wrong with the key, where something is sealed or opened."""
    try:
        yield
    except SealingKeyUnusable as error:
        raise click.ClickException(f"ONEHALL_COOKIE_KEY cannot be used: {error}") from error
    except SealedOtherwise as error:
        message = "nothing opens: ONEHALL_COOKIE_KEY is not the one of identity, or identity has made no key yet"
        raise click.ClickException(message) from error


def seal(purpose: str) -> Seal:
    key, other = _cookie_keys()
    return Seal(key, purpose, other)


def vault() -> Vault:
    """Raise a `ClickException` for a key that is missing or cannot be used."""
    with sealing():
        return Vault(*_cookie_keys())


def notice_keys() -> NoticeKeys:
    """Of the codes that are handed over."""
    with sealing():
        return NoticeKeys(*_cookie_keys())


def keys_of(name: str) -> tuple[str, str | None] | None:
    """ONEHALL_<NAME>_KEY and ONEHALL_OTHER_<NAME>_KEY; None where the first is not set."""
    settings = operator_settings()
    key, other = getattr(settings, f"{name}_key"), getattr(settings, f"other_{name}_key")
    return (key.get_secret_value(), other.get_secret_value() if other else None) if key else None


def seal_under(keys: tuple[str, str | None], purpose: str) -> chassis.sealing.Seal:
    key, other = keys
    return chassis.sealing.Seal(key, purpose, other)


def _cookie_keys() -> tuple[str, str | None]:
    keys = keys_of("cookie")
    if keys is None:
        raise click.ClickException("ONEHALL_COOKIE_KEY is missing")
    return keys
