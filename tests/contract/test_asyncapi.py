"""The AsyncAPI document says what the events and the topology are."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from contracts import topology
from contracts.asyncapi import document
from contracts.events import EVENTS

DOCUMENT = document("0.1.0")
GOLDEN = Path(__file__).parent / "golden"


def resolve(reference):
    node = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_a_published_event_fits_its_schema(event):
    channel = DOCUMENT["channels"][event.type]
    message = resolve(channel["messages"][event.type]["$ref"])
    schema = resolve(message["payload"]["$ref"])
    Draft202012Validator(schema).validate(json.loads((GOLDEN / f"{event.type}.json").read_text()))


def test_every_channel_is_an_exchange_of_the_topology():
    exchanges = {channel["bindings"]["amqp"]["exchange"]["name"] for channel in DOCUMENT["channels"].values()}
    assert exchanges == {topology.exchange(source) for source in topology.publishers()}


def test_an_address_has_the_parts_of_the_routing_key():
    for event in EVENTS:
        assert DOCUMENT["channels"][event.type]["address"].count(".") == event.type.count(".") + 4


def test_every_reference_leads_somewhere():
    text = json.dumps(DOCUMENT)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        assert resolve(reference)
