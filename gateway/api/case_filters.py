"""What an address asks of a list of cases. The service checks it; here it is only told from what was not asked."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import AfterValidator

from gateway.api.schemas import Text

Word = Annotated[Text | None, Query(max_length=64)]
Day = Annotated[
    Text | None, Query(max_length=10, description="a day of filing, `2026-11-24`; the day itself is inside")
]

_STATUS = "a status, `approved` or `refused`, or `open` or `ended` for all such"
_Q = "item names in either script, the beginning of a case number; for staff, internal notes. Never what is personal"


def _tidy(q: str | None) -> str | None:
    return (q or "").replace("\x00", "").strip() or None


class Asked(dict[str, str]):
    """Only what was asked: the names are those of the query."""

    @property
    def address(self) -> str:
        return urlencode(self)


def asked(
    q: Annotated[str | None, Query(max_length=100, description=_Q), AfterValidator(_tidy)] = None,
    status: Annotated[Text | None, Query(max_length=64, description=_STATUS)] = None,
    item: Word = None,
    department: Word = None,
    region: Word = None,
    channel: Word = None,
    handler: Annotated[
        Text | None, Query(max_length=64, description="the department that handles it now: yours shows what was passed")
    ] = None,
    assigned: Annotated[Text | None, Query(max_length=64, description="for staff: `me`, `nobody`, `colleague`")] = None,
    due: Annotated[Text | None, Query(max_length=64, description="`due.state` of the case")] = None,
    since: Annotated[Day, Query(alias="from")] = None,
    until: Day = None,
    sort: Annotated[
        Text | None, Query(max_length=64, description="`filed`, the newest first, or `limit`: open cases, due first")
    ] = None,
) -> Asked:
    values = {
        "q": q,
        "status": status,
        "item": item,
        "department": department,
        "region": region,
        "channel": channel,
        "handler": handler,
        "assigned": assigned,
        "due": due,
        "from": since,
        "until": until,
        "sort": sort,
    }
    return Asked({name: value for name, value in values.items() if value})


CasesAsked = Annotated[Asked, Depends(asked)]
