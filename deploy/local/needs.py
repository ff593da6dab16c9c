"""Which part of the environment each process of ours gets: its own settings and its own database, nothing else."""

from __future__ import annotations

from chassis.settings import ManagingSettings, Settings
from contracts.topology import Process
from gateway.settings import GatewaySettings
from services.identity.settings import IdentitySettings
from services.notify.settings import NotifySettings

SETTINGS: dict[str, type[Settings]] = {
    "identity": IdentitySettings,
    "notify": NotifySettings,
    "gateway": GatewaySettings,
}
"""The others read `chassis.settings.Settings`; a relay besides where the broker's management is."""

OAUTH = {"identity", "gateway"}
"""Provider and client. Authlib itself reads whether they may speak over plain HTTP."""


def needs(process: Process) -> frozenset[str]:
    """The names that it reads. A list of them would be forgotten, so they come from the settings it loads."""
    names = _names(settings_of(process))
    if process.name in OAUTH:
        names.add("AUTHLIB_INSECURE_TRANSPORT")
    database = _database(process)
    return frozenset(names | {f"ONEHALL_{database.upper()}_DATABASE_URL"} if database else names)


def settings_of(process: Process) -> type[Settings]:
    return ManagingSettings if process.module == "chassis.relay" else SETTINGS.get(process.name, Settings)


def _names(settings: type[Settings]) -> set[str]:
    prefix = settings.model_config["env_prefix"]
    return {str(field.validation_alias or prefix + name).upper() for name, field in settings.model_fields.items()}


def _database(process: Process) -> str | None:
    """Whose database it works on: a service on its own, a relay on its source's."""
    if process.module == "chassis.relay":
        return process.arguments[-1]
    return process.name if process.module.startswith("services.") else None
