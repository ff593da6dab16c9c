"""The yardstick's service: one call that returns what it was given."""

from chassis.rpc import rpc
from chassis.service import Service


class EchoService(Service):
    # the name only has to be one with a database address, which every service's base asks for
    name = "rating"

    @rpc
    def echo(self, value: str) -> str:
        return value
