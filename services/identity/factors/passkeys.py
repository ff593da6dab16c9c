"""Passkeys (Web Authentication Level 3): keys that answer this platform's address only, so they cannot be phished.

A passkey is always asked to verify its user (a PIN, a finger, a face), so that it is two factors in one.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from chassis import recently
from chassis.database import Database, Session
from contracts import security
from contracts.actors import CHANNELS, Actor
from contracts.errors import Fault, InvalidInput, SignInRefused
from services.identity import security_notices
from services.identity.browser_sessions import Browser, open_session
from services.identity.domain import UNSTORABLE, Account
from services.identity.factors import enrolment, second_step, store
from services.identity.factors.domain import MAX_PASSKEYS, PASSKEY, PendingSignIn, references
from services.identity.factors.means import Means
from services.identity.factors.owner import require_fresh_owner
from services.identity.limits.domain import PASSKEY_ADDRESS
from services.identity.limits.guard import require_tries
from services.identity.sealing import hash_secret, new_secret

REGISTER, SIGN_IN = "register", "sign-in"
_LIFETIME = timedelta(minutes=5)
_COPY_TOLD_EACH = timedelta(days=1)
_MAX_CREDENTIAL = 20_000
_MAX_NAME = 60
_TRANSPORTS = {transport.value for transport in AuthenticatorTransport}


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """WebAuthn, section 4: the host that keys are made for, and the origin that they answer."""

    id: str
    origin: str


def relying_party(base_url: str) -> RelyingParty | None:
    """None where there can be no passkeys: an IP address is no "valid domain string" (section 5.1.3)."""
    host = urlsplit(base_url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, base_url)
    return None


def _require_relying_party(means: Means) -> RelyingParty:
    party = relying_party(means.base_url)
    if party is None:
        raise InvalidInput([Fault(pointer="/credential", rule="password", value="host")])
    return party


def begin_registration(session: Session, means: Means, actor: Actor, secret: str, now: datetime) -> dict[str, str]:
    """`ceremony`, which the same browser brings again, and `options` for `navigator.credentials.create`."""
    return offer(session, means, require_fresh_owner(session, actor, secret, now).account, now)


def offer(session: Session, means: Means, account: Account, now: datetime) -> dict[str, str]:
    """As `begin_registration`, for whoever may add one. Raise `InvalidInput`."""
    party = _require_relying_party(means)
    known = store.list_passkeys(session, account.subject)
    if len(known) >= MAX_PASSKEYS:
        raise InvalidInput([Fault(pointer="/credential", rule="maxItems", value=MAX_PASSKEYS)])
    options = generate_registration_options(
        rp_id=party.id,
        rp_name="OneHall",
        user_id=account.subject.encode(),
        user_name=account.username,
        user_display_name=account.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[_descriptor(row) for row in known],
    )
    ceremony = _begin(session, REGISTER, account.subject, options.challenge, now)
    return {"ceremony": ceremony, "options": options_to_json(options)}


def finish_registration(
    database: Database,
    means: Means,
    actor: Actor,
    secret: str,
    ceremony: str,
    credential: str,
    name: str,
    now: datetime,
) -> list[str]:
    """Recovery codes, if the account had none. Raise `InvalidInput` for what no authenticator here has made."""
    with database.transaction() as session:
        begun = store.take_ceremony(session, hash_secret(ceremony), REGISTER, now)
    with database.transaction() as session:
        subject = require_fresh_owner(session, actor, secret, now).account.subject
        save_made(session, means, begun, subject, credential, name, now)
        return enrolment.first_recovery_codes(session, subject)


def save_made(
    session: Session, means: Means, begun: Any | None, subject: str, credential: str, name: str, now: datetime
) -> bool:
    """What an authenticator has made for the ceremony `begun`: whether its copies are kept (`is_backed_up`)."""
    party = _require_relying_party(means)
    if begun is None or begun.subject != subject:
        raise _not_accepted()
    parsed = _parse(credential)
    try:
        made = verify_registration_response(
            credential=parsed,
            expected_challenge=bytes(begun.challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise _not_accepted() from None
    row = {
        "id": bytes_to_base64url(made.credential_id),
        "subject": subject,
        "name": _name(name),
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "is_backed_up": made.credential_backed_up,
        "transports": _transports(parsed),
        "added_at": now,
    }
    if not store.add_passkey(session, row):
        raise _not_accepted()
    security_notices.note_change(session, subject, "passkey-added", now)
    return made.credential_backed_up


def _name(name: str) -> str:
    return UNSTORABLE.sub("", name).strip()[:_MAX_NAME]


def _transports(parsed: dict[str, Any]) -> list[str]:
    response = parsed.get("response")
    said = response.get("transports") if isinstance(response, dict) else None
    return sorted(_TRANSPORTS.intersection(map(str, said))) if isinstance(said, list) else []


def begin_sign_in(session: Session, means: Means, pending: str | None, now: datetime) -> dict[str, str]:
    """Options for `navigator.credentials.get`: for who has given the password, or for whoever has a passkey here.

    Raise `TooManyAttempts` of the caller's address.
    """
    party = _require_relying_party(means)
    require_tries(session, means.codes.limits.of_address(PASSKEY_ADDRESS), now)
    subject = second_step.require_pending(session, pending, now).subject if pending else None
    known = store.list_passkeys(session, subject) if subject else []
    options = generate_authentication_options(
        rp_id=party.id,
        allow_credentials=[_descriptor(row) for row in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    ceremony = _begin(session, SIGN_IN, subject, options.challenge, now)
    return {"ceremony": ceremony, "options": options_to_json(options)}


def finish_sign_in(
    database: Database,
    means: Means,
    ceremony: str,
    credential: str,
    browser: Browser,
    now: datetime,
    *,
    pending: str | None = None,
) -> dict[str, Any]:
    """The session. Raise `SignInRefused`, whatever it was."""
    if browser.channel not in CHANNELS:
        raise InvalidInput([Fault(pointer="/channel", rule="enum", value=browser.channel)])
    with database.transaction() as session:
        begun = store.take_ceremony(session, hash_secret(ceremony), SIGN_IN, now)
    if begun is None:
        raise SignInRefused
    with database.transaction() as session:
        waiting = second_step.require_pending(session, pending, now, lock=True) if pending else None
        if begun.subject != (waiting.subject if waiting else None):
            raise SignInRefused
        row = _verified(session, means, begun, credential)
        if row.is_copy:
            _tell_of_copy(session, row, now)
            opened = None
        else:
            opened = _let_in(session, row, waiting, browser, now)
    # after the commit, because the owner hears of it
    if opened is None:
        raise SignInRefused
    return opened


def _let_in(
    session: Session, row: _Proved, waiting: PendingSignIn | None, browser: Browser, now: datetime
) -> dict[str, Any]:
    store.use_passkey(session, row.id, row.sign_count, is_backed_up=row.is_backed_up, now=now)
    if waiting is not None:
        return second_step.complete(session, waiting, browser, PASSKEY, now, is_backed_up=row.is_backed_up)
    amr = references((), PASSKEY, is_backed_up=row.is_backed_up)
    return open_session(session, row.subject, browser, browser.request_id, amr, now)


def _tell_of_copy(session: Session, row: _Proved, now: datetime) -> None:
    """Once a day, however often it is tried."""
    if recently.claim(session, [recently.key_of("passkey-copied", row.id)], _COPY_TOLD_EACH, now):
        security_notices.note_change(session, row.subject, security.PASSKEY_COPIED, now)


@dataclass(frozen=True, slots=True)
class _Proved:
    id: str
    subject: str
    sign_count: int
    is_backed_up: bool
    is_copy: bool


def _verified(session: Session, means: Means, begun: Any, credential: str) -> _Proved:
    """With a key of the account, or a copy of it. Raise `SignInRefused`."""
    party = _require_relying_party(means)
    try:
        parsed = _parse(credential)
    except InvalidInput:
        raise SignInRefused from None
    row = store.get_passkey(session, str(parsed.get("id"))[:1_500])
    if row is None or begun.subject not in (None, row.subject) or not _is_handle(parsed, row, begun):
        raise SignInRefused
    try:
        proved = verify_authentication_response(
            credential=parsed,
            expected_challenge=bytes(begun.challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=bytes(row.public_key),
            # looked at below: whose key it is must be known first
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise SignInRefused from None
    # section 7.2, step 22: a counter that does not rise is a copied key; one that stays at 0 counts nothing
    count = proved.new_sign_count
    is_copy = (count != 0 or row.sign_count != 0) and count <= row.sign_count
    return _Proved(row.id, row.subject, count, proved.credential_backed_up, is_copy)


def _is_handle(parsed: dict[str, Any], row: Any, begun: Any) -> bool:
    """Section 7.2, step 6: whoever was not named before is named by the key; and it never names somebody else."""
    response = parsed.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    try:
        return base64url_to_bytes(str(handle)) == row.subject.encode() if handle else begun.subject is not None
    except ValueError:
        return False


def _parse(credential: str) -> dict[str, Any]:
    try:
        parsed = json.loads(credential) if len(credential) <= _MAX_CREDENTIAL else None
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise _not_accepted()
    return parsed


def _begin(session: Session, purpose: str, subject: str | None, challenge: bytes, now: datetime) -> str:
    ceremony = new_secret()
    row = {"secret_hash": hash_secret(ceremony), "purpose": purpose, "subject": subject}
    store.add_ceremony(session, row | {"challenge": challenge, "expires_at": now + _LIFETIME})
    return ceremony


def _descriptor(row: Any) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(each) for each in row.transports]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.id), transports=transports or None)


def _not_accepted() -> InvalidInput:
    return InvalidInput([Fault(pointer="/credential", rule="password", value="passkey")])
