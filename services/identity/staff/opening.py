"""A new account for somebody who will work here. Its password is nobody's: they set one by a link that works once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from contracts.errors import Fault, InvalidInput
from services.identity import commands
from services.identity.commands import Offload
from services.identity.domain import Account
from services.identity.persons.identifiers import Particulars
from services.identity.persons.vault import Vault
from services.identity.recovery.handing_over import begin_for_new
from services.identity.sealing import new_secret
from services.identity.security_notices.codes import NoticeKeys
from services.identity.staff.commands import note_change
from services.identity.staff.domain import Hand, Post, in_order

MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class NewMember:
    username: str
    name: str
    email: str
    post: Post


def require_new_member(said: dict[str, Any]) -> NewMember:
    """What a form said: `username`, `name`, `email`, `roles`, `department`, `hall`. Raise `InvalidInput`.

    What else is wrong with it is found when the account is made.
    """
    texts = {name: str(said.get(name) or "").strip() for name in ("username", "name", "email", "department", "hall")}
    roles = in_order(str(role) for role in said.get("roles") or ())
    faults = [
        Fault(pointer=f"/{name}", rule="required", value=None)
        for name in ("username", "name", "email")
        if not texts[name]
    ]
    faults += [Fault(pointer="/roles", rule="minItems", value=1)] if not roles else []
    faults += [Fault(pointer="/name", rule="maxLength", value=MAX_NAME)] if len(texts["name"]) > MAX_NAME else []
    if faults:
        raise InvalidInput(faults)
    post = Post(roles, texts["department"] or None, texts["hall"] or None)
    return NewMember(texts["username"], texts["name"], texts["email"], post)


def open_account(
    database: Database, offload: Offload, vault: Vault, keys: NoticeKeys, hand: Hand, new: NewMember, now: datetime
) -> str:
    """The code of the link, for an hour. Raise `UsernameTaken`, `InvalidInput`.

    Whoever has it becomes that member of staff: it is shown to the operator once, to be handed over.
    """
    codes: list[str] = []

    def confirm(session: Session, subject: str) -> None:
        note_change(session, hand, subject, f"added {new.post.words}", now)
        codes.append(begin_for_new(session, keys, subject, now))

    post = new.post
    account = Account("", new.username, new.name, roles=post.roles, department=post.department, hall=post.hall)
    particulars = Particulars(email=new.email)
    commands.register_account(database, offload, vault, account, particulars, new_secret(), now, confirm=confirm)
    return codes[0]
