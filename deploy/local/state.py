"""Where a local platform keeps its things: one folder, and ports that follow from the gateway's."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from contracts.topology import SERVICES, processes
from contracts.topology import port as port_of_slot
from deploy.local.report import Failure

ROOT = Path(__file__).resolve().parents[2]

SLOTS = {
    "broker": 1,
    "broker-distribution": 2,
    "epmd": 3,
    "database": 4,
    "smtp": 5,
    "broker-management": 6,
    "sms": 7,
    "registry": 8,
    "clamd": 9,
}
"""The servers that are not ours; our own processes carry their slot in `contracts.topology`."""


@dataclass(frozen=True, slots=True)
class State:
    """The folder `ONEHALL_STATE`."""

    folder: Path

    @property
    def environment(self) -> Path:
        return self.folder / "environment"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def ports(self) -> Path:
        return self.folder / "ports.json"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def sms(self) -> Path:
        return self.folder / "sms"

    @property
    def files(self) -> Path:
        return (self.folder / "files").absolute()

    @property
    def database(self) -> Path:
        return self.folder / "database"

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def supervisor_configuration(self) -> Path:
        return self.folder / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        return self.folder / "supervisord.pid"

    @property
    def socket_folder(self) -> Path:
        """A Unix socket's path may have 107 bytes at most, and a checkout may lie deeper than that."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(f"/tmp/onehall-{os.getuid()}-{digest}")  # noqa: S108  made by us alone, see create_socket_folder()

    @property
    def supervisor_socket(self) -> Path:
        return self.socket_folder / "supervisor.sock"

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # The folder itself stays open: started by root, PostgreSQL is another user and must reach its database/.
        for folder in (self.log, self.broker):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)  # an earlier version left them open

    def create_socket_folder(self) -> None:
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        found = self.socket_folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise Failure(f"{self.socket_folder} is not a private folder of yours; remove it and try again")

    def write_private(self, path: Path, text: str) -> None:
        """Write a file that only its owner may read, whole or not at all."""
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(text)
        new.rename(path)

    def read_ports(self) -> dict[str, int]:
        return dict(json.loads(self.ports.read_text())) if self.ports.exists() else {}


def replica_name(process: str, replica: int) -> str:
    """`cases`, `cases-2`, `cases-3`: the first replica has the process' own name."""
    return process if replica == 0 else f"{process}-{replica + 1}"


def ports_for(gateway_port: int, replicas: int) -> dict[str, int]:
    """Name -> port, of everything that listens. Only the services are replicated."""
    ports = {name: port_of_slot(gateway_port, slot) for name, slot in SLOTS.items()}
    for process in processes():
        for replica in range(replicas if process.name in SERVICES else 1):
            ports[replica_name(process.name, replica)] = port_of_slot(gateway_port, process.slot) + replica
    if max(ports.values()) > 65_535:
        raise Failure(f"ONEHALL_PORT={gateway_port} is too high: the last port would be {max(ports.values())}")
    return ports


def replicas_in(ports: dict[str, int]) -> int:
    """How many of each service a platform with these ports runs."""
    count = 1
    while replica_name(SERVICES[0], count) in ports:
        count += 1
    return count
