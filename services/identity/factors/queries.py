"""What the account's security page shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from services.identity.codes.domain import ADDRESS_OF
from services.identity.factors import passkeys, store
from services.identity.factors.means import Means
from services.identity.factors.owner import require_owner
from services.identity.persons import store as persons
from services.identity.persons.identifiers import mask
from services.identity.recovery import store as recovery_store
from services.identity.recovery.store import Recovery


def get_security(session: Session, means: Means, actor: Actor, secret: str, now: datetime) -> dict[str, Any]:
    """Raise `SessionEnded`."""
    subject = require_owner(session, actor, secret, now).account.subject
    factors = store.get_factors(session, subject)
    totp = store.get_totp(session, subject)
    particulars = dict(persons.open_particulars(session, means.vault, subject).items())
    codes = {row.kind: row for row in store.list_code_factors(session, subject)}
    waiting = recovery_store.list_of(session, subject)
    return {
        "recovery": _recovery(min(waiting, key=lambda each: each.ready_at)) if waiting else None,
        "has_second_factor": not factors.is_empty,
        "totp": _times(totp) if totp else None,
        "passkeys": [{"id": row.id, "name": row.name} | _times(row) for row in store.list_passkeys(session, subject)],
        "can_have_passkeys": passkeys.relying_party(means.base_url) is not None,
        "codes": {
            kind: {
                "address": mask(named, particulars[named]) if named in particulars else None,
                "is_factor": kind in codes,
            }
            for kind, named in ADDRESS_OF.items()
        },
        "recovery_codes": factors.recovery_codes,
    }


def _recovery(recovery: Recovery) -> dict[str, str]:
    """The one that is ready first."""
    return {"begun_at": recovery.begun_at.isoformat(), "ready_at": recovery.ready_at.isoformat()}


def _times(row: Any) -> dict[str, str | None]:
    return {"added_at": row.added_at.isoformat(), "used_at": row.used_at.isoformat() if row.used_at else None}
