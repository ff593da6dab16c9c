"""`python -m deploy.local up|down|status|run|demo`: what the Makefile's targets call once set-up is done."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from deploy.local.platform import Platform
from deploy.local.report import Failure
from deploy.local.state import ROOT, State, replicas_in
from deploy.local.status import DEMO, addresses, table
from deploy.local.watch import watch

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tell(line: str) -> None:
    print(line, flush=True)


@click.group(help=__doc__)
@click.option("--state", envvar="ONEHALL_STATE", default="var", type=click.Path(path_type=Path), show_default=True)
@click.option("--port", envvar="ONEHALL_PORT", default=8000, type=int, show_default=True, help="the gateway's")
@click.option("--replicas", envvar="ONEHALL_REPLICAS", default=1, type=click.IntRange(1, 9), help="of each service")
@click.pass_context
def main(context: click.Context, state: Path, port: int, replicas: int) -> None:
    # an endless tale of refused connections, told while we wait for a broker that is still starting
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    for number in ENDING:
        signal.signal(number, _interrupt)
    context.obj = _running(state) or Platform(state, port, replicas, tell=tell)


def _running(state: Path) -> Platform | None:
    """The platform that runs in this folder, with the ports and replicas that it was started with."""
    ports = State(state.resolve()).read_ports()
    if not ports:
        return None
    platform = Platform(state, ports["gateway"], replicas_in(ports), tell=tell)
    return platform if platform.is_running() else None


@main.command()
@click.pass_obj
def up(platform: Platform) -> None:
    """Start in the background; return when everything is healthy."""
    if platform.is_running():
        tell("already running; making sure that all of it does")
    platform.up()
    tell(addresses(platform))


@main.command()
@click.pass_obj
def down(platform: Platform) -> None:
    """Stop everything and leave no process behind."""
    tell("stopping" if platform.is_running() else "not running; looking for what may be left")
    platform.down()
    tell("stopped")


@main.command()
@click.pass_obj
def status(platform: Platform) -> None:
    """Show every process, its port and its health; exit 0 when all are healthy."""
    if not platform.is_running():
        raise Failure("not running; `make up` starts it")
    rows, healthy = table(platform)
    tell(rows)
    sys.exit(0 if healthy else 1)


@main.command()
@click.pass_obj
def run(platform: Platform) -> None:
    """Start in the foreground; Ctrl-C stops everything."""
    if platform.is_running():
        raise Failure(f"already running at {platform.environment['ONEHALL_BASE_URL']}; `make down` stops it")

    try:
        platform.up()
        tell(f"{addresses(platform)}\n{DEMO}\nCtrl-C stops it.")
        watch(platform)
    except KeyboardInterrupt:
        tell("stopping")
    finally:
        for number in ENDING:
            # stopping has begun; a second Ctrl-C must not leave half of it behind
            signal.signal(number, signal.SIG_IGN)
        platform.down()
    tell("stopped")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@main.command()
@click.pass_obj
def demo(platform: Platform) -> None:
    """Play the demo's stories, on the running platform or on one that is started for it."""
    started_here = not platform.is_running()
    try:
        if started_here:
            platform.up()
        story = [sys.executable, "-m", "cli", "demo", "play"]
        played = subprocess.run(story, cwd=ROOT, env=dict(os.environ) | platform.environment, check=False)
    finally:
        if started_here:
            platform.down()
    sys.exit(played.returncode)


if __name__ == "__main__":
    try:
        main(standalone_mode=True)
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except PermissionError as error:
        sys.exit(f"error: {error.filename} is somebody else's; set ONEHALL_STATE to a folder of yours")
