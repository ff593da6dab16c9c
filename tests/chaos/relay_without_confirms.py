"""A relay that takes an event for delivered once it is written to the connection: nothing is waited for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic, Confirm

from chassis.relay.__main__ import main

publish = Channel.basic_publish


def pretend_to_confirm(
    self: Any, ack_nack_callback: Callable[[Method], None], callback: Callable[[Method], None]
) -> None:
    self.on_confirm, self.tags = ack_nack_callback, count(1)
    self.connection.ioloop.call_later(0, lambda: callback(Method(self.channel_number, Confirm.SelectOk())))


def publish_and_confirm(self: Any, *arguments: Any, **more: Any) -> None:
    publish(self, *arguments, **more)
    if hasattr(self, "tags"):
        confirmation = Method(self.channel_number, Basic.Ack(next(self.tags)))
        self.connection.ioloop.call_later(0, lambda: self.on_confirm(confirmation))


if __name__ == "__main__":
    Channel.confirm_delivery = pretend_to_confirm
    Channel.basic_publish = publish_and_confirm
    main()
