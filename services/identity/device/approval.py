"""The person's part of device authorization (RFC 8628, section 3.3): which page they see, and what they decide."""

from __future__ import annotations

from typing import Any

from services.identity import store as identity_store
from services.identity.device import store
from services.identity.device.domain import (
    MOST_WRONG,
    MOST_WRONG_OF_ALL,
    Decision,
    DeviceAuthorization,
    normalize_user_code,
)
from services.identity.domain import BrowserSession
from services.identity.oauth.server import Provider
from services.identity.sealing import hash_secret

Page = dict[str, Any]

_DECISIONS = {"allow": Decision.APPROVED, "deny": Decision.DENIED}
_EVERYBODY = "*"


def answer_device(provider: Provider, session_secret: str | None, user_code: str | None, decision: str | None) -> Page:
    """One of the pages `login`, `enter`, `confirm` and `done`.

    `enter` comes with a `fault`: None, `unknown`, or `limited` after too many wrong codes. Nobody hears whether a code
    never was, has expired, or was used.
    """
    signed_in = identity_store.use_browser_session(provider.session, hash_secret(session_secret or ""), provider.now)
    if signed_in is None:
        return {"page": "login"}
    if not user_code:
        return {"page": "enter", "fault": None}
    subject = signed_in.account.subject
    # counted as wrong before it is looked at: guesses that are sent at once do not all see the same low count
    if not _may_try(provider, subject):
        return {"page": "enter", "fault": "limited"}
    device = _find(provider, user_code)
    client = provider.query_client(device.client_id) if device else None
    if device is None or client is None:
        store.count_wrong(provider.session, _EVERYBODY, provider.now)
        return {"page": "enter", "fault": "unknown"}
    store.uncount_wrong(provider.session, subject)
    if decision in _DECISIONS:
        return _decide(provider, device, signed_in, _DECISIONS[decision])
    return {
        "page": "confirm",
        "user_code": normalize_user_code(user_code),
        "client_id": device.client_id,
        "client": client.registration.name,
        "device_name": device.device_name,
        "scopes": device.scope.split(),
        "requested_at": device.created_at.isoformat(),
        "username": signed_in.account.username,
    }


def _may_try(provider: Provider, subject: str) -> bool:
    session, now = provider.session, provider.now
    wrong = store.count_wrong(session, subject, now)
    return wrong <= MOST_WRONG and store.get_wrong(session, _EVERYBODY, now) < MOST_WRONG_OF_ALL


def _find(provider: Provider, user_code: str) -> DeviceAuthorization | None:
    code = normalize_user_code(user_code)
    return store.find_undecided(provider.session, hash_secret(code), provider.now) if code else None


def _decide(provider: Provider, device: DeviceAuthorization, signed_in: BrowserSession, decision: Decision) -> Page:
    store.decide(provider.session, device, decision, signed_in)
    return {"page": "done", "decision": str(decision), "device_name": device.device_name}
