"""One database a service: an engine, and `transaction()`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.postgres import TCP_LIMITS, is_away
from contracts.errors import ServiceUnavailable

_POOL_SECONDS = 5
_STATEMENT_MILLISECONDS = 30_000
_LOCK_MILLISECONDS = 10_000

Session = Connection
"""One transaction, SQLAlchemy Core only: entities and what looks after them cost more than the statements."""


class Database:
    """A pool of connections to `url` (`postgresql://user:password@host:port/name`)."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = url
        self._engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg2://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            pool_use_lifo=True,
            # no ping before use: after a restart of the server one call of each process is answered 503, and the
            # pool, which then drops every old connection, costs all other calls nothing
            pool_pre_ping=False,
            # statements carry what people wrote in forms: never into a log
            hide_parameters=True,
            connect_args=TCP_LIMITS
            | {
                "options": f"-c statement_timeout={_STATEMENT_MILLISECONDS} -c lock_timeout={_LOCK_MILLISECONDS}"
                f" -c idle_in_transaction_session_timeout={_STATEMENT_MILLISECONDS} -c timezone=UTC",
                "application_name": "onehall",
            },
        )
        event.listen(self._engine, "handle_error", _forget_values)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit at the end, roll back on any error.

        A server that is away, going down, or too busy for a lock raises `ServiceUnavailable("database")`.
        """
        try:
            with self._engine.begin() as session:
                yield session
        except PoolTimeoutError as error:
            raise ServiceUnavailable("database") from error
        except DBAPIError as error:
            if _is_away(error):
                raise ServiceUnavailable("database") from error
            raise

    def is_reachable(self) -> bool:
        try:
            with self.transaction() as session:
                session.execute(text("SELECT 1"))
        except ServiceUnavailable:
            return False
        return True

    def dispose(self) -> None:
        """Close every idle connection."""
        self._engine.dispose()


def _forget_values(context: ExceptionContext) -> None:
    """PostgreSQL repeats the row or the value that it refuses ("Failing row contains ..."), and stacks are logged.

    What is left is which rule was broken; the rest of `hide_parameters` is SQLAlchemy's.
    """
    primary = getattr(getattr(context.original_exception, "diag", None), "message_primary", None)
    if primary is None:
        return
    kind, rule = type(context.original_exception).__name__, primary.partition(': "')[0]
    context.original_exception.args = (rule,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({kind}) {rule}",)


def _is_away(error: DBAPIError) -> bool:
    sqlstate = getattr(error.orig, "pgcode", None)
    # libpq has no SQLSTATE for a connection that was refused or lost
    return is_away(sqlstate) if sqlstate else isinstance(error, OperationalError | InterfaceError)
