"""Where cases keeps what it has sealed: all that `onehall key reseal` seals anew."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import LargeBinary, column, table
from sqlalchemy.dialects.postgresql import UUID

from chassis.resealing import SealedColumn
from chassis.webhooks.secrets import PURPOSE
from services.cases.attachments import store as attachments
from services.cases.drafts import store as drafts
from services.cases.evidence import store as evidence
from services.cases.registries import store as registries
from services.cases.registries.tables import evidence_checks, registry_questions
from services.cases.results import store as results


def _by_id(key: Any) -> bytes:
    return str(key).encode()


_WEBHOOKS = table(
    "webhooks",
    column("subscription", UUID(as_uuid=False)),
    column("secret", LargeBinary),
    column("former_secret", LargeBinary),
)
_DRAFTS = table("drafts", column("id", UUID(as_uuid=False)), column("content", LargeBinary))
_FILES = table("attachments", column("id", UUID(as_uuid=False)), column("name", LargeBinary))
_EVIDENCE = table("evidence", column("id", UUID(as_uuid=False)), column("content", LargeBinary))
_RESULTS = table("results", column("id", UUID(as_uuid=False)), column("content", LargeBinary))

OF_WEBHOOK_KEY: Final = (
    SealedColumn(_WEBHOOKS, "secret", "subscription", PURPOSE),
    # good for a day after a rotation: lost, its owner has the newer one
    SealedColumn(_WEBHOOKS, "former_secret", "subscription", PURPOSE, is_lasting=False),
)
"""Under ONEHALL_WEBHOOK_KEY."""

OF_CASES_KEY: Final = (
    SealedColumn(_DRAFTS, "content", "id", drafts.PURPOSE, place=_by_id),
    SealedColumn(_FILES, "name", "id", attachments.PURPOSE, place=_by_id),
    SealedColumn(_EVIDENCE, "content", "id", evidence.PURPOSE, place=_by_id),
    SealedColumn(_RESULTS, "content", "id", results.PURPOSE, place=_by_id),
    SealedColumn(evidence_checks, "reason", "id", evidence.PURPOSE, place=_by_id),
    # for as long as a register is asked
    SealedColumn(registry_questions, "keys", "id", registries.PURPOSE, place=_by_id, is_lasting=False),
)
"""Under ONEHALL_CASES_KEY."""
