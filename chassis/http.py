"""The small HTTP server of every process but the gateway: `/metrics`, `/healthz`, `/readyz`, and what is added.

The standard library's threading server: plain threads in the relay, greenlets under eventlet.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
Check = Callable[[], bool]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # stopping must not wait for a client that keeps its connection open
    block_on_close = False


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent: Prometheus and the probes ask every few seconds."""


def check(passes: Check) -> Application:
    """A probe: 200 when `passes()`, 503 when not."""

    def answer(_: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        healthy = passes()
        return respond_json(start_response, "200 OK" if healthy else "503 Service Unavailable", {"healthy": healthy})

    return answer


def respond_json(start_response: StartResponse, status: str, content: object) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def serve(host: str, port: int, routes: dict[str, Application]) -> WSGIServer:
    """Serve `routes` (by path prefix) and `/metrics` in the background; `server_close()` and `shutdown()` end it."""
    table = {"/metrics": make_wsgi_app(), **routes}

    def dispatch(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        application = table.get(path) or table.get(path[: path.rfind("/") + 1])
        if application is None:
            return respond_json(start_response, "404 Not Found", {"error": "not found"})
        return application(environ, start_response)

    server = make_server(host, port, dispatch, server_class=_Server, handler_class=_Handler)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
