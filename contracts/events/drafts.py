"""What the owner of a draft is told."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.base import Event


@dataclass(frozen=True, slots=True)
class DraftEvent(Event):
    """Something that its owner is told of a draft. Each notice is a subject of its own: a draft has no history."""

    source = "cases"
    is_notice = True
    is_private = True

    notice: str
    draft: str
    item: str
    applicant: str

    @property
    def subject(self) -> str:
        return self.notice


@dataclass(frozen=True, slots=True)
class DraftExpiring(DraftEvent):
    """The draft was not changed for long, and is deleted in some days."""

    type = "draft.expiring"


@dataclass(frozen=True, slots=True)
class DraftExpired(DraftEvent):
    """The draft was not changed for so long that it was deleted."""

    type = "draft.expired"
