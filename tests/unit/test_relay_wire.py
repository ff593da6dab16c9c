"""The bytes are those that pika itself would send."""

import uuid
from datetime import UTC, datetime

import pytest
from pika import frame
from pika.spec import Basic, BasicProperties

from chassis.relay.messages import Row
from chassis.relay.wire import Connection

MOST = 100


class Channel:
    channel_number = 3


class Written(Connection):
    """Not connected."""

    def __init__(self):
        self._body_max_length = MOST
        self.written = b""

    def _output_marshaled_frames(self, marshaled_frames):
        self.written += b"".join(marshaled_frames)


def expected(exchange, routing_key, row, headers=None):
    properties = BasicProperties(
        content_type="application/cloudevents+json", delivery_mode=2, message_id=row.event_id, headers=headers
    )
    body = row.body.encode()
    frames = [
        frame.Method(3, Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=True)),
        frame.Header(3, len(body), properties),
        *(frame.Body(3, body[at : at + MOST]) for at in range(0, len(body), MOST)),
    ]
    return b"".join(frame.marshal() for frame in frames)


def row(body):
    return Row(1, str(uuid.uuid4()), "case.submitted.a.b.c.d", body, datetime.now(UTC))


@pytest.mark.parametrize("body", ["{}", "x" * MOST, "字" * MOST])
def test_an_event_goes_by_its_routing_key(body):
    connection, rows = Written(), [row(body), row(body + "y")]
    connection.publish(Channel, "cases.events", rows)
    assert connection.written == b"".join(expected("cases.events", one.routing_key, one) for one in rows)


def test_an_event_of_a_replay_goes_to_its_queue_and_says_which_replay():
    connection, again = Written(), row("{}")
    connection.publish_to(Channel, "dept.a.b", [again], "42")
    assert connection.written == expected("dept.a.b.back", "dept.a.b", again, {"onehall-replay": "42"})


def test_nothing_is_written_of_nothing():
    connection = Written()
    connection.publish(Channel, "cases.events", [])
    assert connection.written == b""
