"""The private RabbitMQ: one node with its own name, ports, accounts, folder and port mapper (epmd)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from typing import Any

import pika
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ProbableAuthenticationError

from chassis import broker_definitions
from contracts.broker_accounts import Account, accounts
from deploy.local.environment import broker_password
from deploy.local.report import Failure
from deploy.local.state import State

# Debian's rabbitmq-server on the PATH switches to the user `rabbitmq`, who cannot reach our folder; the one in
# /usr/lib does not. Homebrew's folders are not on everybody's PATH.
FOLDERS = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/opt/homebrew/bin", "/usr/local/sbin", "/usr/sbin")

CHOICES = (
    "RabbitMQ is missing. Choose one: run as root or with sudo on Debian or Ubuntu (it is installed by apt), "
    "`brew install rabbitmq`, set AMQP_URI to a broker of yours, or use `docker compose up`."
)


def find_program(name: str) -> str:
    path = os.pathsep.join((FOLDERS[0], os.environ.get("PATH", os.defpath), *FOLDERS[1:]))
    found = shutil.which(name, path=path)
    if not found:
        raise Failure(CHOICES)
    return found


CHANNELS = "channel_max = 1024"
"""Of one connection. What sends webhooks has one for each endpoint, everybody else a few."""

PLUGINS = ("rabbitmq_auth_backend_oauth2", "rabbitmq_management")

# Departments sign in with tokens of our provider. rabbitmq.conf takes no key address but an https one, and this one is
# on this machine. The keys are fetched when a token names one that is not known yet, so the broker starts first.
ADVANCED = """[
  {{rabbit, [{{auth_backends, [rabbit_auth_backend_internal, rabbit_auth_backend_oauth2]}}]}},
  {{rabbitmq_auth_backend_oauth2, [
    {{resource_server_id, <<"rabbitmq">>}},
    {{key_config, [{{jwks_url, <<"{jwks_url}">>}}, {{strict, false}}, {{algorithms, [<<"ES256">>]}}]}}
  ]}}
].
"""


def create(state: State, ports: Mapping[str, int], secret: Mapping[str, str], base_url: str) -> None:
    """Write what the node reads at its start: cookie, plugins, settings, accounts."""
    folder = state.broker
    settings = (
        f"listeners.tcp.default = 127.0.0.1:{ports['broker']}",
        CHANNELS,
        "management.tcp.ip = 127.0.0.1",
        f"management.tcp.port = {ports['broker-management']}",
        # counts are asked for, rates are not, and keeping them costs most
        "management.rates_mode = none",
        f"load_definitions = {folder / 'definitions.json'}",
        "log.file = false",
        "log.console = true",
        "log.console.level = warning",
    )
    (folder / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
    (folder / "advanced.config").write_text(ADVANCED.format(jwks_url=f"{base_url}/oauth/jwks"))
    (folder / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
    state.write_private(folder / "definitions.json", json.dumps(definitions(secret), indent=2) + "\n")
    state.write_private(folder / ".erlang.cookie", secret["cookie"])
    (folder / ".erlang.cookie").chmod(0o400)


def definitions(secret: Mapping[str, str]) -> dict[str, Any]:
    """The processes' accounts as in production, and one that may do everything. No guest."""
    everything = Account("onehall", ".*", ".*", ".*", tags=("administrator",))
    passwords = {account.name: secret[broker_password(account.name)] for account in accounts()}
    return broker_definitions.definitions(passwords | {"onehall": secret["broker"]}, [*accounts(), everything])


def epmd_command(ports: Mapping[str, int]) -> list[str]:
    """Erlang's port mapper as a process of ours. A node that finds none starts one that outlives it."""
    return [find_program("epmd"), "-address", "127.0.0.1", "-port", str(ports["epmd"])]


def command() -> list[str]:
    return [find_program("rabbitmq-server")]


def environment(state: State, ports: Mapping[str, int]) -> dict[str, str]:
    folder = state.broker
    return {
        "HOME": str(folder),
        "RABBITMQ_LOG": "-color",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports["epmd"]),
        # this machine's own settings for its own node
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_NODENAME": "onehall@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports["broker"]),
        "RABBITMQ_DIST_PORT": str(ports["broker-distribution"]),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(state.log),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        # the start script becomes the node only when it leaves the node its input; then the process that
        # supervisor knows, stops and that tests kill is the node itself
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_START_ARGS": "-noinput",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
    }


def answers(uri: str) -> bool:
    try:
        pika.BlockingConnection(pika.URLParameters(uri)).close()
    except ProbableAuthenticationError:
        raise Failure("the broker refuses the account in AMQP_URI (var/environment); correct it") from None
    except (AMQPError, AMQPConnectorException, OSError):
        return False
    return True
