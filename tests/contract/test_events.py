"""The published events: their bytes are a promise to departments, so each is compared with a file."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cloudevents.core.bindings.http import from_http_event
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import CONTENT_TYPE, MAX_BYTES, Envelope, UnreadableEvent
from contracts.events import EVENTS, Event

GOLDEN = Path(__file__).parent / "golden"
EXAMPLE = {
    "number": "202611240000012",
    "item": "residence-permit",
    "department": "civil-affairs",
    "region": "511602",
    "kind": "confirmation",
    "applicant": "0b8a4c1e-6f0e-4c58-9c1c-0b5d5f3f8f10",
    "account": "0b8a4c1e-6f0e-4c58-9c1c-0b5d5f3f8f10",
    "notice": "9c2b8f10-3a51-4c0e-8a77-6f2d1b0e4d55",
    "draft": "1d7c1c52-7b5e-4f0b-9a39-0f6f3c2a9e71",
    "decision": "approved",
    "score": 5,
    "look": "2f4f2a60-7a0e-4a5e-9d59-3f3a1e0c9b11",
    "report": "4f0b5d7e-3c52-4bb0-9d53-b1f1c9b0c1aa",
    "viewer": "5e1b1f3a-0f5c-4b8e-8f43-1d0c2b7a9e20",
    "client": "web",
    "handler": "market-regulation",
    "role": "officer",
    "what": "case",
    "purpose": "handling",
    "challenge": "p2V0c3h8R2F6b1k5Wm1xTjdQd0hLZ3RVbkRzQ2VMeUo",
    "address_kind": "sms",
    "change": "totp-added",
    "alert": "8c1f0d6be2a94c3f9a7d5e4b3c2a1f00",
    "ways": "mail sms",
    "until": "2026-12-08",
    "reason": "hearing",
    "step": "examine",
    "next_step": "sign",
    "giver": "civil-affairs",
    "taker": "market-regulation",
    "way": "counter",
    "due_on": "2026-12-15",
    "limit": "promised",
    "level": 1,
    "hall": "civic-centre",
    "giver_region": "511603",
    "result": "1f0b7c9a-52d1-4f7e-8f3a-7f1d0a2b3c4d",
    "paper": "residence-permit-card",
    "form": "certificate",
    "valid_until": "2027-11-24",
    "evidence": "3b0b7a52-8d7c-4c8e-9a0e-5d1f2c6b7a90",
    "document": "residence-permit",
    "outcome": "provided",
    "joint": "202611240000020",
}


def example_of(event_class: type[Event]) -> Envelope:
    return Envelope(
        id="6d1a4e0a-6b0c-4b6f-8a55-1f5b8a0f6f3e",
        sequence=3,
        time=datetime(2026, 11, 24, 8, 30, 0, 250000, tzinfo=UTC),
        channel="hall",
        actor="clerk",
        data=event_class(**{field.name: EXAMPLE[field.name] for field in fields(event_class)}),
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        correlationid="4bf92f3577b34da6a3ce929d0e0e4736",
    )


every_event = pytest.mark.parametrize("event_class", EVENTS, ids=lambda event: event.type)


@every_event
def test_an_event_is_written_exactly_as_published(event_class):
    golden = GOLDEN / f"{event_class.type}.json"
    assert json.loads(example_of(event_class).to_json()) == json.loads(golden.read_text())


@every_event
def test_a_published_event_is_read_back_as_itself(event_class):
    assert Envelope.from_json((GOLDEN / f"{event_class.type}.json").read_bytes()) == example_of(event_class)


@every_event
def test_the_official_sdk_takes_it_for_a_cloudevent(event_class):
    from cloudevents.core.bindings.http import HTTPMessage

    body = (GOLDEN / f"{event_class.type}.json").read_bytes()
    event = from_http_event(HTTPMessage({"content-type": CONTENT_TYPE}, body))
    assert (event.get_type(), event.get_source()) == (event_class.type, event_class.source)


def test_no_golden_file_is_left_of_an_event_that_is_gone():
    assert {path.stem for path in GOLDEN.glob("*.json")} == {event.type for event in EVENTS}


@every_event
def test_the_routing_key_has_the_type_and_four_parts_without_a_dot(event_class):
    assert example_of(event_class).data.routing_key.removeprefix(event_class.type).count(".") == 4


@every_event
def test_no_event_has_a_place_for_personal_data(event_class):
    allowed = set(EXAMPLE)
    assert {field.name for field in fields(event_class)} <= allowed


def test_a_field_of_a_later_version_is_passed_over():
    event = json.loads((GOLDEN / "case.closed.json").read_text())
    event["data"]["added_later"] = 1
    event["extensionaddedlater"] = "x"
    assert Envelope.from_json(json.dumps(event)).type == "case.closed"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "case.unheard-of"},
        {"sequence": 0},
        {"sequence": "3"},
        {"sequence": True},
        {"subject": "another case"},
        {"source": "rating"},
        {"time": "yesterday"},
        {"time": "2026-01-01T00:00:00"},
        {"time": 5},
        {"id": 5},
        {"id": ""},
        {"id": "x" * 1001},
        {"channel": None},
        {"traceparent": 5},
        {"correlationid": []},
        {"data": []},
        {"data": {}},
    ],
    ids=lambda change: str(change)[:40],
)
def test_an_event_that_is_not_whole_and_well_typed_is_unreadable(change):
    event = json.loads((GOLDEN / "case.closed.json").read_text()) | change
    with pytest.raises(UnreadableEvent):
        Envelope.from_json(json.dumps(event))


@pytest.mark.parametrize("field", ["number", "decision"])
@pytest.mark.parametrize("value", [None, 5, [], "x" * 1001], ids=["null", "number", "list", "long"])
def test_a_field_of_the_wrong_type_makes_it_unreadable(field, value):
    event = json.loads((GOLDEN / "case.closed.json").read_text())
    event["data"][field] = value
    event["subject"] = event["data"]["number"]
    with pytest.raises(UnreadableEvent):
        Envelope.from_json(json.dumps(event))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_but_never_break_the_reader(body):
    with pytest.raises(UnreadableEvent):
        Envelope.from_json(body)


@pytest.mark.parametrize("body", [b"[" * 60_000, b" " * (MAX_BYTES + 1)], ids=["deep", "large"])
def test_hostile_bodies_are_unreadable(body):
    with pytest.raises(UnreadableEvent):
        Envelope.from_json(body)
