"""`onehall events replay` and `list-replays` over a real database."""

import sys

import pytest

from cli.__main__ import main
from contracts import topology
from tests.integration.subscriptions import Subscription
from tests.processes import running, wait_until

RELAY = ["chassis.relay", "cases"]


@pytest.fixture
def subscription(cases_database, amqp_uri):
    subscription = Subscription(cases_database, amqp_uri)
    yield subscription
    subscription.close()


@pytest.fixture
def run(servers, monkeypatch, capsys):
    """Runs `onehall events` and gives its exit code, output and errors."""
    for name, value in servers.environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["onehall", "events", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run


def test_a_subscriber_is_sent_a_range_again_and_the_replay_is_listed_until_then(servers, subscription, run):
    with running(RELAY, servers.environment):
        subscription.go_live()
        filed = subscription.file(6)
        wait_until("all is heard", lambda: subscription.take() == filed)
    first, last = subscription.positions()[2], subscription.positions()[3]
    code, out, _ = run("replay", "--subscriber", subscription.queue.name, "--from", str(first), "--until", str(last))
    assert code == 0
    replay = out.split()[-1]
    assert out == f"{subscription.queue.name}\t{first}\t{last}\t{replay}\n"
    listed = run("list-replays")[1]
    assert f"cases\t{subscription.queue.name}\tagain\t{first - 1}\t{last}\t" in listed
    with running(RELAY, servers.environment):
        wait_until("they are heard again", lambda: subscription.take() == filed + filed[2:4])
        wait_until("it is listed no more", lambda: replay not in run("list-replays")[1])


def test_a_service_means_all_its_queues(servers, subscription, run):
    with running(RELAY, servers.environment):
        subscription.file(1)
        wait_until("there is history", subscription.positions)
    out = run("replay", "--subscriber", "rating")[1]
    assert [line.split("\t")[0] for line in out.splitlines()] == [topology.service_queue("rating", "cases").name]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--subscriber", "nobody"), "no subscriber nobody"),
        (("--subscriber", "rating", "--from", "yesterday"), "yesterday is no position, no time"),
        (("--subscriber", "rating", "--from", "999999999"), "no event of cases lies there"),
    ],
)
def test_what_cannot_be_sent_is_said(run, arguments, told):
    code, _, err = run("replay", *arguments)
    assert code == 2
    assert told in err
