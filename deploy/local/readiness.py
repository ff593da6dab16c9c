"""Wait until processes can work, and give up early on one that keeps ending."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from supervisor.states import ProcessStates

from deploy.local.programs import Program
from deploy.local.report import Failure

if TYPE_CHECKING:
    from deploy.local.platform import Platform

LONGEST_START = 120
"""Seconds."""

HOPELESS_STARTS = 4
"""A process that had to be started this often will not come up by waiting."""


def await_ready(platform: Platform, programs: Iterable[Program]) -> None:
    """Raise `Failure` that names the process and its log."""
    waiting = list(programs)
    starts: defaultdict[str, set[int]] = defaultdict(set)
    deadline = time.monotonic() + LONGEST_START
    while waiting := [program for program in waiting if not platform.is_ready(program)]:
        _require_hope(platform, waiting, starts)
        if time.monotonic() > deadline:
            raise Failure(_advice(platform, waiting[0], f"is not ready after {LONGEST_START} s"))
        time.sleep(0.05)


def _require_hope(platform: Platform, waiting: list[Program], starts: dict[str, set[int]]) -> None:
    states = platform.states()
    for program in waiting:
        info = states[program.name]
        starts[program.name].add(info["start"])
        if info["state"] == ProcessStates.FATAL or len(starts[program.name]) >= HOPELESS_STARTS:
            raise Failure(_advice(platform, program, "keeps ending"))


def _advice(platform: Platform, program: Program, fact: str) -> str:
    return f"{program.name} {fact}; read {platform.state.log / program.name}.log"
