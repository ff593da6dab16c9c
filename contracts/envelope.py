"""The envelope: CloudEvents 1.0 in structured JSON (https://github.com/cloudevents/spec), with our extensions.

Extensions: `sequence` (integer from 1, per `source` and `subject`, without gaps), `channel`, `actor` (a role, not a
person), `traceparent` (W3C Trace Context), `correlationid` (the gateway's request).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from contracts.events import EVENT_OF_TYPE, Event

CONTENT_TYPE = "application/cloudevents+json"
REPLAY_HEADER = "onehall-replay"
"""On a message that was asked for again, with the id of that request: it is no double."""

MAX_BYTES = 65_536
"""The CloudEvents specification asks every intermediary to forward 64 KiB; ours are under 1 KiB."""

MAX_TEXT = 1_000
"""Characters in one attribute or field. Numbers and codes are far shorter."""


class UnreadableEvent(ValueError):
    """The bytes are not one of our events. It is nobody's to handle and belongs in the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event as it travels. `data` is the typed event, `time` is when the fact was saved (UTC)."""

    id: str
    sequence: int
    time: datetime
    channel: str
    actor: str
    data: Event
    traceparent: str | None = None
    correlationid: str | None = None

    @property
    def type(self) -> str:
        return self.data.type

    @property
    def source(self) -> str:
        return self.data.source

    @property
    def subject(self) -> str:
        return self.data.subject

    def to_dict(self) -> dict[str, Any]:
        envelope = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "sequence": self.sequence,
            "channel": self.channel,
            "actor": self.actor,
            "traceparent": self.traceparent,
            "correlationid": self.correlationid,
            "data": self.data.to_data(),
        }
        # "optional attributes ... MUST NOT be null" (CloudEvents JSON format, section 2.2: unset is absent)
        return {name: value for name, value in envelope.items() if value is not None}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, body: bytes | str) -> Envelope:
        """Raise `UnreadableEvent` for anything that is not an event of `contracts.events`, whole and well typed."""
        if len(body) > MAX_BYTES:
            raise UnreadableEvent(f"larger than {MAX_BYTES} bytes")
        try:
            return cls._from_dict(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UnreadableEvent(f"{type(error).__name__}: {error}") from error

    @classmethod
    def _from_dict(cls, envelope: dict[str, Any]) -> Envelope:
        data = _read_data(EVENT_OF_TYPE[envelope["type"]], envelope["data"])
        if (envelope["source"], envelope["subject"]) != (data.source, data.subject):
            raise ValueError("source or subject contradicts data")
        sequence = envelope["sequence"]
        if type(sequence) is not int or sequence < 1:
            raise ValueError("sequence is no integer from 1")
        return cls(
            id=_text("id", envelope["id"]),
            sequence=sequence,
            time=_read_time(envelope["time"]),
            channel=_text("channel", envelope["channel"]),
            actor=_text("actor", envelope["actor"]),
            data=data,
            traceparent=_optional_text("traceparent", envelope.get("traceparent")),
            correlationid=_optional_text("correlationid", envelope.get("correlationid")),
        )


def _read_data(event_class: type[Event], data: dict[str, Any]) -> Event:
    known = {field.name: field.type for field in fields(event_class)}
    event = event_class(**{name: value for name, value in data.items() if name in known})
    for name, type_name in known.items():
        value = getattr(event, name)
        if type_name == "int":
            if type(value) is not int:
                raise ValueError(f"{name} is no integer")
        else:
            _text(name, value)
    return event


def _read_time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("time has no offset from UTC (RFC 3339)")
    return time


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise ValueError(f"{name} is no text of 1 to {MAX_TEXT} characters")
    return value


def _optional_text(name: str, value: object) -> str | None:
    return None if value is None else _text(name, value)
