"""A register, and one question to it. No clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from contracts.errors import Fault, InvalidInput
from services.cases.registries.agreements import Known, is_name

MAX_URL: Final = 500


@dataclass(frozen=True, slots=True)
class Registry:
    """`owner` is the department or organisation that it answers for; `kinds` are those that it has."""

    name: str
    owner: str
    is_department: bool
    url: str
    client_id: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was taken to be asked: `evidence` is what for, of the case `number`, asked for the `asks`th time.

    `attempts` counts those of the question, this one too; `keys` is what it is looked up by.
    """

    id: str
    evidence: str
    number: str
    asks: int
    registry: Registry
    kind: str
    item: str
    attempts: int
    keys: Mapping[str, str] = field(repr=False)


def require_registry(registry: Registry, known: Known, *, plain: bool) -> None:
    """Raise `InvalidInput` with everything that is wrong. `plain`: http will do, in local runs."""
    faults = [
        Fault(pointer=f"/{pointer}", rule="owner", value=value)
        for pointer, value in (("name", registry.name), ("owner", registry.owner))
        if not is_name(value)
    ]
    if not _is_address(registry.url, plain=plain):
        faults.append(Fault(pointer="/url", rule="address", value=registry.url[:MAX_URL]))
    if not 0 < len(registry.client_id) <= MAX_URL:
        faults.append(Fault(pointer="/client_id", rule="maxLength", value=MAX_URL))
    if not registry.kinds or not set(registry.kinds) <= set(known.documents):
        faults.append(Fault(pointer="/kind", rule="known", value=sorted(known.documents)))
    if faults:
        raise InvalidInput(faults)


def _is_address(url: str, *, plain: bool) -> bool:
    """Of a host, perhaps with a path. A name and a password in it would stand in logs."""
    try:
        parts = urlsplit(url)
        port_is_one = parts.port != 0
    except ValueError:
        return False
    schemes = ("https", "http") if plain else ("https",)
    is_bare = not (parts.username or parts.password or parts.query or parts.fragment)
    return len(url) <= MAX_URL and parts.scheme in schemes and bool(parts.hostname) and is_bare and port_is_one
