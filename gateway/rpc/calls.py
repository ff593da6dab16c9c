"""One call of a service's method, and what can become of it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from chassis import context
from contracts.actors import Actor
from contracts.calls import is_repeatable
from contracts.errors import ERROR_OF_PATH


class InternalError(Exception):
    """A service failed in a way that is nobody's answer. The text is for the log only."""


class ConnectionLost(Exception):
    """The broker went away with the call: it may or may not have been done."""


@dataclass(frozen=True, slots=True)
class Call:
    service: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    actor: Actor | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def name(self) -> str:
        return f"{self.service}.{self.method}"

    @property
    def is_repeatable(self) -> bool:
        return is_repeatable(self.method, self.args)

    @property
    def context(self) -> dict[str, Any]:
        """Who calls, and in which request; JSON values only."""
        return {
            "actor": _fields_of(self.actor) if self.actor else None,
            "correlation_id": context.correlation_id.get(),
            "traceparent": context.traceparent.get(),
            "address": context.address.get(),
        }

    def to_json(self) -> bytes:
        return json.dumps({"args": self.args, "kwargs": self.kwargs}, ensure_ascii=False).encode()


@lru_cache(maxsize=1_000)
def _fields_of(actor: Actor) -> dict[str, Any]:
    """Remembered, because the same people call again. AMQP's tables know lists, not tuples."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in actor.to_dict().items()}


def result_of(reply: dict[str, Any]) -> Any:
    """The result that a service sent, or the error that it sent, raised."""
    error = reply.get("error")
    if not error:
        return reply["result"]
    error_class = ERROR_OF_PATH.get(error["exc_path"])
    if error_class is None:
        raise InternalError(f"{error['exc_path']}: {error.get('value') or error.get('exc_args')}")
    raise error_class(*error["exc_args"])
