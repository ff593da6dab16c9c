"""While `make run` holds the terminal: say when a process does not stay up, and nothing else."""

from __future__ import annotations

import time
from contextlib import suppress

from supervisor.states import ProcessStates

from deploy.local.platform import Platform
from deploy.local.report import Failure

BETWEEN_LOOKS = 2.0
"""Seconds."""

DOWN = (ProcessStates.BACKOFF, ProcessStates.FATAL, ProcessStates.EXITED)


def watch(platform: Platform) -> None:
    """Return when the platform was stopped from elsewhere (`make down`)."""
    told: set[str] = set()
    while platform.is_running():
        with suppress(Failure):  # it is being stopped
            told = _tell_changes(platform, told)
        time.sleep(BETWEEN_LOOKS)
    platform.tell("stopped from elsewhere")


def _tell_changes(platform: Platform, told: set[str]) -> set[str]:
    down = {name for name, info in platform.states().items() if info["state"] in DOWN}
    for name in sorted(down - told):
        platform.tell(f"{name} keeps ending; read {platform.state.log / name}.log")
    for name in sorted(told - down):
        platform.tell(f"{name} is started again")
    return down
