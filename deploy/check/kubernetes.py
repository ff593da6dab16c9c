"""The rendered base against Kubernetes' own schema, and every reference in it against what it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import yaml

from deploy.check.kustomize import Document, KustomizationBroken, containers, files_named_by, pod_template, render

VERSION = "1.32"
"""The oldest Kubernetes that the base is for (`matchLabelKeys`, the `sleep` action)."""

_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_HARDENED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
_ADDRESS = re.compile(r"^http://([a-z-]+):(\d+)$")


def base_of(root: Path) -> Path:
    return root / "deploy" / "k8s" / "base"


def faults(root: Path) -> Iterator[str]:
    try:
        documents = render(base_of(root))
    except KustomizationBroken as error:
        yield f"kustomization.yaml: {error}"
        return
    yield from _unlisted_files(base_of(root))
    secrets = yaml.safe_load((root / "deploy" / "k8s" / "secrets.yaml").read_text())
    misshapen = [fault for document in documents for fault in _named(document, _schema_faults(document))]
    yield from misshapen
    # references are only looked for in documents of the right shape
    for document in documents if not misshapen else []:
        yield from _named(document, _reference_faults(document, documents, secrets))


def _named(document: Document, faults: Iterable[str]) -> Iterator[str]:
    return (f"{document['kind']} {document['metadata']['name']}: {fault}" for fault in faults)


def _unlisted_files(base: Path) -> Iterator[str]:
    present = {path.name for path in base.iterdir()} - {"kustomization.yaml"}
    yield from (f"kustomization.yaml does not name {name}" for name in present - files_named_by(base))


def _schema_faults(document: Document) -> Iterator[str]:
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield str(error)


def _reference_faults(document: Document, documents: list[Document], secrets: Document) -> Iterator[str]:
    match document["kind"]:
        case "Deployment" | "Job":
            yield from _pod_faults(document, documents, secrets)
        case "Service":
            yield from _service_faults(document, documents)
        case "PodDisruptionBudget":
            if len(selected(document["spec"]["selector"], documents)) != 1:
                yield "does not select exactly one workload"
        case "NetworkPolicy":
            yield from _policy_faults(document["spec"], documents)
        case "ConfigMap":
            yield from _address_faults(document["data"], documents)


def _pod_faults(document: Document, documents: list[Document], secrets: Document) -> Iterator[str]:
    spec, labels = pod_template(document)["spec"], pod_template(document)["metadata"]["labels"]
    if document["kind"] == "Deployment" and not _matches(document["spec"]["selector"], labels):
        yield "its selector does not match its own pods"
    if not spec["securityContext"].get("runAsNonRoot"):
        yield "may run as root"
    if spec["securityContext"].get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for container in containers(document):
        yield from _container_faults(container, volumes)
        yield from _environment_faults(container, documents, secrets)
        if document["kind"] == "Deployment":
            yield from _probe_faults(container)


def _container_faults(container: Document, volumes: set[str]) -> Iterator[str]:
    if container.get("securityContext") != _HARDENED:
        yield f"container {container['name']} is not hardened"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield f"container {container['name']} has no memory limit"
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            yield f"mounts {mount['name']}, which is not a volume of the pod"


def _environment_faults(container: Document, documents: list[Document], secrets: Document) -> Iterator[str]:
    for source in container.get("envFrom", []):
        name = source["configMapRef"]["name"]
        if not any(_is(document, "ConfigMap", name) for document in documents):
            yield f"takes its environment from ConfigMap {name}, which does not exist"
    for variable in container.get("env", []):
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        if reference and reference["key"] not in secrets.get(reference["name"], {}):
            yield f"{variable['name']} refers to {reference['name']}/{reference['key']}, not in secrets.yaml"
    used = [variable["name"] for variable in container.get("env", [])]
    yield from (f"sets {name} twice" for name in set(used) if used.count(name) > 1)


def _probe_faults(container: Document) -> Iterator[str]:
    ports = {port["name"] for port in container.get("ports", [])}
    for probe in _PROBES:
        if probe not in container:
            yield f"has no {probe}"
        elif container[probe]["httpGet"]["port"] not in ports:
            yield f"{probe} asks port {container[probe]['httpGet']['port']}, which the container does not have"


def _service_faults(document: Document, documents: list[Document]) -> Iterator[str]:
    workloads = selected({"matchLabels": document["spec"]["selector"]}, documents)
    if not workloads:
        yield "selects no pod"
    for port in document["spec"]["ports"]:
        if any(port["targetPort"] not in _ports(workload) for workload in workloads):
            yield f"targets port {port['targetPort']}, which its pods do not have"


def _policy_faults(spec: Document, documents: list[Document]) -> Iterator[str]:
    subjects = selected(spec["podSelector"], documents)
    if not subjects:
        yield "selects no pod"
    for rule in spec.get("ingress", []):
        yield from _peer_faults(rule.get("from", []), rule["ports"], documents, targets=subjects)
    for rule in spec.get("egress", []):
        yield from _peer_faults(rule.get("to", []), rule["ports"], documents, targets=None)


def _peer_faults(
    peers: list[Document], ports: list[Document], documents: list[Document], targets: list[Document] | None
) -> Iterator[str]:
    """`targets` are the pods whose ports are named; without them, those that the peers select."""
    own = [peer["podSelector"] for peer in peers if "podSelector" in peer and "namespaceSelector" not in peer]
    chosen = [workload for selector in own for workload in selected(selector, documents)]
    if own and not chosen:
        yield "has a peer that selects no pod"
    for workload in chosen if targets is None else targets:
        yield from (
            f"opens port {port['port']}, which {workload['metadata']['name']} does not have"
            for port in ports
            if port["port"] not in _ports(workload)
        )


def _address_faults(data: dict[str, str], documents: list[Document]) -> Iterator[str]:
    for name, value in data.items():
        if not (address := _ADDRESS.match(value)):
            continue
        service = next((document for document in documents if _is(document, "Service", address[1])), None)
        if service is None or int(address[2]) not in {port["port"] for port in service["spec"]["ports"]}:
            yield f"{name} is {value}, which no Service answers"


def selected(selector: Document, documents: list[Document]) -> list[Document]:
    """The workloads whose pods the label selector takes."""
    workloads = (document for document in documents if pod_template(document))
    return [workload for workload in workloads if _matches(selector, pod_template(workload)["metadata"]["labels"])]


def _matches(selector: Document, labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(expression["key"]) in expression["values"] for expression in expressions
    )


def _ports(workload: Document) -> set[Any]:
    """Names and numbers of a workload's ports."""
    ports = [port for container in containers(workload) for port in container.get("ports", [])]
    return {port["name"] for port in ports} | {port["containerPort"] for port in ports}


def _is(document: Document, kind: str, name: str) -> bool:
    return (document["kind"], document["metadata"]["name"]) == (kind, name)
