"""The door and identity in one process at an address with a host name, over the servers' database and without a broker.

What a browser does at an address of its own (a passkey is made for a host name) needs no platform of its own then.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from sqlalchemy import select, update

from chassis.database import Database
from chassis.service import ANONYMOUS
from contracts.actors import Actor
from gateway.app import create_app
from services.identity import tables
from services.identity.service import IdentityService
from services.identity.settings import IdentitySettings
from tests.integration.identity_driver import COOKIE_KEY, at_once
from tests.processes import wait_until
from tests.unit.gateway_fakes import make_settings

SHARED = "shared-by-the-door-and-the-services"


class Calls:
    """In place of the gateway's `Rpc`: calls of identity are made here, in a thread; there is no other service."""

    def __init__(self, database: Database, settings: IdentitySettings) -> None:
        self._database = database
        self._settings = settings

    def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def can_reach_services(self) -> bool:
        return True

    async def call(self, name: str, *args: Any, actor: Actor | None = None, **kwargs: Any) -> Any:
        service, method = name.split(".")
        assert service == "identity", f"{name} is asked where only identity is"
        entrypoints = IdentityService()
        own = {"database": self._database, "actor": actor or ANONYMOUS, "settings": self._settings}
        for attribute, value in (own | {"offload": at_once}).items():
            setattr(entrypoints, attribute, value)
        return await asyncio.to_thread(partial(getattr(entrypoints, method), *args, **kwargs))


@contextmanager
def open_door(database: Database, environment: str = "local") -> Iterator[str]:
    """Its address. The client `web` comes back there meanwhile. `environment` is where identity thinks that it runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://localhost:{listener.getsockname()[1]}"
        own = {"environment": environment, "base_url": base, "AMQP_URI": "amqp://nobody@127.0.0.1:1//"}
        managed = {"broker_management_url": "http://nobody@127.0.0.1:1", "rpc_secret": SHARED, "cookie_key": COOKIE_KEY}
        calls = Calls(database, IdentitySettings(**own | managed))
        app = create_app(make_settings(base_url=base, cookie_key=COOKIE_KEY), calls)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        with _web_comes_back_to(database, f"{base}/callback"):
            thread.start()
            try:
                wait_until("the door is open", lambda: server.started)
                yield base
            finally:
                server.should_exit = True
                thread.join(20)


@contextmanager
def _web_comes_back_to(database: Database, address: str) -> Iterator[None]:
    client = tables.clients
    this = client.c.id == "web"
    with database.transaction() as session:
        before = list(session.execute(select(client.c.redirect_uris).where(this)).scalar_one())
        session.execute(update(client).where(this).values(redirect_uris=[*before, address]))
    yield
    with database.transaction() as session:
        session.execute(update(client).where(this).values(redirect_uris=before))
