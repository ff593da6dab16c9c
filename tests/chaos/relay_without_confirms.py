"""A relay that takes an event for delivered once it is written to the connection: nothing is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic, Confirm

from chassis.relay.__main__ import main
from chassis.relay.wire import Connection

OnFrame = Callable[[Method], None]


def pretend_to_confirm(self: Any, ack_nack_callback: OnFrame, callback: OnFrame) -> None:
    """The broker is not asked for confirms; it would send none that we could mistake for ours."""
    self.on_confirm, self.published = ack_nack_callback, 0
    self.connection.ioloop.call_later(0, lambda: callback(Method(self.channel_number, Confirm.SelectOk())))


def confirming(publish: Callable[..., None]) -> Callable[..., None]:
    """The same, and what was written counts as confirmed."""

    def publish_and_confirm(self: Any, channel: Any, target: str, rows: list[Any], *more: Any) -> None:
        publish(self, channel, target, rows, *more)
        channel.published += len(rows)
        if rows:
            frame = Method(channel.channel_number, Basic.Ack(channel.published, multiple=True))
            self.ioloop.call_later(0, lambda: channel.on_confirm(frame))

    return publish_and_confirm


if __name__ == "__main__":
    Channel.confirm_delivery = pretend_to_confirm
    Connection.publish = confirming(Connection.publish)
    Connection.publish_to = confirming(Connection.publish_to)
    main()
