"""Faults, made by process id."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from subprocess import Popen

from contracts import topology
from deploy.local import health
from deploy.local.platform import Platform
from deploy.local.programs import Program
from tests.processes import Failpoint, running, wait_until

OURS = [process.name for process in topology.processes()]

SEED = "ONEHALL_CHAOS_SEED"


def pids(platform: Platform) -> dict[str, list[int]]:
    """The process ids of everything that is ours: the same before and after, nothing ended in between."""
    return {name: platform.pids(name) for name in OURS}


def last(seconds: float) -> None:
    """How long a fault lasts; never a guess at how long something takes."""
    threading.Event().wait(seconds)


@contextmanager
def frozen(process_ids: list[int]) -> Iterator[None]:
    """They neither end nor answer until the block is left."""
    for pid in process_ids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in process_ids:
            _signal(pid, signal.SIGCONT)


@contextmanager
def stopped(platform: Platform, name: str) -> Iterator[None]:
    platform.stop(name)
    try:
        yield
    finally:
        platform.start(name)


def environment_of(platform: Platform, name: str) -> Mapping[str, str]:
    """What supervisor gives to the first replica of `name`."""
    return programs_of(platform, name)[0].environment


def beside(platform: Platform, name: str) -> Mapping[str, str]:
    """The same for one more replica, which listens where there is room."""
    return {**environment_of(platform, name), "ONEHALL_HTTP_PORT": "0"}


def programs_of(platform: Platform, name: str) -> list[Program]:
    return [program for program in platform.programs if program.process == name]


@contextmanager
def in_place_of(
    platform: Platform, name: str, module: list[str], failpoint: Failpoint | None = None, **more: str
) -> Iterator[Popen[bytes]]:
    """One process of ours, with a fault in it, instead of the platform's; those are back at the end."""
    with stopped(platform, name):
        fault = failpoint.environment if failpoint else {}
        with running(module, environment_of(platform, name), **fault, **more) as process:
            yield process


def kill_one(platform: Platform, name: str, pick: random.Random) -> None:
    """SIGKILL to any replica that runs at the moment."""
    alive = platform.pids(name)
    if alive:
        _signal(pick.choice(alive), signal.SIGKILL)


def kill_at_random(platform: Platform, seconds: float) -> None:
    """SIGKILL to any process of ours, again and again. `ONEHALL_CHAOS_SEED` repeats an earlier choice."""
    seed = os.environ.get(SEED) or str(random.randrange(1_000_000))
    print(f"{SEED}={seed}")
    pick = random.Random(seed)
    over = threading.Event()
    timer = threading.Timer(seconds, over.set)
    timer.start()
    while not over.wait(pick.uniform(0.1, 1.0)):
        kill_one(platform, pick.choice(OURS), pick)


def await_all(platform: Platform) -> None:
    """Supervisor has begun already to start what was killed: the next test finds a door that is open."""
    for name in OURS:
        platform.start(name)


def restart_one_by_one(platform: Platform, name: str) -> None:
    """As a rolling update does: the next replica ends when the one before it is ready again."""
    for program in programs_of(platform, name):
        before = platform.states()[program.name]["pid"]
        _signal(before, signal.SIGTERM)

        def is_back(program: Program = program, before: int = before) -> bool:
            return platform.states()[program.name]["pid"] not in (0, before) and platform.is_ready(program)

        wait_until(f"{program.name} is ready again", is_back, 60)


def readiness(platform: Platform, name: str) -> set[int | None]:
    """What the replicas of `name` say at `/readyz`."""
    return {health.answer(program.port, "/readyz") for program in programs_of(platform, name)}


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has just ended by an earlier kill
