"""Docker Compose's file against its published schema, and every name in it against what it names."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_READ = re.compile(r"\$\{(\w+)")
_ASSIGNED = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)
_SECRET = re.compile("PASSWORD|SECRET|KEY")

_SET_AT_RELEASE = {"ONEHALL_VERSION"}
_FOR_COMPOSE = {"COMPOSE_PROFILES"}


def read(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text())
    return content


def faults(root: Path) -> Iterator[str]:
    yield from _schema_faults(root / "docker-compose.yml")
    content = read(root)
    for name, service in content["services"].items():
        yield from (f"{name}: {fault}" for fault in _service_faults(root, content, service))
    yield from _env_faults(root)


def _schema_faults(path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        yield (done.stdout + done.stderr).strip()


def _service_faults(root: Path, content: dict[str, Any], service: dict[str, Any]) -> Iterator[str]:
    yield from _dependency_faults(content["services"], service.get("depends_on", {}))
    yield from (f"network {name} is not declared" for name in service["networks"] if name not in content["networks"])
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith(".") and not (root / source).exists():
            yield f"mounts {source}, which does not exist"
        elif not source.startswith(".") and source not in content["volumes"]:
            yield f"volume {source} is not declared"
    yield from (f"has no {key}" for key in ("restart", "mem_limit") if key not in service)


def _dependency_faults(services: dict[str, Any], needs: dict[str, Any]) -> Iterator[str]:
    for name, need in needs.items():
        if name not in services:
            yield f"depends on {name}, which is not a service"
        elif need["condition"] == "service_healthy" and "healthcheck" not in services[name]:
            yield f"waits for {name} to be healthy, which has no healthcheck"


def _env_faults(root: Path) -> Iterator[str]:
    """`.env.example` names exactly what the file reads, and no secret has a value that would silently work."""
    text, example = (root / "docker-compose.yml").read_text(), (root / ".env.example").read_text()
    read, documented = set(_READ.findall(text)) - _SET_AT_RELEASE, dict(_ASSIGNED.findall(example))
    yield from (f"{name} is read but not in .env.example" for name in read - documented.keys())
    yield from (f".env.example has {name}, which nothing reads" for name in documented.keys() - read - _FOR_COMPOSE)
    for name in filter(_SECRET.search, documented):
        if documented[name]:
            yield f".env.example gives {name} a value"
        if re.search(rf"\$\{{{name}(?!:\?|:-\}})", text):
            yield f"{name} has a default or may be missing"
