"""Accounts, and how they are proved."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.base import Event


@dataclass(frozen=True, slots=True)
class AccountEvent(Event):
    """An event of one account, named by its `sub`."""

    source = "identity"

    account: str

    @property
    def subject(self) -> str:
        return self.account


@dataclass(frozen=True, slots=True)
class AccountRegistered(AccountEvent):
    """A new account can sign in."""

    type = "account.registered"


@dataclass(frozen=True, slots=True)
class SignedIn(AccountEvent):
    """A new browser session was opened, with a password at `channel` (in the envelope)."""

    type = "account.signed-in"


@dataclass(frozen=True, slots=True)
class DetailsClaimed(AccountEvent):
    """Somebody else said that this account's ID number, phone or mail is theirs, and was not believed."""

    type = "account.details-claimed"


@dataclass(frozen=True, slots=True)
class AccountClosed(AccountEvent):
    """The account is at its end: nobody signs in, and nothing more is sent."""

    type = "account.closed"


@dataclass(frozen=True, slots=True)
class SecurityChanged(AccountEvent):
    """The way an account is proved has changed: `change` is `password-changed`, `totp-added`, `recovery-begun`, ...

    The words are in `contracts.security`. `alert` names the notice: where it goes, and what its owner may do by it, is
    asked of identity. `ways` are the kinds of addresses that it goes to, with spaces between; `-` for none.
    """

    type = "account.security-changed"

    change: str
    alert: str
    ways: str = "-"


@dataclass(frozen=True, slots=True)
class CodeIssued(Event):
    """A one-time code waits to be sent: to a `mail` address or by `sms`. The challenge opens neither of them."""

    type = "code.issued"
    source = "identity"
    is_alone = True

    challenge: str
    address_kind: str

    @property
    def subject(self) -> str:
        return self.challenge
