"""What a relay needs besides its database."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import ManagingSettings


class RelaySettings(ManagingSettings):
    history_months: int | None = Field(
        default=None, ge=1, description="whole months of events kept before the running one; unset keeps everything"
    )
