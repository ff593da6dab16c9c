"""What the warden concludes from what the broker's list shows, which is some seconds late."""

from datetime import UTC, datetime, timedelta

from services.identity.broker import Connection, Consumer
from services.identity.domain import Client
from services.identity.warden import MOST_CONNECTIONS, Warden

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONGEST = timedelta(seconds=24)
PROGRAM = Client("program", "Program", scopes=("events",), department="civil-affairs")


class List:
    """One connection with the consumers that the list shows at the moment."""

    def __init__(self):
        self.tags = ["reader"]
        self.is_closed = False

    def connections(self):
        return [] if self.is_closed else [Connection("a -> b", "program", NOON)]

    def consumers(self):
        return [Consumer("a -> b", 1, tag) for tag in self.tags]

    def close_connection(self, _name, _reason):
        self.is_closed = True


def test_a_proof_holds_though_its_consumer_is_gone_and_the_next_one_is_not_listed_yet():
    shown = List()
    warden = Warden(shown, LONGEST, "onehall")

    def look(second, *tags):
        shown.tags = ["reader", *tags]
        warden.look([PROGRAM], NOON + timedelta(seconds=second))
        return shown.is_closed

    assert not look(0)
    assert not look(10, "first-proof")
    assert not look(30)
    assert not look(33, "second-proof")
    assert not look(57)
    assert look(58)


def test_of_a_client_with_too_many_connections_the_newest_are_closed():
    many = [Connection(f"{n}", "program", NOON + timedelta(seconds=n)) for n in range(MOST_CONNECTIONS + 3)]
    others = [Connection("other", "neighbour", NOON + timedelta(hours=1))]
    shown = List()
    closed = {}
    shown.connections = lambda: [*reversed(many), *others]
    shown.close_connection = closed.__setitem__
    neighbour = Client("neighbour", "Neighbour", scopes=("events",), department="transport")
    Warden(shown, timedelta(days=1), "onehall").look([PROGRAM, neighbour], NOON + timedelta(hours=2))
    assert closed == {connection.name: "the client has too many connections" for connection in many[MOST_CONNECTIONS:]}
