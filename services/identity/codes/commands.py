"""Issuing and checking one-time codes. Both take part in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis import outbox
from chassis.database import Session
from contracts.actors import SYSTEM, Actor
from contracts.errors import NotPermitted, TooManyAttempts
from contracts.events import CodeIssued
from services.identity.codes import store
from services.identity.codes.domain import (
    DAY,
    KINDS,
    LIFETIME,
    MAX_A_DAY_TO_ACCOUNT,
    MAX_A_DAY_TO_ADDRESS,
    RESEND_AFTER,
    Proved,
    Recipient,
    tidy,
)
from services.identity.codes.secrecy import CodeKeys, new_code
from services.identity.limits.domain import CODES_ADDRESS
from services.identity.limits.guard import require_tries
from services.identity.sealing import new_secret


def issue_code(session: Session, keys: CodeKeys, recipient: Recipient, purpose: str, now: datetime) -> str:
    """The challenge that the code answers, to be given to whoever asked. The code is sent after the commit.

    It is good for five minutes and five guesses; the latest one of a purpose is the only one. Raise
    `TooManyAttempts` if the address or the account has been sent too many, whether it is anybody's or not.
    """
    if recipient.kind is not None and recipient.kind not in KINDS:
        raise ValueError(f"no kind of address: {recipient.kind}")
    require_tries(session, keys.limits.of_address(CODES_ADDRESS), now)
    hashes = keys.hashes("address", recipient.address)
    store.lock(session, {hashes[0], recipient.subject or hashes[0]})
    _require_below_limits(session, hashes, recipient.subject, now)
    store.supersede(session, hashes, recipient.subject, purpose, now)
    challenge, code = new_secret(), new_code()
    row = {
        "challenge": challenge,
        "purpose": purpose,
        "subject": recipient.subject,
        "kind": recipient.kind,
        "locale": recipient.locale,
        "address_hash": hashes[0],
        "address": keys.seal.close(recipient.address.encode("utf-8", "surrogatepass"), challenge.encode()),
        "code_hash": keys.hash(challenge, code) if recipient.kind is not None else None,
        "code": keys.seal.close(code.encode(), challenge.encode()) if recipient.kind is not None else None,
        "issued_at": now,
        "expires_at": now + LIFETIME,
    }
    store.add(session, row)
    if recipient.kind is not None:
        outbox.add(session, CodeIssued(challenge, recipient.kind), sequence=1, actor=SYSTEM)
    return challenge


def _require_below_limits(session: Session, hashes: Sequence[str], subject: str | None, now: datetime) -> None:
    sent = store.count_today(session, hashes, subject, now)
    if sent.last_at is not None and now < sent.last_at + RESEND_AFTER:
        raise TooManyAttempts(_seconds_until(sent.last_at + RESEND_AFTER, now))
    if sent.to_address >= MAX_A_DAY_TO_ADDRESS or sent.to_account >= MAX_A_DAY_TO_ACCOUNT:
        raise TooManyAttempts(_seconds_until(sent.oldest_at + DAY, now))


def _seconds_until(then: datetime, now: datetime) -> int:
    return max(1, int((then - now).total_seconds()) + 1)


def check_code(
    session: Session, keys: CodeKeys, challenge: str, purpose: str, code: str, now: datetime
) -> Proved | None:
    """Who reads at the address, if the code is right; it is used up then, however many give it at once.

    None for every other reason, and the caller must commit then too: the guess counts.
    """
    guessed = tidy(code)
    row = store.attempt(session, challenge, purpose, keys.hashes(challenge, guessed or ""), now)
    if row is None:
        return None
    address = keys.seal.open(bytes(row.address), row.challenge.encode()).decode("utf-8", "surrogatepass")
    store.wipe(session, row.challenge)
    return Proved(row.subject, row.kind, address)


def confirm_sent(session: Session, actor: Actor, challenges: list[str]) -> None:
    """What has been sent is not kept readable any longer. Raise `NotPermitted`."""
    require_sender(actor, "confirm_codes_sent")
    store.forget_codes(session, challenges)


def require_sender(actor: Actor, action: str) -> None:
    """A program with the scope, signed in as itself: it reads everybody's codes, so no person ever has it of right."""
    if not actor.has_scope("codes") or actor.subject != actor.client:
        raise NotPermitted(action)
