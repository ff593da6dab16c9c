"""A provider as RFC 6749 describes it, for what a program does with its answers: discovery and the token endpoint."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus

Answer = tuple[int, Any]


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Provider:
    """Knows one client. `answer` may be replaced: (client, secret, form) -> (status, JSON)."""

    def __init__(self, client_id: str, secret: str, token: str, lifetime: int = 300) -> None:
        self.client_id, self.secret, self.token, self.lifetime = client_id, secret, token, lifetime
        self.issued = 0
        self.forms: list[dict[str, list[str]]] = []
        self.discovery: dict[str, Any] = {}
        self.answer: Callable[[str, str, dict[str, list[str]]], Answer] = self.grant
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def grant(self, client: str, secret: str, form: dict[str, list[str]]) -> Answer:
        if (client, secret) != (self.client_id, self.secret):
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        self.issued += 1
        return 200, {"access_token": self.token, "token_type": "Bearer", "expires_in": self.lifetime}

    def refuse(self, code: str) -> None:
        self.answer = lambda *_: (401 if code == "invalid_client" else 400, {"error": code})

    def be_away(self) -> None:
        self.answer = lambda *_: (503, {})

    def come_back(self) -> None:
        self.answer = self.grant

    @contextmanager
    def running(self) -> Iterator[Provider]:
        with serving(self._server):
            yield self

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = {"issuer": provider.issuer, "token_endpoint": f"{provider.issuer}/token"} | provider.discovery
                known = self.path == "/.well-known/openid-configuration"
                self._send(*((200, found) if known else (404, {})))

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                provider.forms.append(form)
                _, _, basic = self.headers["Authorization"].partition(" ")
                client, _, secret = base64.b64decode(basic).decode().partition(":")
                self._send(*provider.answer(unquote_plus(client), unquote_plus(secret), form))

            def _send(self, status: int, answer: Any) -> None:
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", f"{provider.issuer}/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
