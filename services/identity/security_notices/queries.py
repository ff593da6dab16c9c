"""What has to be told to whom, for the one program that sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts import security
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput
from services.identity.codes.commands import require_sender
from services.identity.codes.domain import WAY_OF
from services.identity.persons.vault import Vault
from services.identity.sealing import SealedOtherwise
from services.identity.security_notices import store
from services.identity.security_notices.codes import NoticeKeys

MOST = 100


def get_security_notices(
    session: Session, vault: Vault, keys: NoticeKeys, actor: Actor, ids: list[str], now: datetime
) -> dict[str, dict[str, Any]]:
    """Id -> `change`, `at`, `addresses` (way -> address), `code` or None, `locale` and `name`.

    Which is not in it need not be sent any more. Asked twice it says the same. Raise `NotPermitted`, `InvalidInput`.
    """
    require_sender(actor, "get_security_notices")
    if len(ids) > MOST:
        raise InvalidInput([Fault(pointer="/notices", rule="maxItems", value=MOST)])
    addresses: dict[str, dict[str, str]] = {}
    for row in store.list_addresses(session, ids):
        address = _open(vault, row)
        if address is not None:
            way = WAY_OF[row.kind] + (f"-{security.FORMER}" if row.is_former else "")
            addresses.setdefault(row.notice, {})[way] = address
    return {
        row.id: {
            "change": row.change,
            "at": row.told_at.isoformat(),
            "addresses": addresses.get(row.id, {}),
            "code": _code(session, keys, row),
            "locale": row.locale,
            "name": row.name,
        }
        for row in store.list_live(session, ids, now)
    }


def _open(vault: Vault, row: Any) -> str | None:
    try:
        return vault.open(row.subject, row.kind, row.sealed, row.key_id)
    except SealedOtherwise:
        return None


def _code(session: Session, keys: NoticeKeys, row: Any) -> str | None:
    if row.change in security.WITHOUT_CODE:
        return None
    return make_code(session, keys, row.id) if row.code_hash is None else keys.again(row.id, row.code_hash)


def make_code(session: Session, keys: NoticeKeys, notice: str) -> str:
    code, code_hash = keys.make(notice)
    store.keep_hash(session, notice, code_hash)
    return code
