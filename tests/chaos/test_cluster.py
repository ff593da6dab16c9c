"""A cluster of three loses a node, then is cut in two: what a relay marked as confirmed is there in the end."""

import os
import threading
import uuid
from contextlib import ExitStack, closing

import httpx2
import psycopg2
import pytest

from chassis import outbox
from chassis.database import Database
from contracts import topology
from contracts.actors import SYSTEM
from contracts.events import CaseClosed, CaseSubmitted
from tests.chaos.cluster import AMQP, MANAGEMENT, SIZE, balanced, cluster
from tests.processes import running, wait_until

QUEUE = topology.service_queue("rating", "cases").name

ANSWER_SECONDS = 120
"""An election, a minority that pauses and a relay that connects anew, on a busy machine."""


def select(url, statement, cases):
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, (cases,))
        return cursor.fetchall()


class Publishing:
    """Cases filed and closed without pause, straight into the outbox."""

    def __init__(self, url):
        self._url = url
        self._database = Database(url)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.cases = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self._ended.set()
        self._thread.join()
        self._database.dispose()

    def _run(self):
        while not self._ended.wait(0.02):
            number = uuid.uuid4().hex
            concerns = (number, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")
            for sequence, event in enumerate((CaseSubmitted(*concerns), CaseClosed(*concerns, "approved")), 1):
                with self._database.transaction() as session:
                    outbox.add(session, event, sequence=sequence, actor=SYSTEM)
            self.cases.append(number)

    def confirmed(self):
        statement = "SELECT count(*) FROM outbox WHERE position IS NOT NULL AND subject = ANY(%s)"
        return select(self._url, statement, self.cases)[0][0]

    def wait_for_more(self, count):
        """Return when so many further events are confirmed."""
        wanted = self.confirmed() + count
        wait_until(f"{count} more events are confirmed", lambda: self.confirmed() >= wanted, ANSWER_SECONDS)


@pytest.mark.long
@pytest.mark.skipif(os.getuid() != 0, reason="only root may make network namespaces")
def test_a_node_killed_and_a_network_cut_lose_nothing_that_was_confirmed(servers, tmp_path):
    with ExitStack() as stack:
        nodes = stack.enter_context(cluster(tmp_path))
        broker = stack.enter_context(balanced(nodes, AMQP))
        management = f"http://{stack.enter_context(balanced(nodes, MANAGEMENT))}"
        addresses = {"AMQP_URI": f"amqp://{broker}/%2F", "ONEHALL_BROKER_MANAGEMENT_URL": management}
        for module in (["chassis.relay", "cases"], ["services.rating"]):
            stack.enter_context(running(module, servers.environment | addresses))
        publishing = stack.enter_context(Publishing(servers.environment["ONEHALL_CASES_DATABASE_URL"]))
        publishing.wait_for_more(20)
        wait_until("every node keeps the queue", lambda: len(queue(management).get("members", ())) == SIZE)

        # the first is the one that the balancer has sent the relay to, and leads its queues
        nodes[0].kill()
        publishing.wait_for_more(50)
        nodes[0].start()
        wait_until("it is back in the cluster", nodes[0].accepts, ANSWER_SECONDS)

        nodes[1].cut()
        wait_until("the minority refuses", lambda: not nodes[1].accepts(), ANSWER_SECONDS)
        publishing.wait_for_more(50)
        nodes[1].mend()
        wait_until("it is back in the cluster", nodes[1].accepts, ANSWER_SECONDS)
        publishing.wait_for_more(50)

        publishing.end()
        wait_until("all is confirmed", lambda: publishing.confirmed() == 2 * len(publishing.cases), ANSWER_SECONDS)
        rating = servers.environment["ONEHALL_RATING_DATABASE_URL"]
        wait_until(
            "all is handled", lambda: handled(rating, publishing.cases) == 2 * len(publishing.cases), ANSWER_SECONDS
        )
        invited = select(rating, "SELECT subject FROM outbox WHERE subject = ANY(%s)", publishing.cases)
        assert sorted(invited) == sorted((case,) for case in publishing.cases), "one invitation for each case"
        wait_until("nothing waits and nothing is in hand", lambda: queue(management).get("messages") == 0)


def handled(url, cases):
    """How many events of these cases have had their effect, each case in order."""
    statement = "SELECT coalesce(sum(sequence), 0) FROM inbox_cursor WHERE source = 'cases' AND subject = ANY(%s)"
    return select(url, statement, cases)[0][0]


def queue(management):
    """What the cluster says of the service's queue; nothing as long as it is not there."""
    queues = httpx2.get(f"{management}/api/queues").raise_for_status().json()
    return next((found for found in queues if found["name"] == QUEUE), {})
