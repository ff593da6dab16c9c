"""What rating needs besides."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import RpcSettings


class RatingSettings(RpcSettings):
    rating_reminder_days: int = Field(
        default=7, ge=1, le=365, description="how long after the invitation a citizen who has not rated is reminded"
    )
