"""RabbitMQ's definitions file for the platform's accounts: `python -m chassis.broker_definitions > definitions.json`.

The passwords come from the environment, `ONEHALL_<ACCOUNT>_BROKER_PASSWORD` (`ONEHALL_RELAY_CASES_BROKER_PASSWORD`);
the file holds their hashes. RabbitMQ reads it at its start (`load_definitions`) or `rabbitmqctl import_definitions`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from contracts.broker_accounts import Account, accounts

VHOST = "/"


def password_name(account: str) -> str:
    return f"ONEHALL_{account.upper().replace('-', '_')}_BROKER_PASSWORD"


def definitions(passwords: Mapping[str, str], given: Iterable[Account], vhost: str = VHOST) -> dict[str, Any]:
    """`passwords` by account. No guest, and nothing that is not an account: the processes declare the rest."""
    given = tuple(given)
    return {
        "vhosts": [{"name": vhost}],
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


def main() -> None:
    names = {account.name: password_name(account.name) for account in accounts()}
    if missing := [name for name in names.values() if not os.environ.get(name)]:
        sys.exit(f"settings: {', '.join(missing)}: Field required")
    passwords = {account: os.environ[name] for account, name in names.items()}
    json.dump(definitions(passwords, accounts()), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
