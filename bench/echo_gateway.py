"""The yardstick's gateway: the real application, token check and all, with a route that only calls the echo."""

from __future__ import annotations

import os

import uvicorn

from chassis import logs
from chassis.settings import load
from gateway.api.callers import CasesActor, Services
from gateway.app import create_app
from gateway.rpc import Rpc
from gateway.rpc.broker import Broker
from gateway.rpc.direct import Direct
from gateway.settings import GatewaySettings


async def echo(actor: CasesActor, services: Services) -> dict[str, str]:
    return {"echo": await services.call("rating.echo", "hello", actor=actor)}


def main() -> None:
    logs.configure("echo")
    settings = load(GatewaySettings)
    rpc = Rpc(
        Broker(settings.amqp_uri.get_secret_value()),
        Direct(settings.service_urls, settings.rpc_secret.get_secret_value()),
    )
    app = create_app(settings, rpc)
    app.add_api_route("/bench/echo", echo)
    uvicorn.run(
        app,
        port=int(os.environ["ONEHALL_BENCH_PORT"]),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
    )


if __name__ == "__main__":
    main()
