"""A whole platform in one state folder: `make up` starts one, and so do the tests."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from contracts import broker_accounts
from deploy.local import broker, database, health
from deploy.local.environment import (
    broker_account,
    given_settings,
    is_ours,
    load_secrets,
    make_environment,
    private_databases,
    uses_private_broker,
    write_environment,
)
from deploy.local.programs import BROKER, DATABASE, RELAYS, Program, all_programs, supervisor_configuration
from deploy.local.readiness import await_ready
from deploy.local.report import Failure, Stopwatch, Tell, silent, wait_until
from deploy.local.state import ROOT, State, ports_for
from deploy.local.supervision import Supervisor, supervisor_process


class Platform:
    """`port` is the gateway's; all others follow from it. `replicas` is how many of each service run.

    What `AMQP_URI`, `ONEHALL_<SERVICE>_DATABASE_URL` and the like in our own environment name is used in place of a
    private server.
    """

    def __init__(self, state: Path, port: int, replicas: int = 1, *, tell: Tell = silent) -> None:
        self.state = State(state.resolve())
        self.ports = ports_for(port, replicas)
        self.replicas = replicas
        self.tell = tell
        self._given = given_settings()
        self._outer = {name: value for name, value in os.environ.items() if is_ours(name)}
        self._stopwatch = Stopwatch(tell)

    @property
    def secret(self) -> dict[str, str]:
        self.state.create()
        return load_secrets(self.state)

    @property
    def environment(self) -> dict[str, str]:
        """All that is read by any process, by the command line or by the tests, by name."""
        return make_environment(self.state, self.ports, self.secret, self._given)

    @property
    def programs(self) -> list[Program]:
        """Every program of this platform, in the order in which they start."""
        values = self._outer | self.environment
        return [program.given(values | self._account(program.process)) for program in self._declared]

    @property
    def _operator(self) -> dict[str, str]:
        """What the command line reaches the broker with. The management pages stay open to whoever runs it here."""
        account = self._account("operator")
        return {name: account[name] for name in ("AMQP_URI",) if name in account}

    def _account(self, name: str) -> dict[str, str]:
        """The broker's addresses with the account of that name; a server has none."""
        return broker_account(name, self.ports, self.secret, self._given) if name in broker_accounts.NAMES else {}

    @cached_property
    def _declared(self) -> list[Program]:
        self.state.create()
        return all_programs(self.state, self.ports, self.replicas, self._given)

    @property
    def _supervisor(self) -> Supervisor:
        return Supervisor(self.state, self.secret["supervisor"])

    # The whole

    def is_running(self) -> bool:
        return supervisor_process(self.state) is not None

    def up(self) -> None:
        """Return when every process is ready. On `Failure`, what this call started is stopped again."""
        with self._starting():
            self._start_servers()
            # the broker, the slowest of all to start, is on its way meanwhile
            self._await_database()
            self.migrate()
            self._seed()
            self._await_broker()
            self._start_ours()

    def up_servers(self) -> None:
        """Only database, broker and mail sink, with empty databases: what a test of one part needs."""
        with self._starting():
            self._start_servers()
            self._await_database()
            self._await_broker()

    def migrate(self) -> None:
        with self._stopwatch.phase("databases migrated"):
            self._run("migrate", ["chassis.migrate"], "the databases cannot be migrated")

    def down(self) -> None:
        """Stop everything in reverse and leave no process behind, whatever state it is in."""
        if self.state.folder.exists():
            with self._alone():
                self._supervisor.shut_down()

    # One process with its replicas

    def pids(self, name: str) -> list[int]:
        """The process ids of all running replicas of `name`."""
        return self._supervisor.pids(program.full_name for program in self._replicas(name))

    def stop(self, name: str) -> None:
        """Stop all replicas, so that they stay stopped; return when they have ended."""
        self._supervisor.stop(program.full_name for program in self._replicas(name))

    def start(self, name: str) -> None:
        """Start what does not run of all replicas; return when they are ready."""
        self._request_start(self._replicas(name))
        await_ready(self, self._replicas(name))

    def restart(self, name: str) -> None:
        """Stop and start all replicas."""
        self.stop(name)
        self.start(name)

    def states(self) -> dict[str, dict[str, Any]]:
        """Supervisor's view, by program name."""
        return self._supervisor.states()

    def is_ready(self, program: Program) -> bool:
        if program.ready:
            return health.answers(program.port, program.ready)
        if not health.accepts(program.port):
            return False
        if program.stage == DATABASE:
            return database.answers(program.port, self.secret["database"])
        return program.stage != BROKER or broker.answers(self.environment["AMQP_URI"])

    # How

    def _seed(self) -> None:
        with self._stopwatch.phase("demo accounts there"):
            self._run("demo-seed", ["cli", "demo", "seed"], "the demo accounts cannot be made")

    @contextmanager
    def _starting(self) -> Iterator[None]:
        with self._alone():
            begun_here = not self.is_running()
            try:
                if begun_here:
                    self._launch()
                yield
            except BaseException:
                if begun_here:
                    self._supervisor.shut_down()
                raise

    def _launch(self) -> None:
        with self._stopwatch.phase("state folder and supervisor ready"):
            self._supervisor.shut_down()  # what a killed supervisor may have left
            self.state.create_socket_folder()
            health.require_free({name: self.ports[name] for name in self._listening()})
            if private_databases(self._given):
                database.create(self.state, self.secret["database"])
            if uses_private_broker(self._given):
                broker.create(self.state, self.ports, self.secret, self.environment["ONEHALL_BASE_URL"])
            write_environment(self.state, self.environment | self._operator)
            self.state.ports.write_text(json.dumps(self.ports, indent=2) + "\n")
            self._write_configuration()
            self._supervisor.launch()

    def _listening(self) -> list[str]:
        names = [program.name for program in self.programs]
        beside_the_broker = ("broker-distribution", "broker-management")
        return [*names, *beside_the_broker] if uses_private_broker(self._given) else names

    def _start_servers(self) -> None:
        self._request_start([program for program in self.programs if program.stage < RELAYS])

    def _await_database(self) -> None:
        roles = {service: self.secret[service] for service in private_databases(self._given)}
        if roles:
            with self._stopwatch.phase("database ready"):
                await_ready(self, self._replicas("database"))
                database.provide(self.ports["database"], self.secret["database"], roles)

    def _await_broker(self) -> None:
        with self._stopwatch.phase("broker and mail sink ready"):
            await_ready(self, [program for program in self.programs if program.stage < RELAYS])
            if not uses_private_broker(self._given):
                uri = self.environment["AMQP_URI"]
                advice = "the broker in AMQP_URI does not answer: start it, or unset AMQP_URI"
                wait_until(lambda: broker.answers(uri), 10, advice)

    def _start_ours(self) -> None:
        ours = [program for program in self.programs if program.stage >= RELAYS]
        with self._stopwatch.phase("relays, services and gateway ready"):
            self._request_start(ours)
            await_ready(self, ours)

    def _request_start(self, programs: list[Program]) -> None:
        self._supervisor.request_start(program.full_name for program in programs)

    def _replicas(self, name: str) -> list[Program]:
        found = [program for program in self.programs if program.process == name]
        if not found:
            raise LookupError(f"no process {name} runs here; there are {sorted(self.ports)}")
        return found

    def _run(self, name: str, module: list[str], otherwise: str) -> None:
        """Run a module that is done after a while, with its output in `<name>.log`."""
        log = self.state.log / f"{name}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                [sys.executable, "-m", *module],
                cwd=ROOT,
                env=dict(os.environ) | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise Failure(f"{otherwise}; read {log}")

    def _write_configuration(self) -> None:
        text = supervisor_configuration(self.state, self.programs, self.secret["supervisor"])
        self.state.write_private(self.state.supervisor_configuration, text)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One `up` or `down` of this folder at a time; the next one waits for its end."""
        self.state.create()
        with self.state.lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
