"""Does it answer? Each of our processes says so itself, over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from deploy.local.report import Failure


def answers(port: int, path: str) -> bool:
    return answer(port, path) == 200


def answer(port: int, path: str) -> int | None:
    """The status, or None when nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def accepts(port: int) -> bool:
    with socket.socket() as connection:
        connection.settimeout(1)
        return connection.connect_ex(("127.0.0.1", port)) == 0


def require_free(ports: Mapping[str, int]) -> None:
    """Raise `Failure` that names the port that somebody else has."""
    for name, port in ports.items():
        with socket.socket() as probe:
            # as the servers do: a port is free while old connections of it linger
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                advice = f"set ONEHALL_PORT to another number than {ports['gateway']}, or stop what listens there"
                raise Failure(f"port {port} ({name}) is taken: {advice}") from None
