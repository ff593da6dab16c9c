"""What cases needs besides every process's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from chassis.settings import RpcSettings


class EscalationRule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int = Field(ge=0, le=365)
    role: Literal["officer", "supervisor", "operator"]


class CasesSettings(RpcSettings):
    cases_key: SecretStr = Field(min_length=43, description="32 bytes, base64url: seals what people have typed")
    other_cases_key: SecretStr | None = Field(default=None, description="the next or the former one, while it changes")
    webhook_key: SecretStr = Field(min_length=43, description="32 bytes, base64url: seals what signs webhooks")
    other_webhook_key: SecretStr | None = Field(
        default=None, description="the next or the former one, while it changes"
    )
    calendar_file: Path | None = Field(default=None, description="days off and make-up days announced since (YAML)")
    places_file: Path | None = Field(default=None, description="halls, competent offices, names of regions (YAML)")
    due_soon_days: int = Field(default=2, ge=0, le=30, description="days before its last one that a case is due soon")
    answer_days: int = Field(default=10, ge=1, le=365, description="working days to answer, if no date is set")
    escalations: tuple[EscalationRule, ...] = Field(
        default=(EscalationRule(days=1, role="supervisor"), EscalationRule(days=3, role="operator")),
        max_length=10,
        description="JSON: so many working days behind its promised limit, a case is this role's to look after",
    )

    @model_validator(mode="after")
    def _require_rising_levels(self) -> Self:
        days = [each.days for each in self.escalations]
        if days != sorted(set(days)):
            raise ValueError("each level of escalation is later than the one before")
        return self
