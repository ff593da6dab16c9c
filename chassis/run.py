"""How a service process starts and ends. The only module that knows eventlet.

Nothing here may import the service, Nameko or a driver at the top: `run` patches the standard library first.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import threading
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

MAX_WORKERS = 10
HEARTBEAT_SECONDS = 10
_STOP_SECONDS = 10
_YOUNG_OBJECTS = 20_000


def run(path: str) -> None:
    """Run the service class at `package.module:Class` until SIGTERM or SIGINT."""
    # said at every start, and docs/adr answers it
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet
    from eventlet.support.psycopg2_patcher import make_psycopg_green

    eventlet.monkey_patch()
    make_psycopg_green()

    from nameko.runners import ServiceRunner

    from chassis import logs, settings

    module, _, name = path.partition(":")
    service = getattr(importlib.import_module(module), name)
    logs.configure(service.name)
    configuration = settings.load(service.settings_class)
    runner = ServiceRunner(
        {
            "AMQP_URI": configuration.amqp_uri.get_secret_value(),
            "HEARTBEAT": HEARTBEAT_SECONDS,
            "max_workers": MAX_WORKERS,
            "settings": configuration,
        }
    )
    runner.add_service(service)
    settle_garbage_collection()
    stopping = _stop_on_signal(runner.stop)
    runner.start()
    try:
        runner.wait()
    except Exception:
        # without a broker Nameko cannot say goodbye to it; the end was asked for, and nothing is lost by it
        if not stopping.is_set():
            raise


def settle_garbage_collection() -> None:
    """What stands after the imports stays for good: it need not be looked through for every few hundred objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)


def offload(function: Callable[..., T], *arguments: Any) -> T:
    """Run what burns CPU in C (argon2, image checks) in a real thread, so that other greenlets go on meanwhile."""
    from eventlet import tpool

    result: T = tpool.execute(function, *arguments)
    return result


def _stop_on_signal(stop: Callable[[], None]) -> threading.Event:
    """Stop at the first SIGTERM or SIGINT; the event is set from then on."""
    import eventlet

    stopping = threading.Event()

    def handle(signum: int, frame: object) -> None:
        if stopping.is_set():
            return
        stopping.set()
        # only scheduled: the signal may have come while the hub itself was waiting, which must not switch
        eventlet.spawn_n(stop)
        # a service whose broker is gone waits for an answer to its goodbye; what is unfinished is handed out again
        eventlet.spawn_after(_STOP_SECONDS, os._exit, 0)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stopping
