"""The AsyncAPI 3.0 document of the events, made from the classes and the topology: it cannot say anything else.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

from contracts import topology
from contracts.envelope import CONTENT_TYPE, MAX_TEXT
from contracts.events import EVENTS, Event

_JSON_TYPES = {"str": "string", "int": "integer"}


def document(version: str) -> dict[str, Any]:
    """The whole document, JSON values only."""
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
        "channels": {event.type: _channel(event) for event in EVENTS},
        "operations": {f"publish-{event.type}": _operation(event) for event in EVENTS},
        "components": {
            "messages": {event.type: _message(event) for event in EVENTS},
            "schemas": {event.__name__: _schema(event) for event in EVENTS},
        },
    }


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
    return {"name": event.type, "title": event.__name__, "payload": {"$ref": f"#/components/schemas/{event.__name__}"}}


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
    return {"type": "object", "required": list(properties), "properties": properties}


def _field_schema(field: Field[Any]) -> dict[str, Any]:
    return {"type": _JSON_TYPES[str(field.type)]}


def _summary(event: type[Event]) -> str:
    return (event.__doc__ or event.__name__).split("\n", 1)[0]
