"""The platform's accounts at RabbitMQ: `python -m chassis.broker_definitions show|apply`. Safe to repeat.

`show` prints a definitions file for `rabbitmqctl import_definitions`; `apply` gives it to the broker over
`ONEHALL_BROKER_MANAGEMENT_URL`, whose account must be an administrator's. The passwords come from the environment,
`ONEHALL_<ACCOUNT>_BROKER_PASSWORD` (`ONEHALL_RELAY_CASES_BROKER_PASSWORD`); the file holds their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2

from chassis import management
from contracts.broker_accounts import Account, accounts

_MANAGEMENT = "ONEHALL_BROKER_MANAGEMENT_URL"
_VHOST = "ONEHALL_BROKER_VHOST"
_TIMEOUT_SECONDS = 30.0


_LIMITS = {"max-connections": 2_000}
"""Above what we and all clients need, below what a node of 1 GB carries."""


def password_name(account: str) -> str:
    return f"ONEHALL_{account.upper().replace('-', '_')}_BROKER_PASSWORD"


def definitions(passwords: Mapping[str, str], given: Iterable[Account], vhost: str = "/") -> dict[str, Any]:
    """`passwords` by account. No guest, and besides accounts a limit only: the processes declare the rest."""
    given = tuple(given)
    return {
        "vhosts": [{"name": vhost}],
        "parameters": [{"vhost": vhost, "component": "vhost-limits", "name": "limits", "value": _LIMITS}],
        "users": [_user(account, passwords[account.name]) for account in given],
        "permissions": [
            {"user": account.name, "vhost": vhost}
            | {"configure": account.configure, "write": account.write, "read": account.read}
            for account in given
        ],
        "topic_permissions": [
            {"user": account.name, "vhost": vhost, "exchange": topic.exchange, "write": topic.write, "read": topic.read}
            for account in given
            for topic in account.topics
        ],
    }


def _user(account: Account, password: str) -> dict[str, Any]:
    # base64 of a salt of 4 bytes and SHA-256 over salt and password. The password is random already, so a salt made
    # from the name keeps the file the same each time
    salt = hashlib.sha256(account.name.encode()).digest()[:4]
    digest = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    hashed = {"password_hash": digest, "hashing_algorithm": "rabbit_password_hashing_sha256"}
    return {"name": account.name, **hashed, "tags": list(account.tags)}


def apply(url: str, content: dict[str, Any]) -> None:
    """Users that exist get these passwords and permissions; others stay as they are."""
    try:
        with management.client(url, _TIMEOUT_SECONDS) as client:
            client.post("/api/definitions", json=content).raise_for_status()
    except httpx2.HTTPStatusError as error:
        sys.exit(
            f"the broker refuses its accounts with {error.response.status_code}: is {_MANAGEMENT} an administrator's?"
        )
    except httpx2.HTTPError as error:
        sys.exit(f"the broker's management does not answer ({error!r})")


def main() -> None:
    if sys.argv[1:] not in (["show"], ["apply"]):
        sys.exit("usage: python -m chassis.broker_definitions show|apply")
    names = {account.name: password_name(account.name) for account in accounts()}
    needed = [*names.values(), *([_MANAGEMENT] if sys.argv[1] == "apply" else [])]
    if missing := [name for name in needed if not os.environ.get(name)]:
        sys.exit(f"settings: {', '.join(missing)}: Field required")
    passwords = {account: os.environ[name] for account, name in names.items()}
    content = definitions(passwords, accounts(), os.environ.get(_VHOST, "/"))
    if sys.argv[1] == "apply":
        apply(os.environ[_MANAGEMENT], content)
    else:
        json.dump(content, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
