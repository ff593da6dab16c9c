"""The local registers of evidence: what `services.cases.registries` asks, over real HTTP.

They stand in one process with the register of persons (`deploy.local.registry`), each under a path of its own and with
a client of its own. The hospital knows the births below. Of any other certificate the first letter says how it behaves,
so that each way can be tried by hand: `U` out of order (503), `L` asked too often (429, `Retry-After`), `W` slow (two
seconds), `C` it needs the citizen, `K` another child under the same number, `B` an answer that breaks its schema; any
other is of no birth here (404). The household register knows the demo's people by their ID number. Nothing leaves this
machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.identity.demo import ACCOUNTS, PARTICULARS

RETRY_AFTER_SECONDS = 2
SLOW_SECONDS = 2.0
HOSPITAL_SECRET = "onehall-demo-hospital"  # noqa: S105 (known to all, and good here only)
HOUSEHOLDS_SECRET = "onehall-demo-households"  # noqa: S105
SECRETS = f"hospital={HOSPITAL_SECRET},households={HOUSEHOLDS_SECRET}"
"""As ONEHALL_EVIDENCE_SECRETS has them."""

Answer = tuple[int, dict[str, Any], dict[str, str]]
Found = Mapping[str, Any]

# the first is of the example of `birth-registration`
_MOTHER = {"mother_name": "陈小梅", "mother_id_number": "11010519491231002X"}
BIRTHS: dict[str, dict[str, str]] = {
    "Z510000001": {
        "child_name": "王安安",
        "child_sex": "female",
        "child_birth_date": "2026-10-20",
        **_MOTHER,
        "father_name": "王建国",
        "hospital": "广安市人民医院",
    },
    "Z510000002": {
        "child_name": "王平平",
        "child_sex": "male",
        "child_birth_date": "2026-10-21",
        **_MOTHER,
        "hospital": "广安市人民医院",
    },
}


@dataclass
class EvidenceRegister:
    """One register: what it has, by the kind, and how it finds it. `answer` is asked once its client is known."""

    secret: str
    find: Callable[[str, Mapping[str, str]], Answer]
    asked: list[str] = field(default_factory=list)
    """The idempotency keys, in order."""

    def answer(self, body: bytes, key: str) -> Answer:
        try:
            asked = json.loads(body)
            kind, keys = str(asked["kind"]), {str(name): str(value) for name, value in asked["keys"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return 400, {"error": "invalid_request"}, {}
        self.asked.append(key)
        return self.find(kind, keys)


def hospital() -> EvidenceRegister:
    return EvidenceRegister(HOSPITAL_SECRET, _find_birth)


def households() -> EvidenceRegister:
    return EvidenceRegister(HOUSEHOLDS_SECRET, _find_household)


def _find_birth(kind: str, keys: Mapping[str, str]) -> Answer:
    number, mother = keys.get("certificate_number", ""), keys.get("mother_id_number", "")
    behaves = _BEHAVIOURS.get(number[:1])
    if kind == "birth-medical-certificate" and behaves is not None:
        return behaves({"certificate_number": number, "mother_id_number": mother})
    birth = BIRTHS.get(number)
    # both must fit: a number alone opens nobody's record
    if kind != "birth-medical-certificate" or birth is None or birth["mother_id_number"] != mother:
        return 404, {"result": "not-found"}, {}
    return _provided(birth | {"certificate_number": number})


def _slow(keys: dict[str, str]) -> Answer:
    time.sleep(SLOW_SECONDS)
    return _provided(BIRTHS["Z510000001"] | keys)


_AGAIN = {"Retry-After": str(RETRY_AFTER_SECONDS)}
_BEHAVIOURS: dict[str, Callable[[dict[str, str]], Answer]] = {
    "U": lambda keys: (503, {"error": "unavailable"}, _AGAIN),
    "L": lambda keys: (429, {"error": "too_many_requests"}, _AGAIN),
    "W": _slow,
    "C": lambda keys: (200, {"result": "needs-citizen"}, {}),
    "K": lambda keys: _provided(
        BIRTHS["Z510000001"] | {"child_name": "王康康", "child_birth_date": "2026-10-19"} | keys
    ),
    "B": lambda keys: _provided(keys | {"child_birth_date": "yesterday"}),
}


def _find_household(kind: str, keys: Mapping[str, str]) -> Answer:
    numbers = {str(PARTICULARS[account.username].id_number): account.name for account in ACCOUNTS}
    name = numbers.get(keys.get("id_number", ""))
    if kind != "household-register" or name is None:
        return 404, {"result": "not-found"}, {}
    household = {"household_number": "511602001", "head_name": name, "address": "四川省广安市广安区建安北路8号"}
    return _provided(household)


def _provided(fields: Found) -> Answer:
    return 200, {"result": "provided", "fields": dict(fields), "valid_until": None}, {}
