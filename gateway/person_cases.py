"""The cases of whoever has an ID number: identity says whose it is, cases what of theirs may be seen."""

from __future__ import annotations

import uuid
from typing import Any

from contracts.actors import Actor
from gateway.rpc.client import Rpc


async def find(rpc: Rpc, actor: Actor, id_number: str) -> dict[str, Any]:
    """`{"items", "is_whole"}`. For nobody's number it takes the same calls and says the same as for no case at all."""
    applicant = await rpc.call("identity.find_applicant", id_number, actor=actor)
    found: dict[str, Any] = await rpc.call("cases.list_cases_of", applicant or str(uuid.uuid4()), actor=actor)
    return found
