"""`python -m gateway`: reads the settings, puts the application together, serves it."""

from __future__ import annotations

import uvicorn

from chassis import http, logs
from chassis.settings import load
from gateway.app import create_app
from gateway.rpc import Rpc
from gateway.rpc.broker import Broker
from gateway.rpc.direct import Direct
from gateway.server import BoundedProtocol
from gateway.settings import GatewaySettings

KEEP_ALIVE_SECONDS = 65
"""Longer than the proxies in front of it keep theirs, so that it is they who close."""


def main() -> None:
    logs.configure("gateway")
    settings = load(GatewaySettings)
    rpc = Rpc(
        Broker(settings.amqp_uri.get_secret_value()),
        Direct(settings.service_urls, settings.rpc_secret.get_secret_value()),
    )
    if settings.has_own_metrics_port:
        http.serve(settings.http_host, settings.http_port, {"/healthz": http.check(lambda: True)})
    uvicorn.run(
        create_app(settings, rpc),
        host=settings.http_host,
        port=settings.port,
        loop="uvloop",
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
