"""Supervisor itself: start it, ask it, end it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil  # type: ignore[import-untyped]
from supervisor.states import STOPPED_STATES
from supervisor.xmlrpc import Faults, SupervisorTransport

from contracts.topology import processes
from deploy.local import leftovers
from deploy.local.environment import is_ours
from deploy.local.programs import GATEWAY, RELAYS, SERVICES, stage_of
from deploy.local.report import Failure, wait_until
from deploy.local.state import ROOT, State

LONGEST_STOP = 120
"""Seconds."""

REFUSALS = {
    Faults.SHUTDOWN_STATE: "the platform is being stopped",
    Faults.BAD_NAME: "the platform was started with other processes than are asked for; `make down` stops it",
}


class Supervisor:
    """The supervisor of one state folder. Programs are named `<process>:<program>`, as in `cases:cases-2`."""

    def __init__(self, state: State, password: str) -> None:
        self._state = state
        self._password = password

    def launch(self) -> None:
        """Return when supervisor runs in the background and listens."""
        # every child inherits this, and PostgreSQL runs as a user that others are too: what each process of ours
        # may know is in its own part of the configuration
        environment = {name: value for name, value in os.environ.items() if not is_ours(name)}
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._state.supervisor_configuration)]
        started = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if started.returncode:
            raise Failure(f"supervisor does not start: {(started.stderr or started.stdout).strip().splitlines()[0]}")
        log = self._state.log / "supervisord.log"
        wait_until(self._state.supervisor_socket.exists, 10, f"supervisor does not listen; read {log}")

    def states(self) -> dict[str, dict[str, Any]]:
        """Supervisor's own view, by program name."""
        with self._ask() as supervisor:
            return {info["name"]: info for info in supervisor.getAllProcessInfo()}

    def pids(self, names: Iterable[str]) -> list[int]:
        with self._ask() as supervisor:
            pids = [supervisor.getProcessInfo(name)["pid"] for name in names]
        return [pid for pid in pids if pid]

    def request_start(self, names: Iterable[str]) -> None:
        """Start what does not run, without waiting for it."""
        with self._ask() as supervisor:
            for name in names:
                with _agreeing(Faults.ALREADY_STARTED):
                    supervisor.startProcess(name, False)

    def stop(self, names: Iterable[str]) -> None:
        """Signal all at once, then wait for all."""
        names = list(names)
        with self._ask() as supervisor:
            for name in names:
                with _agreeing(Faults.NOT_RUNNING):
                    supervisor.stopProcess(name, False)

            def all_ended() -> bool:
                return all(supervisor.getProcessInfo(name)["state"] in STOPPED_STATES for name in names)

            wait_until(all_ended, LONGEST_STOP, f"{', '.join(names)}: not all end")

    def shut_down(self) -> None:
        """End all that runs, in reverse order, then supervisor; then whatever outlived an earlier supervisor."""
        process = supervisor_process(self._state)
        if process:
            with suppress(Failure):  # one that does not answer is ended all the same
                self._stop_ours()
            self._end(process)
        leftovers.end(self._state)
        self._state.supervisor_pid.unlink(missing_ok=True)
        shutil.rmtree(self._state.socket_folder, ignore_errors=True)

    def _stop_ours(self) -> None:
        """The gateway first: nothing new comes in. Then the services, then the relays, which carry the last events.

        Supervisor by itself does it one after the other, and would take four times as long.
        """
        stages = {process.name: stage_of(process) for process in processes()}
        running = self.states().values()
        for stage in (GATEWAY, SERVICES, RELAYS):
            self.stop(f"{info['group']}:{info['name']}" for info in running if stages.get(info["group"]) == stage)

    def _end(self, process: psutil.Process) -> None:
        process.terminate()

        def is_gone() -> bool:
            # supervisor looks after its children once a second, or whenever it is spoken to
            with suppress(Failure):
                self.states()
            return supervisor_process(self._state) is None

        try:
            wait_until(is_gone, LONGEST_STOP, "supervisor does not end")
        except Failure:
            process.kill()

    @contextmanager
    def _ask(self) -> Iterator[Any]:
        """Supervisor's XML-RPC interface (http://supervisord.org/api.html)."""
        transport = SupervisorTransport("onehall", self._password, f"unix://{self._state.supervisor_socket}")
        try:
            yield ServerProxy("http://127.0.0.1", transport=transport).supervisor
        except OSError:
            raise Failure("the platform does not run; `make up` starts it") from None
        except Fault as fault:
            if fault.faultCode not in REFUSALS:
                raise
            raise Failure(REFUSALS[fault.faultCode]) from None
        finally:
            transport.close()


@contextmanager
def _agreeing(code: int) -> Iterator[None]:
    """The fault `code` says that it is already so, which is as good."""
    try:
        yield
    except Fault as fault:
        if fault.faultCode != code:
            raise


def supervisor_process(state: State) -> psutil.Process | None:
    """The running supervisor of this state folder. A pid file may be old and its number somebody else's by now."""
    try:
        process = psutil.Process(int(state.supervisor_pid.read_text()))
        ours = str(state.supervisor_configuration) in process.cmdline()
        return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, psutil.Error):
        return None
