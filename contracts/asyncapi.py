"""The AsyncAPI 3.0 document of the events, made from the classes and the topology: it cannot say anything else.

Two sides stand in it: what the platform publishes, and (`hear-subscription`) what a program of a department or an
organisation receives.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any
from urllib.parse import urlsplit

from contracts import topology
from contracts.envelope import CONTENT_TYPE, MAX_TEXT, REPLAY_HEADER
from contracts.events import EVENTS, Event

_SUBSCRIPTION = "subscription"
_JSON_TYPES = {"str": "string", "int": "integer"}


def document(version: str, base_url: str) -> dict[str, Any]:
    """The whole document, JSON values only. `base_url` is the platform's address and its provider's."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "OneHall events",
            "version": version,
            "description": "CloudEvents 1.0 in structured JSON. Thin: no name, no identity number, no form content. "
            "`sequence` counts from 1 without gaps, per `source` and `subject`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server(base_url)},
        "channels": {event.type: _channel(event) for event in EVENTS} | {_SUBSCRIPTION: _subscription()},
        "operations": {f"publish-{event.type}": _operation(event) for event in EVENTS} | {"hear-subscription": _hear()},
        "components": {
            "messages": {event.type: _message(event) for event in EVENTS},
            "schemas": {event.__name__: _schema(event) for event in EVENTS},
            "securitySchemes": {"token": _token(base_url)},
        },
    }


def _server(base_url: str) -> dict[str, Any]:
    host = urlsplit(base_url).hostname or ""
    return {
        "host": "{host}:{port}",
        "protocol": "amqps",
        "protocolVersion": "0.9.1",
        "description": "RabbitMQ. The user name is the client's, the password an access token for the broker.",
        "variables": {
            "host": {"default": host, "description": "As the platform's operator says"},
            "port": {"default": "5671"},
        },
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }


def _token(base_url: str) -> dict[str, Any]:
    return {
        "type": "oauth2",
        "description": "RFC 6749, section 4.4, with `resource=urn:onehall:rabbitmq` (RFC 8707). Read the endpoint at "
        f"{base_url}/.well-known/openid-configuration and renew the token before its end.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": f"{base_url}/oauth/token",
                "availableScopes": {"events": "Read the queues of one's own subscriptions"},
            }
        },
        "scopes": ["events"],
    }


def _subscription() -> dict[str, Any]:
    """Every queue of a subscription, by the same words as `topology.subscription_queue`."""
    return {
        "address": topology.subscription_queue("{owner}", "{subscription}").name,
        "description": "One subscription's queue. The platform makes it when the subscription is asked for "
        "(`POST /api/v1/subscriptions`); one program reads it at a time, others stand by.",
        "messages": {event.type: {"$ref": f"#/components/messages/{event.type}"} for event in _heard()},
        "parameters": {
            "owner": {"description": "The department or organisation, as the access token says"},
            "subscription": {"description": "The subscription's name"},
        },
        "bindings": {"amqp": {"is": "queue", "queue": {"durable": True, "exclusive": False, "autoDelete": False}}},
    }


def _hear() -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_SUBSCRIPTION}"},
        "summary": "What the subscriber's program receives, in order per case; it acknowledges what is safe.",
        "bindings": {"amqp": {"ack": True}},
    }


def _heard() -> tuple[type[Event], ...]:
    return topology.history_of(topology.SUBSCRIBABLE)


def _channel(event: type[Event]) -> dict[str, Any]:
    return {
        "address": f"{event.type}.{{department}}.{{region}}.{{kind}}.{{item}}",
        "messages": {event.type: {"$ref": f"#/components/messages/{event.type}"}},
        "parameters": {
            "department": {"description": "The competent department; `-` where none applies"},
            "region": {"description": "GB/T 2260 code; `-` where none applies"},
            "kind": {"description": "Kind of service item; `-` where none applies"},
            "item": {"description": "Code of the service item; `-` where none applies"},
        },
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": topology.exchange(event.source), "type": "topic", "durable": True},
            }
        },
    }


def _operation(event: type[Event]) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{event.type}"}, "summary": _summary(event)}


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": _summary(event),
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "properties": {REPLAY_HEADER: {"type": "string", "description": "Id of the replay that brings it again"}},
        },
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
    }


def _schema(event: type[Event]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "sequence", "channel", "actor", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "source": {"const": event.source},
            "type": {"const": event.type},
            "subject": text,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "sequence": {"type": "integer", "minimum": 1},
            "channel": text,
            "actor": text | {"description": "A role, never a person"},
            "traceparent": text | {"description": "W3C Trace Context"},
            "correlationid": text,
            "data": _data_schema(event),
        },
    }


def _data_schema(event: type[Event]) -> dict[str, Any]:
    properties = {field.name: _field_schema(field) for field in fields(event)}
    required = [field.name for field in fields(event) if field.default is MISSING]
    return {"type": "object", "required": required, "properties": properties}


def _field_schema(field: Field[Any]) -> dict[str, Any]:
    return {"type": _JSON_TYPES[str(field.type)]}


def _summary(event: type[Event]) -> str:
    return (event.__doc__ or event.__name__).split("\n", 1)[0]
