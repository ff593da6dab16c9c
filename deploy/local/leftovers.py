"""Processes whose supervisor was killed: found by what only our supervisor can have given them, and ended."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil  # type: ignore[import-untyped]

from deploy.local.report import Failure, wait_until
from deploy.local.state import State

LAST_TO_END = ("registry", "clamd", "smtp", "broker", "epmd", "database")
"""Everything else ends before these, all at once."""

LONGEST_STOP = 15
"""Seconds until SIGKILL."""


def end(state: State) -> None:
    """Nothing that this state folder's supervisor started is left afterwards."""
    found = _of_supervisor(state)
    ours = [process for name, processes in found.items() if name not in LAST_TO_END for process in processes]
    for processes in (ours, *(found.get(name, []) for name in LAST_TO_END), _database_server(state)):
        _end_together(processes)


def _of_supervisor(state: State) -> dict[str, list[psutil.Process]]:
    """By program name. Supervisor puts its own address into the environment of what it starts."""
    address = f"unix://{state.supervisor_socket}"
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            environment = process.environ()
            if environment.get("SUPERVISOR_SERVER_URL") == address:
                found.setdefault(environment["SUPERVISOR_PROCESS_NAME"], []).append(process)
    return found


def _database_server(state: State) -> list[psutil.Process]:
    # PostgreSQL writes its title over its environment; it has a pid file of its own instead
    data = state.database / "data"
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        if str(data) in process.cmdline():
            return [process]
    return []


def _end_together(processes: list[psutil.Process]) -> None:
    """Ask the first of each family; its children end with it, or are killed with whoever stays."""
    pids = {process.pid for process in processes}
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.ppid() not in pids:
                process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    try:
        wait_until(lambda: all(map(_is_gone, processes)), LONGEST_STOP, "not all end")
    except Failure:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _is_gone(process: psutil.Process) -> bool:
    """A zombie is gone: it is only not yet buried, which is for its parent to do."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
