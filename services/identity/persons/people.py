"""Who needs to open what a person has said of themselves, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.database import Session
from services.identity.persons import store
from services.identity.persons.identifiers import EMAIL
from services.identity.persons.vault import Vault


@dataclass(frozen=True, slots=True)
class People:
    """Nothing is opened before it is asked for."""

    session: Session
    vault: Vault

    def digest_of(self, text: str) -> str:
        """Keyed, so that nobody who reads it can try out what the text may have been."""
        return self.vault.indexes("told", text)[0].hex()[:32]

    def email_of(self, subject: str) -> str | None:
        return store.open_of(self.session, self.vault, [subject], EMAIL).get(subject)
