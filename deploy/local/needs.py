"""Which part of the environment each process of ours gets: its own settings and its own database, nothing else."""

from __future__ import annotations

from chassis.relay.settings import RelaySettings
from chassis.settings import ProcessSettings
from chassis.webhooks.settings import WebhookSettings
from contracts.topology import Process
from gateway.settings import GatewaySettings
from services.cases.registries.settings import RegistrySettings
from services.cases.settings import CasesSettings
from services.identity.notices.settings import NoticeSettings
from services.identity.settings import IdentitySettings
from services.notify.settings import NotifySettings
from services.rating.settings import RatingSettings

SETTINGS: dict[str, type[ProcessSettings]] = {
    "chassis.relay": RelaySettings,
    "chassis.webhooks": WebhookSettings,
    "services.cases": CasesSettings,
    "services.cases.registries": RegistrySettings,
    "services.identity": IdentitySettings,
    "services.identity.notices": NoticeSettings,
    "services.notify": NotifySettings,
    "services.rating": RatingSettings,
    "gateway": GatewaySettings,
}
"""By module."""

OAUTH = {"identity", "gateway"}
"""Provider and client. Authlib itself reads whether they may speak over plain HTTP."""


def needs(process: Process) -> frozenset[str]:
    """The names that it reads. A list of them would be forgotten, so they come from the settings it loads."""
    names = _names(settings_of(process))
    if process.name in OAUTH:
        names.add("AUTHLIB_INSECURE_TRANSPORT")
    database = _database(process)
    return frozenset(names | {f"ONEHALL_{database.upper()}_DATABASE_URL"} if database else names)


def settings_of(process: Process) -> type[ProcessSettings]:
    return SETTINGS[process.module]


def _names(settings: type[ProcessSettings]) -> set[str]:
    prefix = settings.model_config["env_prefix"]
    return {str(field.validation_alias or prefix + name).upper() for name, field in settings.model_fields.items()}


def _database(process: Process) -> str | None:
    """Whose it works on: a service and its parts on their own, a relay and what sends webhooks on their source's."""
    if process.module.startswith("chassis."):
        return process.arguments[-1]
    return process.module.split(".")[1] if process.module.startswith("services.") else None
