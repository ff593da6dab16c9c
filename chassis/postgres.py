"""How long a silent database server is believed in, for everything that connects to one (libpq's parameters)."""

from typing import Any

TCP_LIMITS: dict[str, Any] = {
    "connect_timeout": 5,
    # a server that vanished without a goodbye (a failover) is noticed within half a minute, busy or idle
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

AWAY = ("08", "53", "57P")
"""SQLSTATE classes that say the server cannot serve now: connection lost, out of resources, shutting down."""

BUSY = ("25006", "40001", "40P01", "55P03")
"""Read-only (a failover under way), serialization failure, deadlock, lock not available: the same may work later."""


def is_away(sqlstate: str) -> bool:
    """Whether an error is about the server and not about the statement."""
    return sqlstate.startswith(AWAY) or sqlstate in BUSY
