"""Calls of the services: over the broker, and over HTTP while the broker is gone."""

from gateway.rpc.calls import Call, ConnectionLost, InternalError
from gateway.rpc.client import Rpc

__all__ = ["Call", "ConnectionLost", "InternalError", "Rpc"]
