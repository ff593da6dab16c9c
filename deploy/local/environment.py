"""The environment of every process: generated secrets, addresses that follow from the ports, and what you set."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from contracts import broker_accounts
from contracts.topology import SERVICES
from deploy.local import evidence_registers, registry, sms_provider
from deploy.local.state import State

HOST = "127.0.0.1"
MANAGEMENT_PORT = 15672
"""Where RabbitMQ's management plugin listens by itself."""

SET_BY_YOU = (
    "AMQP_URI",
    "ONEHALL_BROKER_MANAGEMENT_URL",
    *(f"ONEHALL_{service.upper()}_DATABASE_URL" for service in SERVICES),
    "ONEHALL_BASE_URL",
    "ONEHALL_SMTP_HOST",
    "ONEHALL_SMTP_PORT",
    "ONEHALL_MAIL_FROM",
    "ONEHALL_SMS_URL",
    "ONEHALL_SMS_SECRET_ID",
    "ONEHALL_SMS_SECRET_KEY",
    "ONEHALL_SMS_REGION",
    "ONEHALL_SMS_APP_ID",
    "ONEHALL_SMS_SIGN_NAME",
    "ONEHALL_SMS_TEMPLATES",
    "ONEHALL_SMS_NOTICE_TEMPLATES",
    "ONEHALL_SMS_RECOVERY_TEMPLATES",
    "ONEHALL_FILES_URL",
    "ONEHALL_FILES_SECRET",
    "ONEHALL_CLAMD",
    "ONEHALL_REGISTRY_URL",
    "ONEHALL_REGISTRY_CLIENT_ID",
    "ONEHALL_REGISTRY_CLIENT_SECRET",
    "ONEHALL_EVIDENCE_SECRETS",
    "ONEHALL_WEBHOOK_CA_FILE",
    "ONEHALL_WEBHOOK_PRIVATE_ADDRESSES",
)
"""A value of these in the caller's environment wins, and its server is used in place of a private one."""


def is_ours(name: str) -> bool:
    """Whether a process of the platform may look for this name. What stands there may be a secret."""
    return name.startswith("ONEHALL_") or name in ("AMQP_URI", "AUTHLIB_INSECURE_TRANSPORT")


def load_secrets(state: State) -> dict[str, str]:
    """The generated secrets, by what they are for. Made once; what a newer checkout needs more is added."""
    known: dict[str, str] = json.loads(state.secrets.read_text()) if state.secrets.exists() else {}
    accounts = ("broker", "database", "supervisor", *SERVICES)
    at_broker = map(broker_password, broker_accounts.NAMES)
    wanted = {name: secrets.token_urlsafe(24) for name in ("rpc", "notify-client", "cookie", *accounts, *at_broker)}
    for key in ("cookie-key", "webhook-key", "cases-key"):
        wanted[key] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    missing = {name: value for name, value in wanted.items() if name not in known}
    if missing:
        state.write_private(state.secrets, json.dumps(known | missing, indent=2) + "\n")
    return known | missing


def broker_password(account: str) -> str:
    """The name of the secret."""
    return f"broker-{account}"


def uses_private_broker(given: Mapping[str, str]) -> bool:
    return "AMQP_URI" not in given


def private_databases(given: Mapping[str, str]) -> tuple[str, ...]:
    """The services whose database stands on the private server."""
    return tuple(service for service in SERVICES if f"ONEHALL_{service.upper()}_DATABASE_URL" not in given)


def uses_private_smtp(given: Mapping[str, str]) -> bool:
    return "ONEHALL_SMTP_HOST" not in given


def uses_private_sms(given: Mapping[str, str]) -> bool:
    return "ONEHALL_SMS_SECRET_ID" not in given


def uses_private_clamd(given: Mapping[str, str]) -> bool:
    return "ONEHALL_CLAMD" not in given


def uses_private_registry(given: Mapping[str, str]) -> bool:
    return "ONEHALL_REGISTRY_URL" not in given


def given_settings() -> dict[str, str]:
    return {name: os.environ[name] for name in SET_BY_YOU if os.environ.get(name)}


def make_environment(
    state: State, ports: Mapping[str, int], secret: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """All names that the processes, the command line and the tests read."""
    base_url = f"http://{HOST}:{ports['gateway']}"
    environment = {
        "ONEHALL_ENVIRONMENT": "local",
        "ONEHALL_STATE": str(state.folder),
        "ONEHALL_PORT": str(ports["gateway"]),
        "ONEHALL_BASE_URL": base_url,
        "ONEHALL_API_URL": base_url,
        "ONEHALL_HTTP_HOST": HOST,
        "ONEHALL_RPC_SECRET": secret["rpc"],
        "ONEHALL_COOKIE_KEY": secret["cookie-key"],
        "ONEHALL_NOTIFY_CLIENT_SECRET": secret["notify-client"],
        "ONEHALL_FILES_URL": state.files.as_uri(),
        "ONEHALL_CLAMD": f"{HOST}:{ports['clamd']}",
        "ONEHALL_CASES_KEY": secret["cases-key"],
        "ONEHALL_WEBHOOK_KEY": secret["webhook-key"],
        # whoever tries a webhook here has its endpoint on this machine
        "ONEHALL_WEBHOOK_PRIVATE_ADDRESSES": "127.0.0.0/8,::1/128",
        "ONEHALL_SMTP_HOST": HOST,
        "ONEHALL_SMTP_PORT": str(ports["smtp"]),
        "ONEHALL_MAIL_FROM": "no-reply@onehall.example",
        "ONEHALL_REGISTRY_URL": f"http://{HOST}:{ports['registry']}",
        "ONEHALL_REGISTRY_CLIENT_SECRET": registry.CLIENT_SECRET,
        # where the demo's registers of evidence are, for whoever makes their rows
        "ONEHALL_DEMO_REGISTERS_URL": f"http://{HOST}:{ports['registry']}",
        "ONEHALL_EVIDENCE_SECRETS": evidence_registers.SECRETS,
        # OAuth over plain HTTP is refused otherwise; only ever set here, where everything stays on this machine
        "AUTHLIB_INSECURE_TRANSPORT": "1",
    }
    if uses_private_sms(given):
        environment |= sms_provider.SETTINGS | {"ONEHALL_SMS_URL": f"http://{HOST}:{ports['sms']}"}
    environment |= _broker_addresses(ports, secret, given) | _service_addresses(ports, secret)
    return environment | dict(given)


def broker_account(
    account: str, ports: Mapping[str, int], secret: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """The broker's addresses with the account of one process. A broker of yours has one account for all."""
    return {} if "AMQP_URI" in given else _addresses(account, secret[broker_password(account)], ports)


def _broker_addresses(ports: Mapping[str, int], secret: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """With an account that may do everything, for the tests and for whoever operates a local run.

    Departments sign in with tokens of their own, but at a broker of yours, which may know nothing of our provider.
    """
    if "AMQP_URI" in given:
        uri = given["AMQP_URI"]
        return {"ONEHALL_SUBSCRIBER_AMQP_URI": uri, "ONEHALL_BROKER_MANAGEMENT_URL": _management_url(uri)}
    addresses = _addresses("onehall", secret["broker"], ports)
    return addresses | {"ONEHALL_SUBSCRIBER_AMQP_URI": f"amqp://{HOST}:{ports['broker']}/%2F"}


def _addresses(user: str, password: str, ports: Mapping[str, int]) -> dict[str, str]:
    at = f"{user}:{password}@{HOST}"
    return {
        "AMQP_URI": f"amqp://{at}:{ports['broker']}/%2F",
        "ONEHALL_BROKER_MANAGEMENT_URL": f"http://{at}:{ports['broker-management']}",
    }


def _management_url(uri: str) -> str:
    """On the same host, with the same account, at the port that the plugin has by itself.

    Where it is elsewhere, `ONEHALL_BROKER_MANAGEMENT_URL` says so.
    """
    account, _, address = urlsplit(uri).netloc.rpartition("@")
    host = address[: address.index("]") + 1] if address.startswith("[") else address.partition(":")[0]
    return f"http://{account or 'guest:guest'}@{host}:{MANAGEMENT_PORT}"


def _service_addresses(ports: Mapping[str, int], secret: Mapping[str, str]) -> dict[str, str]:
    addresses = {}
    for service in SERVICES:
        prefix = f"ONEHALL_{service.upper()}"
        addresses[f"{prefix}_URL"] = f"http://{HOST}:{ports[service]}"
        database = f"{HOST}:{ports['database']}/{service}"
        addresses[f"{prefix}_DATABASE_URL"] = f"postgresql://{service}:{secret[service]}@{database}"
    return addresses


def write_environment(state: State, environment: Mapping[str, str]) -> None:
    state.write_private(state.environment, "".join(f"{name}={value}\n" for name, value in environment.items()))
