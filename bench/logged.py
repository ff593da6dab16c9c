"""Processes beside the platform's own, with their logs in a file of its: the table stays readable."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.platform import Platform
from tests.processes import running


@contextmanager
def logged(platform: Platform, arguments: list[str], **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m <arguments>` in the platform's environment, killed at the end; it logs to `log/bench.log`."""
    log = platform.state.log / "bench.log"
    with log.open("ab") as file, running(arguments, platform.environment, log=file, **more) as process:
        yield process
