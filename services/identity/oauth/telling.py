"""What strangers' clients are told of a person, in ID tokens and by userinfo, is in the person's access log.

Once a session and client for the same values, however often they are told: an entry at each refresh would hide other
looks. The family remembers by a keyed hash what was told, so telling it again costs nothing; other values are new.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from contracts import access
from services.identity.access_log.commands import note_act
from services.identity.access_log.domain import Look
from services.identity.domain import Client, TokenFamily
from services.identity.oauth import store
from services.identity.persons.people import People


def note_told(people: People, client: Client, family: TokenFamily, told: dict[str, Any], now: datetime) -> None:
    """The platform's own channels show people what is theirs; every other client reads it, and that is a look."""
    if client.first_party or not told:
        return
    digest = people.digest_of(json.dumps(told, sort_keys=True))
    if digest in family.told:
        return
    # signed in again at the same client in the same session: it knows already
    is_known = store.is_told(people.session, family, digest)
    store.add_told(people.session, family.id, digest)
    if not is_known:
        note_act(people.session, _look(client, family.subject), now)


def _look(client: Client, account: str) -> Look:
    return Look(
        account=account,
        viewer=client.id,
        client=client.id,
        role=access.CLIENT,
        department=client.department,
        channel=client.channel,
        what=access.PROFILE,
        number=None,
        purpose=access.CONSENTED,
    )
