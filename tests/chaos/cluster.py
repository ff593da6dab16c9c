"""Three RabbitMQ nodes in network namespaces of their own: a real cluster whose network can be cut.

Every node has two interfaces, as in a data centre: one to its clients (this machine), one to its peers, who meet at a
switch in a fourth namespace. `cut` pulls a node's cable out of the switch; its clients still reach it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

from deploy.local.broker import find_program
from tests.processes import wait_until

SIZE = 3
START_SECONDS = 180
AMQP, MANAGEMENT = 5672, 15672
USER, PASSWORD = "onehall", "onehall-cluster"

TICK_SECONDS = 8
"""How long a peer may be silent before it is taken for gone. RabbitMQ's own is 60, which tests need not wait for."""

SWITCH = "onehall-switch"


class Node:
    """`number` counts from 1."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.name = name_of(number)
        self.address = f"10.213.{number}.2"
        self._namespace = f"onehall-node-{number}"
        self._outside = f"onehall-{number}"
        self._cable = f"node-{number}"
        self._folder = folder / f"node-{number}"
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        """Give it its namespace, its link to this machine and its cable to the switch."""
        _ip("netns", "add", self._namespace)
        _ip("link", "add", self._outside, "type", "veth", "peer", "name", "clients", "netns", self._namespace)
        _ip("address", "add", f"10.213.{self.number}.1/30", "dev", self._outside)
        _ip("link", "set", self._outside, "up")
        _ip("-n", SWITCH, "link", "add", self._cable, "type", "veth", "peer", "name", "peers", "netns", self._namespace)
        _ip("-n", SWITCH, "link", "set", self._cable, "master", "bridge", "up")
        for address, device in ((f"{self.address}/30", "clients"), (f"{host_of(self.number)}/24", "peers")):
            _ip("-n", self._namespace, "address", "add", address, "dev", device)
            _ip("-n", self._namespace, "link", "set", device, "up")
        _ip("-n", self._namespace, "link", "set", "lo", "up")

    def start(self) -> None:
        """Without waiting for it: the nodes of a new cluster wait for each other."""
        self._folder.mkdir(exist_ok=True)
        self._write_settings()
        command = ["ip", "netns", "exec", self._namespace, find_program("rabbitmq-server")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=os.environ | self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL to everything of this node, its port mapper too."""
        for pid in _ip("netns", "pids", self._namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def cut(self) -> None:
        """Its peers and it no longer hear each other; nothing tells them so. Its clients still reach it."""
        _ip("-n", SWITCH, "link", "set", self._cable, "down")

    def mend(self) -> None:
        _ip("-n", SWITCH, "link", "set", self._cable, "up")

    def accepts(self) -> bool:
        """Whether it takes clients: it listens once it has started, and as long as it sees a majority."""
        try:
            socket.create_connection((self.address, AMQP), timeout=1).close()
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """What is left of it, whatever state it is in."""
        if self._namespace in _ip("netns", "list").split():
            self.kill()
            _ip("netns", "delete", self._namespace)

    def _write_settings(self) -> None:
        settings = [
            f"listeners.tcp.default = 0.0.0.0:{AMQP}",
            "cluster_formation.peer_discovery_backend = classic_config",
            *(f"cluster_formation.classic_config.nodes.{peer} = {name_of(peer)}" for peer in range(1, SIZE + 1)),
            "cluster_partition_handling = pause_minority",
            f"default_user = {USER}",
            f"default_pass = {PASSWORD}",
            "loopback_users = none",
            "log.file = false",
            "log.console = true",
            "log.console.level = warning",
        ]
        (self._folder / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
        (self._folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        cookie = self._folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text("one-cookie-for-all-three")
            cookie.chmod(0o400)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self._folder),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "none"),
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self._folder / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(self._folder / "schema"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
            # one scheduler each: there are three of them on one machine
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel net_ticktime {TICK_SECONDS} +S 1:1",
        }


def name_of(number: int) -> str:
    return f"rabbit@{host_of(number)}"


def host_of(number: int) -> str:
    """Where its peers find it."""
    return f"10.214.0.{number}"


@contextmanager
def cluster(folder: Path) -> Iterator[list[Node]]:
    """All nodes accept clients. Needs the right to make network namespaces (root)."""
    nodes = [Node(number, folder) for number in range(1, SIZE + 1)]
    _remove(nodes)
    try:
        _ip("netns", "add", SWITCH)
        _ip("-n", SWITCH, "link", "add", "bridge", "type", "bridge")
        _ip("-n", SWITCH, "link", "set", "bridge", "up")
        for node in nodes:
            node.connect()
            node.start()
        for node in nodes:
            wait_until(f"{node.name} accepts clients", node.accepts, START_SECONDS)
        yield nodes
    finally:
        _remove(nodes)


def _remove(nodes: list[Node]) -> None:
    for node in nodes:
        node.remove()
    if SWITCH in _ip("netns", "list").split():
        _ip("netns", "delete", SWITCH)


def _ip(*arguments: str) -> str:
    """The output of iproute2's `ip`."""
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


class Balancer(ThreadingTCPServer):
    """What stands before a cluster in production: one address, and behind it whichever node takes the connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, nodes: list[Node], port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Relayed)
        self._addresses = [(node.address, port) for node in nodes]
        self.port = self.server_address[1]

    def reach_a_node(self) -> socket.socket:
        for address in self._addresses:
            with suppress(OSError):
                return socket.create_connection(address, timeout=1)
        raise ConnectionRefusedError("no node takes connections")


class _Relayed(BaseRequestHandler):
    server: Balancer

    def handle(self) -> None:
        with suppress(OSError), self.server.reach_a_node() as node:
            node.settimeout(None)
            threading.Thread(target=_copy, args=(node, self.request), daemon=True).start()
            _copy(self.request, node)


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Until either side ends; then both do."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def balanced(nodes: list[Node], port: int) -> Iterator[str]:
    """`user:password@host:port` of the cluster."""
    with Balancer(nodes, port) as balancer:
        threading.Thread(target=balancer.serve_forever, daemon=True).start()
        try:
            yield f"{USER}:{PASSWORD}@127.0.0.1:{balancer.port}"
        finally:
            balancer.shutdown()
