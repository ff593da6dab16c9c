"""Proving that an account is one's own, without its password.

Until the first code has come back, whoever asks hears the same, after the same work, whether there is an account,
whether it may be recovered, and whether a code was sent.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chassis.database import Database, Session
from contracts.errors import Fault, InvalidInput, NotFound
from services.identity.codes.commands import check_code, issue_code
from services.identity.codes.domain import ADDRESS_OF, KINDS, MAIL, MAX_A_DAY_TO_ADDRESS, SMS, Recipient
from services.identity.domain import LOCALES
from services.identity.factors import guesses, recovery_codes
from services.identity.factors import store as factor_store
from services.identity.factors.domain import Factors
from services.identity.factors.means import Means
from services.identity.limits import guard
from services.identity.limits.devices import find_device
from services.identity.limits.domain import RECOVERY_ACCOUNT, RECOVERY_ADDRESS
from services.identity.persons.identifiers import KINDS as IDENTIFIERS
from services.identity.persons.identifiers import index_key, mask, normalize
from services.identity.recovery import store, waiting
from services.identity.recovery.domain import (
    ATTEMPT_LIFETIME,
    CODES_A_DAY,
    PURPOSE,
    RECOVERY_CODE,
    TOTP,
    Waits,
    loses_factors,
    wait_for,
)
from services.identity.recovery.store import Attempt, Person
from services.identity.sealing import Seal, hash_secret, new_secret
from services.identity.security_notices import store as notice_store

_LONGEST = 300
_OTHER = {MAIL: SMS, SMS: MAIL}


@dataclass(frozen=True, slots=True)
class Desk:
    """What recoveries need. `devices` opens the cookies of known browsers."""

    means: Means
    devices: Seal
    waits: Waits


def begin(session: Session, desk: Desk, said: str, way: str, locale: str, device: str | None, now: datetime) -> str:
    """The secret of the attempt; a code is on its way if `said` is somebody's who reads by `way`.

    `said` is a user name, a mail address, a phone or an ID number. Raise `InvalidInput`, or `TooManyAttempts` of the
    caller's address or of what was said, whether it is anybody's or not.
    """
    _require_possible(said, way, locale)
    limits = desk.means.codes.limits
    guard.require_tries(session, limits.of_address(RECOVERY_ADDRESS), now)
    person = store.find_person(session, desk.means.vault, said)
    # the owner's own browser is let in while strangers use up the tries
    is_known = find_device(desk.devices, device, person.username if person else "", now) is not None
    if not is_known:
        guard.require_tries(session, [limits.bucket(RECOVERY_ACCOUNT, canonical(said))], now)
    subject, challenge = _send(session, desk, person, said, way, now, is_known=is_known)
    secret = new_secret()
    attempt = Attempt(hash_secret(secret), subject, way, challenge, None, (), now, now + ATTEMPT_LIFETIME)
    store.add_attempt(session, attempt)
    return secret


def canonical(said: str) -> str:
    """One spelling of what was said, so that another one is no new try."""
    for kind in IDENTIFIERS:
        value = normalize(kind, said)
        if value is not None:
            return index_key(kind, value)
    return unicodedata.normalize("NFKC", said).casefold().strip()


def _require_possible(said: str, way: str, locale: str) -> None:
    faults = []
    if not said.strip():
        faults.append(Fault(pointer="/name", rule="required", value=None))
    if len(said) > _LONGEST:
        faults.append(Fault(pointer="/name", rule="maxLength", value=_LONGEST))
    if way not in KINDS:
        faults.append(Fault(pointer="/way", rule="enum", value=list(KINDS)))
    if locale not in LOCALES:
        faults.append(Fault(pointer="/locale", rule="enum", value=list(LOCALES)))
    if faults:
        raise InvalidInput(faults)


def _send(
    session: Session, desk: Desk, person: Person | None, said: str, way: str, now: datetime, *, is_known: bool
) -> tuple[str | None, str]:
    """Whose attempt it is, and the challenge of its code. Whom no code is sent to is nobody."""
    named, most = (person.subject if person else "", MAX_A_DAY_TO_ADDRESS if is_known else CODES_A_DAY)
    address = store.get_address(session, desk.means.vault, named, ADDRESS_OF[way])
    is_free = store.may_be_sent_a_code(session, named, now, most)
    if person is not None and address is not None and is_free:
        recipient = Recipient(address, way, person.subject, person.locale)
        return person.subject, issue_code(session, desk.means.codes, recipient, PURPOSE, now)
    # a stranger must not learn of the limits of an address that they have not said
    nobody = Recipient(f"{PURPOSE}:{new_secret()}", subject=new_secret())
    return None, issue_code(session, desk.means.codes, nobody, PURPOSE, now)


def prove(database: Database, desk: Desk, secret: str, code: str, now: datetime) -> dict[str, Any]:
    """By the code that was sent. As `show`. Raise `InvalidInput` for a wrong one, `NotFound` for an attempt too old."""
    with database.transaction() as session:
        attempt = _require(session, secret, now)
        guard.require_tries(session, desk.means.codes.limits.of_address(RECOVERY_ADDRESS), now)
        proved = check_code(session, desk.means.codes, attempt.challenge, PURPOSE, code, now)
        is_theirs = proved is not None and proved.subject is not None and proved.subject == attempt.subject
        if is_theirs:
            attempt = _add_proof(session, attempt, attempt.way)
        shown = _show(session, desk, attempt, now) if attempt.proofs else {}
    # after the commit, because a wrong guess counts
    if not is_theirs:
        raise _wrong()
    return shown


def show(session: Session, desk: Desk, secret: str, now: datetime) -> dict[str, Any]:
    """`wait_seconds`, whether it `loses_factors`, what would shorten it: `codes`, and `other`, an address, masked.

    `other_sent`: a code is on its way there. Raise `NotFound` before the first proof.
    """
    attempt = _require(session, secret, now)
    if not attempt.proofs:
        raise NotFound("recovery")
    return _show(session, desk, attempt, now)


def _show(session: Session, desk: Desk, attempt: Attempt, now: datetime) -> dict[str, Any]:
    factors = factor_store.get_factors(session, attempt.subject or "")
    other = _OTHER[attempt.way]
    address = store.get_address(session, desk.means.vault, attempt.subject or "", ADDRESS_OF[other])
    can_show = address is not None and other not in attempt.proofs
    return {
        "way": attempt.way,
        "wait_seconds": int(needed_wait(session, desk.waits, attempt, factors, now).total_seconds()),
        "loses_factors": loses_factors(attempt.proofs, factors),
        "codes": _codes_of(factors.has_totp, factors.recovery_codes, attempt),
        "other": {"way": other, "address": mask(ADDRESS_OF[other], address)} if can_show and address else None,
        "other_sent": attempt.other_challenge is not None and can_show,
    }


def needed_wait(session: Session, waits: Waits, attempt: Attempt, factors: Factors, now: datetime) -> timedelta:
    has_refused = notice_store.has_refused_factor(session, attempt.subject or "", now)
    return wait_for(attempt.proofs, factors, waits, has_refused_factor=has_refused)


def _codes_of(has_totp: bool, recovery: int, attempt: Attempt) -> list[str]:
    kinds = {TOTP: has_totp, RECOVERY_CODE: recovery > 0}
    return [kind for kind, has in kinds.items() if has and kind not in attempt.proofs]


def send_other(session: Session, desk: Desk, secret: str, now: datetime) -> None:
    """A code to the other address. Raise `NotFound`, or `TooManyAttempts`: whoever is here has proved one address."""
    attempt = _require(session, secret, now)
    other = _OTHER[attempt.way]
    standing = store.get_standing(session, attempt.subject or "")
    address = store.get_address(session, desk.means.vault, attempt.subject or "", ADDRESS_OF[other])
    if not attempt.proofs or standing is None or address is None:
        raise NotFound("recovery")
    recipient = Recipient(address, other, attempt.subject, standing.locale)
    challenge = issue_code(session, desk.means.codes, recipient, f"{PURPOSE}-other", now)
    store.save_attempt(session, replace(attempt, other_challenge=challenge))


def prove_further(database: Database, desk: Desk, secret: str, kind: str, given: str, now: datetime) -> dict[str, Any]:
    """By something else: `totp`, `recovery`, `mail` or `sms`. As `prove`."""
    with database.transaction() as session:
        attempt = _require(session, secret, now)
        if not attempt.proofs:
            raise NotFound("recovery")
        check = _CHECKS.get(kind)
        is_right = check is not None and check(session, desk.means, attempt, given, now)
        if is_right:
            attempt = _add_proof(session, attempt, kind)
        shown = _show(session, desk, attempt, now)
    if not is_right:
        raise _wrong()
    return shown


def _is_recovery_code(session: Session, means: Means, attempt: Attempt, given: str, now: datetime) -> bool:
    subject = attempt.subject or ""
    return factor_store.use_recovery_code(session, subject, recovery_codes.hash_code(subject, given), now)


def _is_totp(session: Session, means: Means, attempt: Attempt, given: str, now: datetime) -> bool:
    subject = attempt.subject or ""

    def check() -> bool:
        return guesses.is_totp(session, means, subject, given, now)

    # counted together with the guesses of sign-ins
    return guesses.is_right(session, means.codes.limits, subject, check, now)


def _is_other_code(session: Session, means: Means, attempt: Attempt, given: str, now: datetime) -> bool:
    if attempt.other_challenge is None:
        return False
    proved = check_code(session, means.codes, attempt.other_challenge, f"{PURPOSE}-other", given, now)
    return proved is not None and proved.subject == attempt.subject and proved.kind == _OTHER[attempt.way]


_CHECKS = {RECOVERY_CODE: _is_recovery_code, TOTP: _is_totp, MAIL: _is_other_code, SMS: _is_other_code}


def wait(session: Session, desk: Desk, secret: str, now: datetime) -> dict[str, Any]:
    """With what has been proved: `ready_at`, or None where nobody has to wait, and `way` by which the link comes.

    Raise `NotFound`.
    """
    attempt = _require(session, secret, now)
    if not attempt.proofs or attempt.subject is None or store.get_standing(session, attempt.subject) is None:
        raise NotFound("recovery")
    factors = factor_store.get_factors(session, attempt.subject)
    needed = needed_wait(session, desk.waits, attempt, factors, now)
    if not needed:
        return {"ready_at": None, "way": attempt.way}
    store.take_attempt(session, attempt.secret_hash)
    loses = loses_factors(attempt.proofs, factors)
    recovery = waiting.begin(session, attempt.subject, attempt.way, now, loses_factors=loses, wait=needed)
    return {"ready_at": recovery.ready_at.isoformat(), "way": recovery.way}


def _add_proof(session: Session, attempt: Attempt, proof: str) -> Attempt:
    proved = replace(attempt, proofs=tuple(sorted({*attempt.proofs, proof})))
    store.save_attempt(session, proved)
    return proved


def _require(session: Session, secret: str, now: datetime) -> Attempt:
    found = store.lock_attempt(session, hash_secret(secret), now)
    if found is None:
        raise NotFound("recovery")
    return found


def _wrong() -> InvalidInput:
    return InvalidInput([Fault(pointer="/code", rule="code", value=None)])
