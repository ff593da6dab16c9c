"""What the use cases of factors need besides the database: keys, the platform's address, and where it runs."""

from __future__ import annotations

from dataclasses import dataclass

from services.identity.codes.secrecy import CodeKeys
from services.identity.persons.vault import Vault
from services.identity.sealing import Seal

PURPOSE = "factors"


@dataclass(frozen=True, slots=True)
class Means:
    """`seal` is of `PURPOSE`; `environment` is `local` or `production`."""

    seal: Seal
    codes: CodeKeys
    vault: Vault
    base_url: str
    environment: str
