"""`@rpc`: what the gateway calls. Over RabbitMQ as Nameko speaks it, and over HTTP when the broker is gone.

Nameko sends a reply on a pooled connection without heartbeats, which hangs when the broker freezes and ends the
service when the broker is gone. Here the reply leaves on the connection that brought the request.
"""

from __future__ import annotations

import hmac
import json
import logging
import queue
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from amqp.basic_message import Message as AmqpMessage
from amqp.exceptions import AccessRefused
from kombu import Queue
from nameko import messaging
from nameko import rpc as nameko_rpc
from nameko.exceptions import IncorrectSignature, MalformedRequest

from chassis import failpoints
from chassis.channel import GONE, ResilientConsumer
from chassis.extensions import HttpServer
from chassis.http import StartResponse, respond_json
from contracts.broker_accounts import RPC_EXCHANGE
from contracts.calls import is_repeatable
from contracts.errors import ServiceError, ServiceUnavailable

log = logging.getLogger(__name__)

_MAX_REQUEST_BYTES = 4_194_304
_ANSWER_SECONDS = 15
_STALLED_SECONDS = 120.0


def reply_to_caller(result: Any, exc_info: Any) -> dict[str, Any]:
    """Nameko's reply body. The arguments of an error go along only if it is meant for the caller."""
    if exc_info is None:
        return {"result": result, "error": None}
    error = exc_info[1]
    kind = type(error)
    return {
        "result": None,
        "error": {
            "exc_type": kind.__name__,
            "exc_path": f"{kind.__module__}.{kind.__qualname__}",
            "exc_args": list(error.args) if isinstance(error, ServiceError) else [],
            "value": "",
        },
    }


class QueueConsumer(ResilientConsumer, messaging.QueueConsumer):
    """Nameko's, with our way of connecting again. It also says whether it still turns."""

    http = HttpServer()

    def setup(self) -> None:
        super().setup()
        self._turned = time.monotonic()
        self.http.add_check("/healthz", lambda: time.monotonic() - self._turned < _STALLED_SECONDS)

    def needed_queues(self) -> list[str]:
        return [provider.queue.name for provider in self._providers]

    def on_missing_queue(self, connection: Any) -> None:
        """The gateway makes it. Where one account may do everything, so do we, and answer without a gateway."""
        for provider in self._providers:
            with suppress(AccessRefused), connection.channel() as channel:
                provider.declare(channel)

    def on_waiting(self) -> None:
        self._turned = time.monotonic()

    def on_iteration(self) -> None:
        self._turned = time.monotonic()
        super().on_iteration()

    def on_connection_error(self, exc: Exception, interval: float) -> None:
        self._turned = time.monotonic()
        super().on_connection_error(exc, interval)


class RpcConsumer(nameko_rpc.RpcConsumer):
    """Nameko's queue and dispatch, with replies on the request's own channel."""

    queue_consumer = QueueConsumer()
    queue: Any

    def setup(self) -> None:
        if self.queue is not None:
            return
        super().setup()
        declarable: Any = self.queue
        self._declarable = declarable
        self.queue = Queue(declarable.name, no_declare=True)
        # frames of two greenlets must not mix on the socket
        self._writing = threading.Lock()

    def declare(self, channel: Any) -> None:
        self._declarable(channel).declare()

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        failpoints.reach(f"rpc.done.{message.delivery_info['routing_key']}")
        properties = message.properties
        reply = AmqpMessage(
            _dump(result, exc_info), content_type="application/json", correlation_id=properties.get("correlation_id")
        )
        try:
            with self._writing:
                message.channel.basic_publish(reply, exchange=RPC_EXCHANGE, routing_key=properties.get("reply_to", ""))
                message.ack()
        except GONE as error:
            log.info("a reply could not be sent (%s); its caller has been told that the broker is gone", error)
        return result, exc_info


def _dump(result: Any, exc_info: Any) -> str:
    try:
        return json.dumps(reply_to_caller(result, exc_info))
    except (TypeError, ValueError) as error:
        # raising here would end the process, and the call would come again and end the next one
        log.exception("a result is no JSON")
        return json.dumps(reply_to_caller(None, (type(error), error, None)))


class DirectCalls(nameko_rpc.SharedExtension):
    """`POST /rpc/<method>` with `{"args", "kwargs", "context"}`, for the gateway alone (a shared bearer secret)."""

    http = HttpServer()

    def __init__(self) -> None:
        super().__init__()
        self._entrypoints: dict[str, Rpc] = {}

    def setup(self) -> None:
        self.http.add("/rpc/", self._answer)

    def register(self, entrypoint: Rpc) -> None:
        self._entrypoints[entrypoint.method_name] = entrypoint

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not self._is_gateway(environ.get("HTTP_AUTHORIZATION", "")):
            return respond_json(start_response, "401 Unauthorized", {"error": "the gateway only"})
        length = environ.get("CONTENT_LENGTH") or ""
        if environ["REQUEST_METHOD"] != "POST" or not length.isdecimal() or int(length) > _MAX_REQUEST_BYTES:
            return respond_json(start_response, "400 Bad Request", {"error": "POST a call as JSON"})
        method = environ["PATH_INFO"].removeprefix("/rpc/")
        return respond_json(start_response, "200 OK", self._call(method, environ["wsgi.input"].read(int(length))))

    def _is_gateway(self, authorization: str) -> bool:
        secret = self.container.config["settings"].rpc_secret.get_secret_value()
        return hmac.compare_digest(authorization.encode(), f"Bearer {secret}".encode())

    def _call(self, method: str, body: bytes) -> dict[str, Any]:
        answer: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

        def handle_result(_: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            answer.put(reply_to_caller(result, exc_info))
            return result, exc_info

        try:
            entrypoint, call = self._entrypoints[method], json.loads(body)
            arguments, keywords, context = call["args"], call["kwargs"], dict(call.get("context") or {})
            entrypoint.check_signature(arguments, keywords)
        except (KeyError, TypeError, ValueError, IncorrectSignature) as error:
            return reply_to_caller(None, (MalformedRequest, MalformedRequest(str(error)), None))
        self.container.spawn_worker(entrypoint, arguments, keywords, context_data=context, handle_result=handle_result)
        return answer.get(timeout=_ANSWER_SECONDS)


class Rpc(nameko_rpc.Rpc):
    """A method that the gateway may call."""

    rpc_consumer = RpcConsumer()
    direct_calls = DirectCalls()

    def __init__(self) -> None:
        super().__init__(expected_exceptions=ServiceError)

    def setup(self) -> None:
        super().setup()
        self.direct_calls.register(self)

    def handle_message(self, body: Any, message: Any) -> None:
        """Nameko's, except that a call which a dead process may have done already is not done a second time."""
        if message.delivery_info.get("redelivered") and not is_repeatable(self.method_name, body.get("args", ())):
            error = ServiceUnavailable(self.container.service_name)
            self.rpc_consumer.handle_result(message, None, (ServiceUnavailable, error, None))
        else:
            super().handle_message(body, message)


rpc = Rpc.decorator
