"""Loading and saving devices that wait. Codes come and go as hashes."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import case, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity.device import tables
from services.identity.device.domain import REMEMBERED, TRIES_WINDOW, Decision, DeviceAuthorization
from services.identity.domain import BrowserSession

_ROW = [tables.device_authorizations.c[field.name] for field in fields(DeviceAuthorization)]
_TABLE = tables.device_authorizations
_TRIES = tables.user_code_tries


def add(session: Session, device: DeviceAuthorization) -> bool:
    """False if another device has that user code."""
    added = upsert(_TABLE).values(asdict(device)).on_conflict_do_nothing(index_elements=["user_code_hash"])
    return session.execute(added.returning(_TABLE.c.device_code_hash)).first() is not None


def count_waiting(session: Session, client_id: str, now: datetime) -> int:
    waiting = (_TABLE.c.client_id == client_id, _TABLE.c.expires_at > now)
    return int(session.execute(select(func.count()).select_from(_TABLE).where(*waiting)).scalar_one())


def take_approved(session: Session, device_code_hash: str, client_id: str, now: datetime) -> DeviceAuthorization | None:
    """Consume an approval. One statement: of two polls that race, one gets nothing."""
    is_it = (_TABLE.c.device_code_hash == device_code_hash, _TABLE.c.client_id == client_id)
    is_approved = (_TABLE.c.decision == Decision.APPROVED, _TABLE.c.expires_at > now)
    row = session.execute(delete(_TABLE).where(*is_it, *is_approved).returning(*_ROW)).first()
    return DeviceAuthorization(**row._mapping) if row else None


def lock(session: Session, device_code_hash: str, client_id: str) -> DeviceAuthorization | None:
    is_it = (_TABLE.c.device_code_hash == device_code_hash, _TABLE.c.client_id == client_id)
    row = session.execute(select(*_ROW).where(*is_it).with_for_update()).first()
    return DeviceAuthorization(**row._mapping) if row else None


def note_poll(session: Session, device_code_hash: str, interval_seconds: int, now: datetime) -> None:
    polled = {"polled_at": now, "interval_seconds": interval_seconds}
    session.execute(update(_TABLE).where(_TABLE.c.device_code_hash == device_code_hash).values(polled))


def find_undecided(session: Session, user_code_hash: str, now: datetime) -> DeviceAuthorization | None:
    """Locked: it is decided once."""
    is_it = (_TABLE.c.user_code_hash == user_code_hash, _TABLE.c.decision.is_(None), _TABLE.c.expires_at > now)
    row = session.execute(select(*_ROW).where(*is_it).with_for_update()).first()
    return DeviceAuthorization(**row._mapping) if row else None


def decide(session: Session, device: DeviceAuthorization, decision: Decision, signed_in: BrowserSession) -> None:
    """Of a device that `find_undecided` has locked."""
    decided = {
        "decision": decision,
        "subject": signed_in.account.subject,
        "signed_in_at": signed_in.signed_in_at,
        "amr": signed_in.amr,
    }
    session.execute(update(_TABLE).where(_TABLE.c.device_code_hash == device.device_code_hash).values(decided))


def count_wrong(session: Session, subject: str, now: datetime) -> int:
    """One wrong code more; how many it makes in this window. The row stays locked, so that guesses come one by one."""
    is_over = now - TRIES_WINDOW >= _TRIES.c.began_at
    again = {
        "began_at": case((is_over, now), else_=_TRIES.c.began_at),
        "wrong": case((is_over, 1), else_=_TRIES.c.wrong + 1),
    }
    row = {"subject": subject, "began_at": now, "wrong": 1}
    counted = upsert(_TRIES).values(row).on_conflict_do_update(index_elements=["subject"], set_=again)
    return int(session.execute(counted.returning(_TRIES.c.wrong)).scalar_one())


def uncount_wrong(session: Session, subject: str) -> None:
    """It was right after all."""
    session.execute(update(_TRIES).where(_TRIES.c.subject == subject).values(wrong=_TRIES.c.wrong - 1))


def get_wrong(session: Session, subject: str, now: datetime) -> int:
    in_window = (_TRIES.c.subject == subject, _TRIES.c.began_at > now - TRIES_WINDOW)
    return int(session.execute(select(_TRIES.c.wrong).where(*in_window)).scalar() or 0)


def remove_approved(session: Session, subject: str, client_id: str | None = None) -> None:
    """What the person has approved, for one client or all, and no device has fetched yet."""
    of_client = true() if client_id is None else _TABLE.c.client_id == client_id
    session.execute(delete(_TABLE).where(_TABLE.c.subject == subject, of_client))


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(_TABLE).where(_TABLE.c.expires_at < now - REMEMBERED))
    session.execute(delete(_TRIES).where(_TRIES.c.began_at < now - TRIES_WINDOW))
