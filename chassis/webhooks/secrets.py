"""The secrets that sign webhooks (Standard Webhooks): made here, sealed at rest, shown to their owner once."""

from __future__ import annotations

import base64
import secrets

from chassis.sealing import Seal

_PREFIX = "whsec_"
_BYTES = 32
PURPOSE = "onehall.webhooks.secrets"


def seal_of(key: str, other_key: str | None = None) -> Seal:
    """Under ONEHALL_WEBHOOK_KEY; what ONEHALL_OTHER_WEBHOOK_KEY has sealed opens, too, while that changes."""
    return Seal(key, PURPOSE, other_key)


def new_secret() -> bytes:
    return secrets.token_bytes(_BYTES)


def shown(secret: bytes) -> str:
    """`whsec_<base64>`, as every Standard Webhooks library takes it."""
    return _PREFIX + base64.b64encode(secret).decode()
