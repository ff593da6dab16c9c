"""Prometheus' configuration and rules: their shape, and every metric, file and runbook that they name."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

_METRIC = re.compile(r"\b(onehall_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\bby \(([^)]*)\)")
_SUFFIX = re.compile(r"_(total|bucket|count|sum|created)$")
_KINDS = {"Counter", "Gauge", "Histogram"}
CODE = ("chassis", "services", "gateway")
_ADDED_BY_PROMETHEUS = {"job", "instance", "process", "le"}


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def alerts(root: Path) -> list[dict[str, Any]]:
    groups = read(root / "deploy" / "prometheus" / "alerts.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def targets(root: Path, job: str) -> list[str]:
    jobs = read(root / "deploy" / "prometheus" / "prometheus.yml")["scrape_configs"]
    configs = next(entry["static_configs"] for entry in jobs if entry["job_name"] == job)
    return [target for config in configs for target in config["targets"]]


def faults(root: Path) -> Iterator[str]:
    folder = root / "deploy" / "prometheus"
    for name in read(folder / "prometheus.yml")["rule_files"]:
        if not (folder / name).is_file():
            yield f"prometheus.yml: rule file {name} does not exist"
    schema = json.loads((folder / "rules.schema.json").read_text())
    for error in Draft202012Validator(schema).iter_errors(read(folder / "alerts.yml")):
        yield f"alerts.yml: {error.json_path}: {error.message}"
    known, headings = known_metrics(root), _headings(root / "docs" / "operations.md")
    for rule in alerts(root):
        yield from (f"{rule['alert']}: {fault}" for fault in _rule_faults(rule, known, headings))
    yield from _promtool_faults(folder)


def _rule_faults(rule: dict[str, Any], known: dict[str, set[str]], headings: set[str]) -> Iterator[str]:
    available = set(_ADDED_BY_PROMETHEUS)
    for metric, matchers in _METRIC.findall(rule["expr"]):
        name = metric if metric in known else _SUFFIX.sub("", metric)
        if name not in known:
            yield f"no code gives the metric {metric}"
            continue
        available |= known[name]
        for label in set(_LABEL.findall(matchers)) - known[name] - _ADDED_BY_PROMETHEUS:
            yield f"{metric} has no label {label}"
    grouped = {label.strip() for group in _GROUPING.findall(rule["expr"]) for label in group.split(",")}
    yield from (f"groups by {label}, which none of its metrics has" for label in grouped - available)
    if rule["expr"].count("(") != rule["expr"].count(")"):
        yield "its expression has an open bracket"
    runbook = rule.get("annotations", {}).get("runbook", "")
    if runbook.partition("#")[2] not in headings:
        yield f"its runbook {runbook} is not a heading there"


def known_metrics(root: Path) -> dict[str, set[str]]:
    """Name without suffix -> labels, of every metric that our code declares; read, not imported."""
    found: dict[str, set[str]] = {}
    for path in (path for package in CODE for path in (root / package).rglob("*.py")):
        text = path.read_text()
        if "prometheus_client" in text:
            found |= dict(_declared(ast.parse(text)))
    return found


def _declared(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), _, *rest]) if kind in _KINDS:
                labels = rest[0].elts if rest and isinstance(rest[0], ast.List | ast.Tuple) else []
                yield name, {str(label.value) for label in labels if isinstance(label, ast.Constant)}


def _headings(path: Path) -> set[str]:
    """The anchors of a Markdown file, as its readers' tools make them."""
    titles = re.findall(r"^#+ +(.+)$", path.read_text(), re.MULTILINE) if path.is_file() else []
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


def _promtool_faults(folder: Path) -> Iterator[str]:
    if shutil.which("promtool") is None:
        return
    command = ["promtool", "check", "config", str(folder / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        yield (done.stderr or done.stdout).strip()
