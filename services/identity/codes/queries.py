"""What has to be sent to whom, for the one program that sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput
from services.identity.codes import store
from services.identity.codes.commands import require_sender
from services.identity.codes.secrecy import CodeKeys
from services.identity.sealing import SealedOtherwise

_MAX_CODES = 100


def get_codes(
    session: Session, actor: Actor, keys: CodeKeys, challenges: list[str], now: datetime
) -> dict[str, dict[str, Any]]:
    """Challenge -> `kind`, `address`, `code`, `locale` and `seconds` that it is still good for.

    Who is not in it need not be sent any more: used, superseded, expired, sent. Raise `NotPermitted`, `InvalidInput`.
    """
    require_sender(actor, "get_codes")
    if len(challenges) > _MAX_CODES:
        raise InvalidInput([Fault(pointer="/challenges", rule="maxItems", value=_MAX_CODES)])
    found = {row.challenge: _shown(keys, row, now) for row in store.list_unsent(session, challenges, now)}
    return {challenge: shown for challenge, shown in found.items() if shown is not None}


def _shown(keys: CodeKeys, row: Any, now: datetime) -> dict[str, Any] | None:
    place = row.challenge.encode()
    try:
        address, code = keys.seal.open(bytes(row.address), place), keys.seal.open(bytes(row.code), place)
    except SealedOtherwise:
        # the key has changed within five minutes, and the old one is gone: to be asked for anew
        return None
    return {
        "kind": row.kind,
        "address": address.decode("utf-8", "surrogatepass"),
        "code": code.decode(),
        "locale": row.locale,
        "seconds": int((row.expires_at - now).total_seconds()),
    }
