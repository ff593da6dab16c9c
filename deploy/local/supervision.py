"""Supervisor itself: start it, ask it, end it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil  # type: ignore[import-untyped]
from supervisor.states import RUNNING_STATES, STOPPED_STATES
from supervisor.xmlrpc import SupervisorTransport

from deploy.local import leftovers
from deploy.local.programs import GATEWAY, RELAYS, SERVICES, Program
from deploy.local.report import Failure, wait_until
from deploy.local.state import ROOT, State

LONGEST_STOP = 120


@contextmanager
def control(state: State, password: str) -> Iterator[Any]:
    """Supervisor's XML-RPC interface. `OSError` when no supervisor listens, `Fault` when it says no."""
    transport = SupervisorTransport("onehall", password, f"unix://{state.supervisor_socket}")
    try:
        yield ServerProxy("http://127.0.0.1", transport=transport).supervisor
    finally:
        transport.close()


def supervisor_process(state: State) -> psutil.Process | None:
    """The running supervisor of this state folder. A pid file may be old and its number somebody else's by now."""
    try:
        process = psutil.Process(int(state.supervisor_pid.read_text()))
        ours = str(state.supervisor_configuration) in process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if ours and process.status() != psutil.STATUS_ZOMBIE else None


def start(state: State, environment: dict[str, str]) -> None:
    """Return when supervisor runs in the background and listens."""
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(state.supervisor_configuration)]
    started = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if started.returncode:
        raise Failure(f"supervisor does not start: {(started.stderr or started.stdout).strip().splitlines()[-1]}")
    log = state.log / "supervisord.log"
    wait_until(state.supervisor_socket.exists, 10, f"supervisor does not listen; read {log}")


def stop(supervisor: Any, programs: Iterable[Program]) -> None:
    """Signal all at once, then wait for all."""
    names = [program.full_name for program in programs]
    for name in names:
        if supervisor.getProcessInfo(name)["state"] in RUNNING_STATES:
            # the answer comes when the process has ended; asked so, only its signal has been sent
            supervisor.stopProcess(name, False)

    def all_ended() -> bool:
        return all(supervisor.getProcessInfo(name)["state"] in STOPPED_STATES for name in names)

    wait_until(all_ended, LONGEST_STOP, f"{', '.join(names)}: not all end")


def stop_ours(supervisor: Any, programs: Iterable[Program]) -> None:
    """The gateway first: nothing new comes in. Then the services, then the relays, which carry the last events."""
    programs = list(programs)
    for stage in (GATEWAY, SERVICES, RELAYS):
        stop(supervisor, [program for program in programs if program.stage == stage])


def load_again(supervisor: Any) -> None:
    """Take over a changed configuration; processes whose settings changed must be stopped."""
    [[_added, changed, _removed]] = supervisor.reloadConfig()
    for name in changed:
        supervisor.removeProcessGroup(name)
        supervisor.addProcessGroup(name)


def shut_down(state: State, password: str) -> None:
    """End supervisor with everything it runs, in reverse order; then whatever outlived an earlier supervisor."""
    process = supervisor_process(state)
    if process:
        _ask_to_shut_down(state, password, process)
    leftovers.end(state)
    state.supervisor_pid.unlink(missing_ok=True)
    shutil.rmtree(state.socket_folder, ignore_errors=True)


def _ask_to_shut_down(state: State, password: str, process: psutil.Process) -> None:
    process.terminate()

    def is_gone() -> bool:
        # supervisor looks after its children once a second, or whenever it is spoken to
        try:
            with control(state, password) as supervisor:
                supervisor.getState()
        except (OSError, Fault):
            pass
        return supervisor_process(state) is None

    try:
        wait_until(is_gone, LONGEST_STOP, "supervisor does not end")
    except Failure:
        process.kill()
