"""The yardstick's service: one call that returns what it was given."""

from chassis.rpc import rpc
from chassis.run import run
from chassis.service import Service


class EchoService(Service):
    # the name only has to be one with a database address, which every service's base asks for
    name = "rating"

    @rpc
    def echo(self, value: str) -> str:
        return value


if __name__ == "__main__":
    run("bench.echo_service:EchoService")
