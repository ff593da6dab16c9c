"""The AsyncAPI document says what the events and the topology are."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from contracts import topology
from contracts.asyncapi import document
from contracts.events import EVENTS
from departments.credentials import RESOURCE, SCOPE
from tests.node import MODULES

DOCUMENT = document("0.1.0", "https://hall.example")
GOLDEN = Path(__file__).parent / "golden"

SCHEMA = MODULES / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"


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


def test_the_document_is_asyncapi_3():
    Draft7Validator(json.loads(SCHEMA.read_text())).validate(DOCUMENT)


def test_a_wrong_document_is_none():
    wrong = DOCUMENT | {"operations": {"hear": {"action": "listen", "channel": {"$ref": "#/channels/subscription"}}}}
    assert not Draft7Validator(json.loads(SCHEMA.read_text())).is_valid(wrong)


def test_a_subscription_is_a_queue_of_the_topology_with_every_event_that_may_be_heard():
    channel = DOCUMENT["channels"]["subscription"]
    queue = topology.subscription_queue("civil-affairs", "cases")
    assert channel["address"].format(owner="civil-affairs", subscription="cases") == queue.name
    assert set(channel["messages"]) == {event.type for event in topology.history_of(topology.SUBSCRIBABLE)}
    assert DOCUMENT["operations"]["hear-subscription"]["action"] == "receive"


def test_the_broker_takes_tokens_of_the_provider():
    [security] = DOCUMENT["servers"]["broker"]["security"]
    scheme = resolve(security["$ref"])
    assert scheme["flows"]["clientCredentials"]["tokenUrl"].startswith("https://hall.example/")
    assert (scheme["scopes"], RESOURCE in scheme["description"]) == ([SCOPE], True)


def test_every_published_channel_is_an_exchange_of_the_topology():
    published = [DOCUMENT["channels"][event.type] for event in EVENTS]
    exchanges = {channel["bindings"]["amqp"]["exchange"]["name"] for channel in published}
    assert exchanges == {topology.exchange(source) for source in topology.publishers()}


def test_an_address_has_the_parts_of_the_routing_key():
    for event in EVENTS:
        assert DOCUMENT["channels"][event.type]["address"].count(".") == event.type.count(".") + 4


def test_every_reference_leads_somewhere():
    text = json.dumps(DOCUMENT)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        assert resolve(reference)
