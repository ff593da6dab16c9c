"""An HTTPS endpoint of our own, with a certificate of a CA that only the tests know."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Received:
    """One request. Header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Endpoint:
    """Keeps what it received, in order, and answers what `answer` says; an answer may wait, each is in its thread."""

    def __init__(self, ca: trustme.CA, host: str = HOST) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda _: Answer()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    # whoever sent it was killed over it: that is no request
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.path, headers, body)
                endpoint.received.append(received)
                self._answer(endpoint.answer(received))

            def do_GET(self) -> None:
                """Where a redirect would lead, were it followed."""
                endpoint.received.append(Received(self.path, {"webhook-id": "GET"}, b""))
                self._answer(Answer())

            def _answer(self, answer: Answer) -> None:
                try:
                    self.send_response(answer.status)
                    for name, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                except OSError:
                    self.close_connection = True  # it did not wait for the end

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(host).configure_cert(context)
        # the handshake belongs to the connection's own thread
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self.url = f"https://{host}:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def ids(self) -> list[str]:
        return [received.id for received in list(self.received)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def listening(ca: trustme.CA, host: str = HOST) -> Iterator[Endpoint]:
    endpoint = Endpoint(ca, host)
    try:
        yield endpoint
    finally:
        endpoint.close()
