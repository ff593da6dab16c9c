"""Topology, supervisor, Compose, Kubernetes and Prometheus tell of the same processes, and give each what it needs."""

from __future__ import annotations

import base64
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from configparser import RawConfigParser
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from supervisor.options import ServerOptions

from chassis.broker_definitions import password_name
from chassis.settings import ManagingSettings, ProcessSettings, Settings, load
from chassis.webhooks.settings import WebhookSettings
from contracts.broker_accounts import accounts
from contracts.topology import SERVICES, Process, processes, publishers
from deploy.check import __main__ as deployment
from deploy.check import compose, kubernetes, prometheus
from deploy.check.kustomize import Document, containers, pod_template, render
from deploy.local import broker
from deploy.local.environment import is_ours, load_secrets
from deploy.local.platform import Platform
from deploy.local.programs import Program, all_programs, supervisor_configuration
from deploy.local.report import Failure
from deploy.local.state import State, ports_for

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = {process.name: list(process.arguments) for process in processes()}
METRICS_PORT = "8001"
PLACES = ("supervisor", "compose", "kubernetes")

NOT_OURS_IN_COMPOSE = {
    "rabbitmq",
    "postgres",
    "prometheus",
    "migrate",
    "broker-accounts",
    "onehall",
    "mail-sink",
    "clamav",
}

WITHOUT_BROKER = {"logout-identity", "registries-cases"}
"""Those that do not speak to it, and have no account there."""

OF_THE_BROKER = ("AMQP_URI", "ONEHALL_BROKER_MANAGEMENT_URL")

FILLED_IN = "filled-in-by-an-operator"

GIVEN_FROM_OUTSIDE = {
    "ONEHALL_REGISTRY_URL": "https://register.example",
    "ONEHALL_BASE_URL": "https://hall.example",
    "ONEHALL_COOKIE_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),
    "ONEHALL_CASES_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),
    "ONEHALL_WEBHOOK_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),
    "ONEHALL_WEBHOOK_PRIVATE_ADDRESSES": "10.20.0.0/16",
    "ONEHALL_TRUSTED_PROXIES": "10.30.0.0/16",
    "ONEHALL_FILES_URL": "s3://files/onehall",
    "ONEHALL_FILES_SECRET": "{}",
    "ONEHALL_EVIDENCE_SECRETS": "hospital=secret",
    "ONEHALL_SMTP_PORT": "587",
    "ONEHALL_SMTP_STARTTLS": "true",
    "ONEHALL_MAIL_FROM": "noreply@hall.example",
    "AUTHLIB_INSECURE_TRANSPORT": "",
}
"""What an operator fills in, where `FILLED_IN` would not do."""


def database_name(service: str) -> str:
    return f"ONEHALL_{service.upper()}_DATABASE_URL"


OTHER_SERVERS = ("AMQP_URI", "ONEHALL_SMTP_HOST", "ONEHALL_SMS_SECRET_ID", "ONEHALL_REGISTRY_URL", "ONEHALL_CLAMD")
ELSEWHERE = dict.fromkeys((*OTHER_SERVERS, *map(database_name, SERVICES)), "elsewhere")
"""No private server."""


@cache
def base() -> list[Document]:
    return render(kubernetes.base_of(ROOT))


def deployments() -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in base() if document["kind"] == "Deployment"}


def compose_processes() -> dict[str, dict[str, Any]]:
    services = compose.read(ROOT)["services"]
    return {name: service for name, service in services.items() if name not in NOT_OURS_IN_COMPOSE}


def test_supervisor_runs_the_topology(tmp_path: Path) -> None:
    state = State(tmp_path)
    programs = all_programs(state, ports_for(8000, 1), 1, ELSEWHERE)
    configuration = RawConfigParser()
    configuration.read_string(supervisor_configuration(state, programs, "password"))

    commands = {
        section.removeprefix("program:"): configuration[section]["command"].split()[2:]
        for section in configuration.sections()
        if section.startswith("program:")
    }
    assert commands == COMMANDS


def test_compose_runs_the_topology() -> None:
    assert {name: service["command"] for name, service in compose_processes().items()} == COMMANDS


def test_kubernetes_runs_the_topology() -> None:
    assert {name: containers(document)[0]["args"] for name, document in deployments().items()} == COMMANDS
    assert all(document["spec"]["replicas"] == 2 for document in deployments().values())


def test_kubernetes_evicts_one_replica_of_a_process_at_a_time() -> None:
    budgets = {document["metadata"]["name"] for document in base() if document["kind"] == "PodDisruptionBudget"}
    assert budgets == set(COMMANDS)


def test_prometheus_scrapes_the_topology() -> None:
    assert sorted(prometheus.targets(ROOT, "onehall")) == sorted(f"{name}:{METRICS_PORT}" for name in COMMANDS)
    assert all(environment["ONEHALL_HTTP_PORT"] == METRICS_PORT for environment in map(compose_environment, COMMANDS))
    for document in deployments().values():
        assert int(METRICS_PORT) in [port["containerPort"] for port in containers(document)[0]["ports"]]


def test_every_service_has_its_database_and_is_migrated() -> None:
    script = (ROOT / "deploy" / "compose" / "create-databases.sh").read_text()
    assert f"for service in {' '.join(SERVICES)};" in script
    names = {database_name(service) for service in SERVICES}
    job = next(document for document in base() if document["kind"] == "Job")
    assert names <= pod_environment(job).keys()
    assert names <= compose.read(ROOT)["services"]["migrate"]["environment"].keys()


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
@pytest.mark.parametrize("place", PLACES)
def test_settings_find_all_they_need(process: Process, place: str) -> None:
    environment = environment_of(process, place)
    with mock.patch.dict(os.environ, environment, clear=True):
        settings = load(settings_class(process))

    assert settings.is_production == (place != "supervisor")
    assert settings.http_host == ("0.0.0.0" if settings.is_production else "127.0.0.1")  # noqa: S104 in a container
    assert not environment.get("AUTHLIB_INSECURE_TRANSPORT") or not settings.is_production


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
@pytest.mark.parametrize("place", PLACES)
def test_a_process_gets_its_own_database_only(process: Process, place: str) -> None:
    package, *part = process.module.split(".")
    own = {"chassis": process.arguments[-1], "services": part[0] if part else None}.get(package)

    given = {name for name in environment_of(process, place) if name.endswith("_DATABASE_URL")}
    assert given == ({database_name(own)} if own else set())


@pytest.mark.parametrize("place", PLACES)
def test_the_secret_of_rpc_is_known_to_those_who_call_and_answer_only(place: str) -> None:
    known = {process.name for process in processes() if "ONEHALL_RPC_SECRET" in environment_of(process, place)}
    assert known == {"gateway", *SERVICES}


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
@pytest.mark.parametrize("place", ["supervisor", "compose"])
def test_a_process_has_its_own_account_at_the_broker(process: Process, place: str) -> None:
    environment = environment_of(process, place)
    urls = [environment[name] for name in OF_THE_BROKER if name in environment]
    assert {urlsplit(url).username for url in urls} == {process.name} - WITHOUT_BROKER


@pytest.mark.parametrize(
    ("uri", "management"),
    [
        ("amqp://me:s3c%2Fret@broker.example:5672/v", "http://me:s3c%2Fret@broker.example:15672"),
        ("amqps://me:secret@[::1]", "http://me:secret@[::1]:15672"),
        ("amqp://broker.example", "http://guest:guest@broker.example:15672"),
    ],
)
def test_a_broker_of_yours_has_one_account_for_all(uri: str, management: str, tmp_path: Path) -> None:
    with mock.patch.dict(os.environ, {"AMQP_URI": uri}), mock.patch.object(broker, "find_program", str):
        programs = Platform(tmp_path, 8000).programs
    given = {name: {program.environment.get(name) for program in programs} - {None} for name in OF_THE_BROKER}
    assert given == {"AMQP_URI": {uri}, "ONEHALL_BROKER_MANAGEMENT_URL": {management}}


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
def test_kubernetes_gives_a_process_its_own_accounts_secret(process: Process) -> None:
    variables = containers(deployments()[process.name])[0]["env"]
    secrets = {variable["name"]: variable["valueFrom"]["secretKeyRef"] for variable in variables}
    own = {"AMQP_URI": "uri", "ONEHALL_BROKER_MANAGEMENT_URL": "management"}
    for name in secrets.keys() & own.keys():
        assert secrets[name] == {"name": f"onehall-broker-{process.name}", "key": own[name]}
    assert ("AMQP_URI" in secrets) == (process.name not in WITHOUT_BROKER)


def test_compose_makes_every_account_with_the_password_that_its_process_has() -> None:
    content = compose.read(ROOT)["services"]
    given = content["broker-accounts"]["environment"]
    assert {password_name(account.name) for account in accounts()} == given.keys() - {"ONEHALL_BROKER_MANAGEMENT_URL"}
    for account in accounts():
        uri = content["onehall" if account.name == "operator" else account.name]["environment"]["AMQP_URI"]
        assert uri.startswith(f"amqp://{account.name}:{given[password_name(account.name)]}@")


def test_composes_broker_checks_tokens_as_the_local_one_does() -> None:
    folder = ROOT / "deploy" / "compose" / "rabbitmq"
    local = broker.ADVANCED.format(jwks_url="http://gateway:8000/oauth/jwks")
    assert (folder / "advanced.config").read_text().endswith(local)
    assert broker.CHANNELS in (folder / "onehall.conf").read_text().splitlines()
    assert f"    {broker.CHANNELS}\n" in (ROOT / "docs" / "operations.md").read_text()
    assert (folder / "enabled_plugins").read_text() == f"[{','.join(broker.PLUGINS)}].\n"


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
def test_supervisor_gives_no_more_than_compose(process: Process) -> None:
    ours = {name for name in environment_of(process, "supervisor") if is_ours(name)}
    assert ours <= compose_environment(process.name).keys()


def test_supervisor_gives_a_server_nothing_of_ours(tmp_path: Path) -> None:
    given = read_by_supervisor(State(tmp_path), local_programs(tmp_path))
    secrets = load_secrets(State(tmp_path)).values()
    servers = given.keys() - COMMANDS.keys()

    assert servers == {"database", "epmd", "broker", "smtp", "sms", "registry", "clamd"}
    assert not [name for server in servers for name in given[server] if is_ours(name)]
    assert not [value for server in servers for value in given[server].values() if value in secrets]


@pytest.mark.parametrize("value", ["100%", "%(here)s", "City Hall <a@hall.example>", "it's", "#1;2", "a,b=c", "", "\\"])
def test_supervisor_passes_a_value_on_as_it_is(value: str, tmp_path: Path) -> None:
    assert read_by_supervisor(State(tmp_path), [a_program(value)])["one"]["ONEHALL_MAIL_FROM"] == value


@pytest.mark.parametrize("value", ['"City Hall" <a@hall.example>', "'quoted'", "one\ntwo", "hall #1", "hall ;1"])
def test_a_value_that_supervisor_would_cut_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="ONEHALL_MAIL_FROM"):
        read_by_supervisor(State(tmp_path), [a_program(value)])


def test_a_publisher_has_a_relay_everywhere() -> None:
    assert {f"relay-{source}" for source in publishers()} == {name for name in COMMANDS if name.startswith("relay-")}


def test_check_passes(capsys: pytest.CaptureFixture[str]) -> None:
    status = deployment.main([])
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "right", "wrong", "fault"),
    [
        ("docker-compose.yml", "postgres: { condition", "postgrez: { condition", "depends on postgrez"),
        ("docker-compose.yml", "mem_limit: 1g", "memory_limit: 1g", "memory_limit"),
        ("docker-compose.yml", "RPC_SECRET:?set it in .env", "RPC_SECRET:-secret", "ONEHALL_RPC_SECRET has a default"),
        (".env.example", "POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=postgres", "gives POSTGRES_PASSWORD a value"),
        (".env.example", "ONEHALL_COOKIE_KEY=", "ONEHALL_COOKIES=", "ONEHALL_COOKIE_KEY is read but not in"),
        ("deploy/k8s/secrets.yaml", "onehall-rpc:", "onehall-rpcs:", "refers to onehall-rpc/secret"),
        ("deploy/k8s/base/onehall.env", "http://cases:8001", "http://case:8001", "which no Service answers"),
        ("deploy/k8s/base/cases.yaml", "targetPort: http", "targetPort: web", "targets port web"),
        ("deploy/k8s/base/cases.yaml", "      port: 8001", "      prot: 8001", "prot"),
        ("deploy/k8s/base/process.yaml", "readOnlyRootFilesystem: true", "", "is not hardened"),
        ("deploy/k8s/base/process.yaml", "port: http", "port: https", "asks port https"),
        ("deploy/k8s/base/process.yaml", "      name: onehall\n", "      name: one-hall\n", "ConfigMap one-hall"),
        ("deploy/k8s/base/network.yaml", "name: notify", "name: notifier", "selects no pod"),
        ("deploy/k8s/base/kustomization.yaml", "  - rating.yaml\n", "", "does not name rating.yaml"),
        ("deploy/k8s/base/kustomization.yaml", "  - rating.yaml\n", "  - ratings.yaml\n", "ratings.yaml: no such file"),
        ("deploy/prometheus/alerts.yml", "onehall_inbox_parked", "onehall_inbox_parkt", "no code gives the metric"),
        ("deploy/prometheus/alerts.yml", 'outcome="dead"', 'result="dead"', "has no label result"),
        ("deploy/prometheus/alerts.yml", "for: 10m", "for: ten minutes", "ten minutes"),
        ("docs/operations.md", "### DeadLetters", "### Letters", "docs/operations.md#deadletters is not a heading"),
    ],
)
def test_check_finds(file: str, right: str, wrong: str, fault: str, copy: Path) -> None:
    break_file(copy / file, right, wrong)
    subjects = {".env.example": "docker-compose.yml", "docs/operations.md": "deploy/prometheus"}
    faults_of = next(check for name, check in deployment.CHECKS.items() if subjects.get(file, file).startswith(name))

    assert fault in "\n".join(faults_of(copy))


def test_check_fails_when_it_finds_a_fault(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    break_file(copy / "deploy/k8s/base/network.yaml", "name: notify", "name: notifier")

    assert deployment.main([str(copy)]) == 1
    assert "NetworkPolicy door: has a peer that selects no pod" in capsys.readouterr().out


def break_file(file: Path, right: str, wrong: str) -> None:
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What `deploy.check` reads, to break."""
    for file in ("docker-compose.yml", ".env.example", "docs/operations.md"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for folder in ("deploy/compose", "deploy/k8s", "deploy/prometheus", *prometheus.CODE):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("node_modules", "static"))
    return tmp_path


def test_the_wheel_holds_every_file_of_its_packages(tmp_path: Path) -> None:
    packages = ("contracts", "chassis", "services", "gateway", "departments", "cli")
    listed = subprocess.run(["git", "ls-files", *packages], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    for name in (*files, "pyproject.toml", "requirements.in", "README.md", "LICENSE"):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "."]
    subprocess.run(command, cwd=tmp_path / "source", capture_output=True, check=True)

    (wheel,) = (tmp_path / "source").glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    # what the styles are compiled from is needed at build time only
    assert {name for name in files if not name.startswith("gateway/styles/")} - packed == set()


def test_the_image_is_built_from_every_package_and_locked_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{package}" for package in packages} <= set(let_in)

    dockerfile, lock = (ROOT / "Dockerfile").read_text(), (ROOT / "requirements-dev.lock").read_text()
    tools = re.search(r"\^\\\((.+)\\\)==", dockerfile)
    assert tools
    assert all(f"\n{tool}==" in lock for tool in tools[1].split("\\|"))


def test_the_image_runs_as_the_user_that_kubernetes_names() -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user
    for document in base():
        if pod := pod_template(document):
            context = pod["spec"]["securityContext"]
            assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(user[2]))


def settings_class(process: Process) -> type[ProcessSettings]:
    name = f"{process.module}.settings"
    if process.module == "chassis.relay":
        return ManagingSettings
    if process.module == "chassis.webhooks":
        return WebhookSettings
    if find_spec(name) is None:
        return Settings
    found = [
        value
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and issubclass(value, ProcessSettings) and value.__module__ == name
    ]
    assert len(found) == 1, f"{name} has not one class of settings"
    return found[0]


def environment_of(process: Process, place: str) -> dict[str, str]:
    if place == "supervisor":
        return supervisor_environments()[process.name]
    return compose_environment(process.name) if place == "compose" else kubernetes_environment(process.name)


@cache
def supervisor_environments() -> dict[str, dict[str, str]]:
    with TemporaryDirectory() as folder:
        return read_by_supervisor(State(Path(folder)), local_programs(Path(folder)))


def local_programs(folder: Path) -> list[Program]:
    """As on a machine where nobody has set anything, and without a look for what is installed."""
    environment = {name: value for name, value in os.environ.items() if not is_ours(name)}
    with mock.patch.dict(os.environ, environment, clear=True), mock.patch.object(broker, "find_program", str):
        return Platform(folder, 8000).programs


def a_program(mail_from: str) -> Program:
    return Program("one", "one", ("true",), 0, 0, environment={"ONEHALL_MAIL_FROM": mail_from})


def read_by_supervisor(state: State, programs: list[Program]) -> dict[str, dict[str, str]]:
    """Program -> the environment that supervisor's own reader makes of our configuration."""
    state.create()
    state.supervisor_configuration.write_text(supervisor_configuration(state, programs, "password"))
    options = ServerOptions()
    options.realize(["-c", str(state.supervisor_configuration)])
    return {
        program.name: program.environment
        for group in options.process_group_configs
        for program in group.process_configs
    }


def compose_environment(name: str) -> dict[str, str]:
    environment = compose.read(ROOT)["services"][name]["environment"]
    return {variable: _interpolated(value) for variable, value in environment.items()}


def _interpolated(value: str) -> str:
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda match: GIVEN_FROM_OUTSIDE.get(match[1], FILLED_IN), value)


def kubernetes_environment(name: str) -> dict[str, str]:
    return pod_environment(deployments()[name])


def pod_environment(document: Document) -> dict[str, str]:
    maps = {document["metadata"]["name"]: document["data"] for document in base() if document["kind"] == "ConfigMap"}
    environment: dict[str, str] = {}
    for container in containers(document):
        for source in container["envFrom"]:
            environment |= maps[source["configMapRef"]["name"]]
        for variable in container["env"]:
            secret = GIVEN_FROM_OUTSIDE.get(variable["name"], FILLED_IN)
            environment[variable["name"]] = variable.get("value", secret)
    return environment
