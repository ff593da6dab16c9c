"""The queue through which a service is called, deleted while all of them work."""

from contextlib import closing

import pika

from contracts.broker_accounts import rpc_queue
from deploy.local.platform import Platform
from tests.people import People
from tests.processes import wait_until


def test_a_queue_of_calls_that_was_deleted_is_made_again(platform: Platform, people: People) -> None:
    citizen = people.sign_in("citizen")
    citizen.get("/api/v1/inbox").raise_for_status()
    with closing(pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))) as connection:
        connection.channel().queue_delete(rpc_queue("notify"))

    wait_until("calls are answered again", lambda: citizen.get("/api/v1/inbox").status_code == 200)
