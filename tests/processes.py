"""Processes of ours beside the platform's, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

T = TypeVar("T")


@contextmanager
def running(
    arguments: list[str],
    environment: Mapping[str, str],
    output: IO[bytes] | None = None,
    log: IO[bytes] | None = None,
    **more: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m <arguments>` in the platform's environment, killed at the end."""
    command = [sys.executable, "-m", *arguments]
    process = subprocess.Popen(command, env=os.environ | environment | more, stdout=output, stderr=log)
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL by process id; a stopped process dies too."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(what: str, holds: Callable[[], T], seconds: float = 30) -> T:
    """The first true answer of `holds`, or an error that says what did not happen."""
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)  # a look a moment later, never a guess at how long something takes
    return answer


class Failpoint:
    """A named point at which a process stops itself (chassis.failpoints)."""

    def __init__(self, name: str, folder: Path) -> None:
        self._file = folder / name
        self.environment = {"ONEHALL_FAILPOINT": f"{name}:{self._file}"}

    @property
    def is_reached(self) -> bool:
        return self._file.exists()

    def wait(self) -> None:
        """Return when the process stands there."""
        wait_until(f"{self._file.name} reached", lambda: self.is_reached)
