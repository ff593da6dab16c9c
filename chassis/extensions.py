"""What the extensions of one Nameko service share: its HTTP server and its database."""

from __future__ import annotations

from nameko.extensions import SharedExtension

from chassis import http
from chassis.database import Database
from chassis.settings import database_url


class HttpServer(SharedExtension):
    """Extensions `add` their routes in `setup`; the server runs from `start` to `stop`."""

    def __init__(self) -> None:
        super().__init__()
        self._routes: dict[str, http.Application] = {}
        self._checks: dict[str, list[http.Check]] = {}

    def add_check(self, path: str, passes: http.Check) -> None:
        """One more condition for the probe at `path`."""
        checks = self._checks.setdefault(path, [])
        checks.append(passes)
        self.add(path, http.check(lambda: all(condition() for condition in checks)))

    def add(self, path: str, application: http.Application) -> None:
        self._routes[path] = application

    def start(self) -> None:
        settings = self.container.config["settings"]
        self._server = http.serve(settings.http_host, settings.http_port, self._routes)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class ServiceDatabase(SharedExtension):
    """The service's own database. A server that is away fails the call that needs it, not the process."""

    http = HttpServer()

    def setup(self) -> None:
        self.database = Database(database_url(self.container.service_name), pool_size=self.container.max_workers)
        self.http.add_check("/readyz", self.database.is_reachable)

    def stop(self) -> None:
        self.database.dispose()
