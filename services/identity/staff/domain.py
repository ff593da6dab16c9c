"""The rules of staff: which roles go together, what each needs, and what is left of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from contracts.actors import STAFF_ROLES
from contracts.errors import Fault, NotPermitted
from contracts.filters import is_part
from services.identity.access_log.domain import Look

CLERK, OFFICER, SUPERVISOR, OPERATOR, AUDITOR = STAFF_ROLES

ALONE = (OPERATOR, AUDITOR)
"""Whoever keeps the platform going, or checks it, works on no case: they have no other role."""


def in_order(roles: Iterable[str]) -> tuple[str, ...]:
    """Each once, as `STAFF_ROLES` has them; what is no role comes last."""
    return tuple(sorted(dict.fromkeys(roles), key=lambda role: (*STAFF_ROLES, role).index(role)))


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody works here as, and where. No role: a citizen."""

    roles: tuple[str, ...] = ()
    department: str | None = None
    hall: str | None = None

    def granted(self, roles: Iterable[str], department: str | None, hall: str | None) -> Post:
        """With more roles. Whoever goes to another department takes nothing along from the one before."""
        kept = () if self._leaves(department) else self.roles
        return Post(in_order((*kept, *roles)), department or self.department, hall or (self.hall if kept else None))

    def revoked(self, roles: Collection[str]) -> Post:
        """Without them; without any role nothing is left. Who is no officer any more supervises none either."""
        gone = {*roles, SUPERVISOR} if OFFICER in roles else {*roles}
        left = tuple(role for role in self.roles if role not in gone)
        return Post(left, self.department if left else None, self.hall if {CLERK, OFFICER} & set(left) else None)

    def has_left(self, before: Post) -> bool:
        """Whether what was given out under `before` must end at once."""
        return bool(before.roles) and (not self.roles or before._leaves(self.department))

    def _leaves(self, department: str | None) -> bool:
        return self.department is not None and department not in (None, self.department)

    @property
    def words(self) -> str:
        """Codes for the log: `clerk,officer civil-affairs civic-centre`; `-` where there is none."""
        return " ".join((",".join(self.roles) or "-", self.department or "-", self.hall or "-"))


@dataclass(frozen=True, slots=True)
class Hand:
    """Who changes staff: an operator by their account, or whoever is at the command line by their login there."""

    viewer: str
    client: str
    channel: str

    def look(self, account: str, what: str, *, role: str, purpose: str, detail: str | None = None) -> Look:
        return Look(
            account=account,
            viewer=self.viewer,
            client=self.client,
            role=role,
            department=None,
            channel=self.channel,
            what=what,
            number=None,
            purpose=purpose,
            detail=detail,
        )


def staff_faults(roles: tuple[str, ...], department: str | None, hall: str | None) -> list[Fault]:
    """Everything that is wrong with a post."""
    faults = [Fault(pointer="/roles", rule="enum", value=role) for role in roles if role not in STAFF_ROLES]
    faults += [Fault(pointer="/roles", rule="alone", value=role) for role in roles if role in ALONE and len(roles) > 1]
    if SUPERVISOR in roles and OFFICER not in roles:
        faults.append(Fault(pointer="/roles", rule="needsRole", value=[OFFICER]))
    if OFFICER in roles and department is None:
        faults.append(Fault(pointer="/department", rule="required", value=None))
    for pointer, name, needed in (("/department", department, (CLERK, OFFICER)), ("/hall", hall, (CLERK, OFFICER))):
        faults += _name_faults(pointer, name, roles, needed)
    return faults


def _name_faults(pointer: str, name: str | None, roles: tuple[str, ...], needed: tuple[str, ...]) -> list[Fault]:
    if name is None:
        return []
    if not is_part(name):
        return [Fault(pointer=pointer, rule="format", value="one word of letters, digits, - and _, 64 at most")]
    if not set(roles) & set(needed):
        return [Fault(pointer=pointer, rule="needsRole", value=list(needed))]
    return []


def require_operator(actor: Any) -> Hand:
    """An operator by themselves. Raise `NotPermitted`."""
    if not actor.has_role(OPERATOR) or actor.act is not None or actor.subject == actor.client:
        raise NotPermitted("manage_staff")
    return Hand(actor.subject, actor.client, actor.channel)


def require_auditor(actor: Any) -> None:
    """Raise `NotPermitted`."""
    if not actor.has_role(AUDITOR) or actor.act is not None or actor.subject == actor.client:
        raise NotPermitted("audit")
