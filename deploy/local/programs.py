"""The processes that supervisor runs, made from the topology, and supervisor's configuration made from them."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from contracts import topology
from contracts.topology import Process, processes
from deploy.local import broker, database
from deploy.local.environment import (
    private_databases,
    uses_private_broker,
    uses_private_clamd,
    uses_private_registry,
    uses_private_sms,
    uses_private_smtp,
)
from deploy.local.needs import needs
from deploy.local.report import Failure
from deploy.local.state import ROOT, State, replica_name

DATABASE, EPMD, BROKER, SMTP, RELAYS, SERVICES, GATEWAY = range(10, 80, 10)
"""The stages, which are supervisor's priorities too."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process. `process` is its name in the topology, the same for every replica.

    Supervisor starts by rising `stage` and stops by falling. `ready` is the path that answers 200 when it can work.
    `seconds_to_stop` is what it gets before SIGKILL. `needs` names what it gets of the platform's environment, where
    every secret is: a server gets none of it.
    """

    name: str
    process: str
    command: tuple[str, ...]
    stage: int
    port: int
    ready: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    stop_signal: str = "TERM"
    seconds_to_stop: int = 15

    @property
    def full_name(self) -> str:
        """As supervisor's interface knows it."""
        return f"{self.process}:{self.name}"

    def given(self, values: Mapping[str, str]) -> Program:
        """The same with what it needs of the platform's environment."""
        needed = {name: values[name] for name in sorted(self.needs) if name in values}
        return replace(self, environment=needed | dict(self.environment))


def all_programs(state: State, ports: Mapping[str, int], replicas: int, given: Mapping[str, str]) -> list[Program]:
    ours = [
        _program(process, replica, ports)
        for process in processes()
        for replica in range(replicas if stage_of(process) == SERVICES else 1)
    ]
    return [*_servers(state, ports, given), *ours]


def stage_of(process: Process) -> int:
    """A service, the gateway, or one that works off what services have left in their databases."""
    if process.name in topology.SERVICES:
        return SERVICES
    return GATEWAY if process.module == "gateway" else RELAYS


def _program(process: Process, replica: int, ports: Mapping[str, int]) -> Program:
    name = replica_name(process.name, replica)
    return Program(
        name=name,
        process=process.name,
        command=(sys.executable, "-m", *process.arguments),
        stage=stage_of(process),
        port=ports[name],
        # a relay that waits for its turn (another one leads) is healthy and will never be ready
        ready="/healthz" if stage_of(process) == RELAYS else "/readyz",
        environment={"ONEHALL_HTTP_PORT": str(ports[name])},
        needs=needs(process),
    )


def _servers(state: State, ports: Mapping[str, int], given: Mapping[str, str]) -> Iterable[Program]:
    def server(name: str, stage: int, command: list[str], **more: object) -> Program:
        return Program(name, name, tuple(command), stage, ports[name], **more)  # type: ignore[arg-type]

    if private_databases(given):
        # SIGINT is PostgreSQL's fast shutdown; on SIGTERM it would wait for every client to leave
        yield server(
            "database", DATABASE, database.command(state, ports["database"]), stop_signal="INT", seconds_to_stop=30
        )
    if uses_private_broker(given):
        environment = broker.environment(state, ports)
        yield server("epmd", EPMD, broker.epmd_command(ports), environment=environment)
        yield server("broker", BROKER, broker.command(), environment=environment)
    if uses_private_smtp(given):
        arguments = ["127.0.0.1", str(ports["smtp"]), str(state.mail)]
        yield server("smtp", SMTP, [sys.executable, "-m", "deploy.local.mail_sink", *arguments])
    if uses_private_sms(given):
        arguments = ["127.0.0.1", str(ports["sms"]), str(state.sms)]
        yield server("sms", SMTP, [sys.executable, "-m", "deploy.local.sms_provider", *arguments])
    if uses_private_clamd(given):
        command = [sys.executable, "-m", "deploy.local.virus_scanner", "127.0.0.1", str(ports["clamd"])]
        yield server("clamd", SMTP, command)
    if uses_private_registry(given):
        command = [sys.executable, "-m", "deploy.local.registry", "127.0.0.1", str(ports["registry"])]
        yield server("registry", SMTP, command)


def supervisor_configuration(state: State, programs: Iterable[Program], password: str) -> str:
    """Nothing but the private servers starts by itself: the others need their databases migrated first."""
    programs = list(programs)
    sections = [_supervisor_sections(state, password)]
    sections += [_program_section(state, program) for program in programs]
    for process in dict.fromkeys(program.process for program in programs):
        replicas = [program for program in programs if program.process == process]
        names = ",".join(program.name for program in replicas)
        sections.append(f"[group:{process}]\nprograms={names}\npriority={replicas[0].stage}\n")
    return "\n".join(sections)


def _supervisor_sections(state: State, password: str) -> str:
    socket = f"file={state.supervisor_socket}\nchmod=0700\nusername=onehall\npassword={password}\n"
    log = f"logfile={_escaped(state.log / 'supervisord.log')}\nlogfile_maxbytes=10MB\nlogfile_backups=2\n"
    files = f"pidfile={_escaped(state.supervisor_pid)}\nchildlogdir={_escaped(state.log)}\nminfds=4096\n"
    if os.getuid() == 0:
        files += "user=root\n"  # said outright, or supervisor takes it for an oversight
    interface = "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory="
    interface += "supervisor.rpcinterface:make_main_rpcinterface\n"
    return f"[unix_http_server]\n{socket}\n[supervisord]\n{log}{files}directory={_escaped(ROOT)}\n\n{interface}"


def _program_section(state: State, program: Program) -> str:
    settings = {
        "command": _escaped(shlex.join(program.command)),
        "directory": _escaped(ROOT),
        "environment": ",".join(_assignment(name, value) for name, value in program.environment.items()),
        "priority": program.stage,
        "autostart": str(program.stage < RELAYS).lower(),
        "autorestart": "true",
        # a broker or database that is away for minutes must not make anybody give up: supervisor waits one
        # second longer each time, so this many are days
        "startretries": 1000,
        # one that ends sooner is started again after a pause; loading alone takes one or two
        "startsecs": 3,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.seconds_to_stop,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _escaped(state.log / f"{program.name}.log"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 2,
    }
    return f"[program:{program.name}]\n" + "".join(f"{name}={value}\n" for name, value in settings.items())


def _assignment(name: str, value: str) -> str:
    # Supervisor drops quotation marks at a value's ends and knows no escape for one inside; its configuration ends at
    # ` #` and ` ;`. A value that came out shorter would be looked for in the wrong place.
    if re.search(r"""["\r\n]|\s[#;]|^'|'$""", value):
        raise Failure(f"{name} holds a quotation mark, a line's end, ` #` or ` ;`, which supervisor cannot pass on")
    return f'{name}="{_escaped(value)}"'


def _escaped(value: object) -> str:
    """Supervisor expands `%(name)s` in its values."""
    return str(value).replace("%", "%%")
