"""`onehall-subscribe`: a department's events, one JSON line each, in order per case."""

from __future__ import annotations

import json
import logging
import os
import sys
from itertools import count
from pathlib import Path

import click

from contracts.envelope import Envelope
from contracts.topology import subscription_queue
from departments.credentials import ClientCredentials
from departments.dedupe import Dedupe, MemoryDedupe, SqliteDedupe
from departments.errors import SubscriptionError
from departments.subscriber import Subscriber

_SECRET_VARIABLE = "ONEHALL_CLIENT_SECRET"  # noqa: S105  the variable's name
_FILE = click.Path(dir_okay=False)
_READABLE_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--department", required=True, help="The department or organisation, such as civil-affairs.")
@click.option("--subscription", default="cases", show_default=True, help="Which of its subscriptions to read.")
@click.option("--amqp-uri", envvar="ONEHALL_AMQP_URI", required=True, help="amqp[s]://[user:password@]host:port/vhost")
@click.option("--issuer", envvar="ONEHALL_ISSUER", help="Sign in with tokens of this provider, such as https://host.")
@click.option("--client-id", envvar="ONEHALL_CLIENT_ID", help=f"Its client; the secret stands in {_SECRET_VARIABLE}.")
@click.option(
    "--client-secret-file", type=_READABLE_FILE, help=f"File with the secret, in place of {_SECRET_VARIABLE}."
)
@click.option("--dedupe", "dedupe_file", type=_FILE, help="File that remembers printed events.")
@click.option("--count", "limit", type=click.IntRange(min=1), help="Stop after this many events.")
def main(
    department: str,
    subscription: str,
    amqp_uri: str,
    issuer: str | None,
    client_id: str | None,
    client_secret_file: Path | None,
    dedupe_file: str | None,
    limit: int | None,
) -> None:
    """Print a department's events, one JSON line each, until stopped.

    An event is acknowledged once its line is out. One that was asked for again has the replay's id in "replay".
    Every address may stand in the environment instead, where it does not show in the list of processes.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    dedupe: Dedupe = SqliteDedupe(dedupe_file) if dedupe_file else MemoryDedupe()
    numbers = count(1)

    def print_event(envelope: Envelope) -> None:
        try:
            print(_line(envelope, subscriber.replay), flush=True)
        except BrokenPipeError:
            # the reader is gone: end without acknowledging, so that the next one gets this event; Python flushes
            # standard output once more at its end, and must find somewhere to
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        if next(numbers) == limit:
            subscriber.stop()

    try:
        credentials = _credentials(issuer, client_id, client_secret_file)
        queue = subscription_queue(department, subscription).name
        subscriber = Subscriber(amqp_uri, queue, dedupe, credentials=credentials)
        subscriber.run(print_event)
    except SubscriptionError as error:
        sys.exit(f"onehall-subscribe: {error}")


def _line(envelope: Envelope, replay: str | None) -> str:
    event = envelope.to_dict() if replay is None else envelope.to_dict() | {"replay": replay}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _credentials(issuer: str | None, client_id: str | None, secret_file: Path | None) -> ClientCredentials | None:
    if issuer is None and client_id is None:
        return None
    if issuer is None or client_id is None:
        raise click.UsageError("--issuer and --client-id belong together")
    secret = secret_file.read_text().strip() if secret_file else os.environ.get(_SECRET_VARIABLE)
    if not secret:
        raise click.UsageError(f"the client's secret is missing: set {_SECRET_VARIABLE} or give --client-secret-file")
    return ClientCredentials(issuer, client_id, secret)


if __name__ == "__main__":
    main()
