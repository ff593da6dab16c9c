"""JSON log lines on standard error, each with the request it belongs to."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from chassis import context


class _RequestFilter(logging.Filter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def filter(self, record: logging.LogRecord) -> bool:
        record.process_name = self._process
        record.correlation_id = context.correlation_id.get()
        record.traceparent = context.traceparent.get()
        return True


def configure(process: str, level: int = logging.INFO) -> None:
    """`process` is the name in the topology, such as `cases` or `relay-cases`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_RequestFilter(process))
    handler.setFormatter(
        JsonFormatter(
            "%(asctime)s %(levelname)s %(process_name)s %(name)s %(message)s %(correlation_id)s %(traceparent)s",
            rename_fields={"asctime": "time", "levelname": "level", "process_name": "process", "name": "logger"},
            json_ensure_ascii=False,
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # one line a call from these says nothing that a metric does not say better
    logging.getLogger("nameko").setLevel(logging.ERROR)
    for noisy in ("amqp", "pika", "aiormq", "aio_pika", "httpx2", "httpcore2", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
