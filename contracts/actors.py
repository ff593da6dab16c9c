"""Who makes a call, and through which channel. The gateway reads it from the access token; services trust it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

CHANNELS = ("hall", "web", "app", "kiosk")
MANDATE = "urn:onehall:mandate"
"""The type of authorization detail (RFC 9396) that narrows what an agent may do."""
CHECKS = ("id-number", "code", "registry", "counter")
"""Of who stands at the counter: the card was read, or a code given that their phone got. Before that, the register of
persons has confirmed the account, or a clerk who has seen the card."""
STAFF_ROLES = ("clerk", "officer", "supervisor", "operator", "auditor")
"""In this order wherever an account has several: the first is the word for what they do. A supervisor is an officer."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """What an agent may do for the person: about one service item, or one case. The other is None."""

    item: str | None = None
    case: str | None = None

    def covers(self, item: str, case: str | None = None) -> bool:
        return item == self.item if self.item is not None else case is not None and case == self.case


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program that a call is made for.

    `subject` is the account's `sub` (for a program: its client id), never a name. `roles` are staff roles and empty
    for a citizen. `scopes` are what the access token allows (RFC 6749, section 3.3). `organisation` is one outside
    government that a program works for; it is no department and has no right over cases. `act` is the subject of who
    acts for the person, by an exchanged token (RFC 8693, section 4.1): they do what the person may do, or only what
    `mandate` says. `hall` is where the clerk or officer works who makes the call, for themselves or for who stands
    before them; it gives no right. `region` is that of the hall, where one is entered (services say it, no call does):
    it narrows what staff may do. `checks` are how it was seen at the counter who the person is (`CHECKS`). `acr` is how
    sure that is: 1 said by themselves, 2 checked by a registry or two factors, 3 in person at a counter; 0 not said.
    """

    subject: str
    client: str
    channel: str = "web"
    roles: tuple[str, ...] = ()
    department: str | None = None
    scopes: tuple[str, ...] = ()
    organisation: str | None = None
    act: str | None = None
    acr: int = 0
    mandate: Mandate | None = None
    hall: str | None = None
    region: str | None = None
    checks: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """The one word that the shared history shows: the staff role, `citizen`, `agent`, or `system`."""
        if self.subject == SYSTEM_SUBJECT:
            return "system"
        # nobody but a clerk acts for others at the hall
        if self.act is not None:
            return "clerk" if self.channel == "hall" else "agent"
        return self.roles[0] if self.roles else "citizen"

    @property
    def counter(self) -> str | None:
        """The hall, of what is done at its counter."""
        return self.hall if self.channel == "hall" else None

    @property
    def hand(self) -> str:
        """The subject of who really did it."""
        return self.act or self.subject

    def has_role(self, role: str) -> bool:
        return role in self.roles

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Actor:
        """From a caller that may be of another version: what it does not say gives no right."""
        return cls(
            subject=fields["subject"],
            client=fields["client"],
            channel=fields.get("channel", "web"),
            roles=tuple(fields.get("roles", ())),
            department=fields.get("department"),
            scopes=tuple(fields.get("scopes", ())),
            organisation=fields.get("organisation"),
            act=fields.get("act"),
            acr=fields.get("acr", 0),
            mandate=Mandate(**fields["mandate"]) if fields.get("mandate") else None,
            hall=fields.get("hall"),
            checks=tuple(fields.get("checks", ())),
        )


SYSTEM_SUBJECT = "system"
SYSTEM = Actor(subject=SYSTEM_SUBJECT, client="onehall")
"""The platform itself: a timer, or a handler that follows an event."""
