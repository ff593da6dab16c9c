"""The part of kustomize that our base uses, so that a checkout can see what it renders without the tool.

Anything else in a kustomization is an error here, not a guess: then this module grows first.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]

_FIELDS = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "labels", "images", "patches"}

_MERGE_KEYS = {
    "containers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "topologySpreadConstraints": "topologyKey",
}
"""Lists that a strategic merge joins by this key (the API's `patchMergeKey`); others are replaced."""


class KustomizationBroken(Exception):
    """Args: what is wrong with it."""


def read_documents(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def kustomization(base: Path) -> Document:
    content: Document = yaml.safe_load((base / "kustomization.yaml").read_text())
    if unknown := content.keys() - _FIELDS:
        raise KustomizationBroken(
            f"field {', '.join(sorted(unknown))} is not one that deploy/check/kustomize.py renders"
        )
    return content


def files_named_by(base: Path) -> set[str]:
    content = kustomization(base)
    generated = (name for entry in content.get("configMapGenerator", []) for name in entry.get("envs", []))
    return {*content["resources"], *generated, *(patch["path"] for patch in content.get("patches", []))}


def render(base: Path) -> list[Document]:
    """Every document as it would be applied. A generated ConfigMap keeps its plain name, without the hash."""
    content = kustomization(base)
    if missing := sorted(name for name in files_named_by(base) if not (base / name).is_file()):
        raise KustomizationBroken(f"{', '.join(missing)}: no such file")
    documents = [document for name in content["resources"] for document in read_documents(base / name)]
    documents += [_config_map(base, entry) for entry in content.get("configMapGenerator", [])]
    for patch in content.get("patches", []):
        _apply_patch(documents, read_documents(base / patch["path"])[0], patch["target"])
    for document in documents:
        _add_namespace(document, content["namespace"])
        for labels in content.get("labels", []):
            _add_labels(document, labels)
        for image in content.get("images", []):
            _set_image(document, image)
    return documents


def containers(document: Document) -> list[Document]:
    return list(pod_template(document).get("spec", {}).get("containers", []))


def pod_template(document: Document) -> Document:
    """The pod template of a Deployment or Job; empty for everything else."""
    if document["kind"] not in ("Deployment", "Job"):
        return {}
    template: Document = document["spec"]["template"]
    return template


def _config_map(base: Path, entry: Document) -> Document:
    data = {name: value for env in entry["envs"] for name, value in _assignments(base / env)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry["name"]}, "data": data}


def _assignments(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value


def _apply_patch(documents: list[Document], patch: Document, target: Document) -> None:
    # a patch with a target says by `metadata.name` only what it is called itself
    patch = {"spec": patch["spec"]}
    for document in documents:
        if _is_target(document, **target):
            _merge(document, patch)


def _is_target(document: Document, kind: str, labelSelector: str = "") -> bool:  # noqa: N803 kustomize's word
    labels: dict[str, str] = document["metadata"].get("labels", {})
    wanted = dict(pair.split("=") for pair in labelSelector.split(",") if pair)
    return bool(document["kind"] == kind) and wanted.items() <= labels.items()


def _merge(target: Document, patch: Document) -> None:
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        elif key in _MERGE_KEYS and isinstance(target.get(key), list):
            _merge_list(target[key], value, _MERGE_KEYS[key])
        else:
            target[key] = deepcopy(value)


def _merge_list(target: list[Document], patch: list[Document], key: str) -> None:
    for item in patch:
        match = next((present for present in target if present[key] == item[key]), None)
        if match is None:
            target.append(deepcopy(item))
        else:
            _merge(match, item)


def _add_namespace(document: Document, namespace: str) -> None:
    if document["kind"] != "Namespace":
        document["metadata"]["namespace"] = namespace


def _add_labels(document: Document, labels: Document) -> None:
    document["metadata"].setdefault("labels", {}).update(labels["pairs"])
    if labels.get("includeTemplates") and (template := pod_template(document)):
        template["metadata"].setdefault("labels", {}).update(labels["pairs"])


def _set_image(document: Document, image: Document) -> None:
    for container in containers(document):
        if container["image"] == image["name"]:
            container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
