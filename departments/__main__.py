"""`onehall-subscribe`: a department's events, one JSON line each, in order per case."""

from __future__ import annotations

import logging
import os
import sys
from itertools import count

import click

from contracts.envelope import Envelope
from contracts.topology import subscription_queue
from departments.dedupe import Dedupe, MemoryDedupe, SqliteDedupe
from departments.feed import SubscriptionError
from departments.subscriber import Subscriber


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--department", required=True, help="The department's name, such as civil-affairs.")
@click.option("--subscription", default="cases", show_default=True, help="Which of its subscriptions to read.")
@click.option("--amqp-uri", envvar="ONEHALL_AMQP_URI", required=True, help="amqp[s]://user:password@host:port/vhost")
@click.option("--dedupe", "dedupe_file", type=click.Path(dir_okay=False), help="File that remembers printed events.")
@click.option("--count", "limit", type=click.IntRange(min=1), help="Stop after this many events.")
def main(department: str, subscription: str, amqp_uri: str, dedupe_file: str | None, limit: int | None) -> None:
    """Print a department's events, one JSON line each, until stopped.

    An event is acknowledged once its line is out. The address may stand in ONEHALL_AMQP_URI instead, where it does
    not show in the list of processes.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    dedupe: Dedupe = SqliteDedupe(dedupe_file) if dedupe_file else MemoryDedupe()
    numbers = count(1)

    def print_event(envelope: Envelope) -> None:
        try:
            print(envelope.to_json(), flush=True)
        except BrokenPipeError:
            # the reader is gone: end without acknowledging, so that the next one gets this event; Python flushes
            # standard output once more at its end, and must find somewhere to
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        if next(numbers) == limit:
            subscriber.stop()

    try:
        subscriber = Subscriber(amqp_uri, subscription_queue(department, subscription).name, dedupe)
        subscriber.run(print_event)
    except SubscriptionError as error:
        sys.exit(f"onehall-subscribe: {error}")


if __name__ == "__main__":
    main()
