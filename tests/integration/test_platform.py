"""What the local platform's processes and files give away, and to whom."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg2
import pytest

from deploy.local import database
from deploy.local.environment import is_ours
from deploy.local.platform import Platform
from deploy.local.supervision import supervisor_process
from tests.processes import wait_until


def processes_of(platform: Platform, name: str) -> list[psutil.Process]:
    parents = [psutil.Process(pid) for pid in platform.pids(name)]
    return parents + [child for parent in parents for child in parent.children(recursive=True)]


def kept_in_memory(process: psutil.Process) -> str:
    """What others of the same user read in /proc."""
    return (Path("/proc") / str(process.pid) / "environ").read_text(errors="replace")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
@pytest.mark.parametrize("name", ["database", "epmd", "broker", "smtp", "sms"])
def test_a_server_knows_no_secret(name: str, servers: Platform) -> None:
    environments = [kept_in_memory(process) for process in processes_of(servers, name)]

    assert environments
    assert not [secret for secret in servers.secret.values() for text in environments if secret in text]


def test_supervisor_knows_nothing_that_its_children_could_inherit(servers: Platform) -> None:
    supervisor = supervisor_process(servers.state)
    assert supervisor
    assert not [name for name in supervisor.environ() if is_ours(name)]


def test_logs_and_the_broker_are_closed_to_others(servers: Platform) -> None:
    state = servers.state
    # database/ belongs to the server's user, and to us when that is the same
    for folder in (state.log, state.broker, state.database / "data"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in (state.environment, state.secrets, state.supervisor_configuration):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_folders_of_an_earlier_version_are_closed(tmp_path: Path) -> None:
    state = Platform(tmp_path, 8000).state
    state.log.mkdir(mode=0o755)
    state.broker.mkdir(mode=0o755)

    state.create()

    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (state.log, state.broker)} == {0o700}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO form VALUES (1, 'filled in by a citizen')",
        "INSERT INTO form VALUES (NULL, 'filled in by a citizen')",
        "INSERT INTO nowhere VALUES (1, 'filled in by a citizen')",
    ],
)
def test_a_failed_statement_leaves_no_form_in_the_log(statement: str, servers: Platform) -> None:
    log = servers.state.log / "database.log"
    begun = log.stat().st_size
    connection = database.connect(servers.ports["database"], servers.secret["database"])
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE form (number int PRIMARY KEY, text text); INSERT INTO form VALUES (1, '')"
        )
        with pytest.raises(psycopg2.Error):
            cursor.execute(statement)
        connection.rollback()
        cursor.execute("DO $$ BEGIN RAISE WARNING 'this is logged'; END $$")
    connection.close()

    told = wait_for_line(log, begun, "this is logged")
    assert "ERROR:" in told
    assert "filled in" not in told


def wait_for_line(log: Path, begun: int, line: str) -> str:
    def told() -> str:
        with log.open() as file:
            file.seek(begun)
            text = file.read()
        return text if line in text else ""

    return wait_until(f"{line} in {log.name}", told)
