"""Where identity keeps what it has sealed under ONEHALL_COOKIE_KEY: all that `onehall key reseal` seals anew.

Not here: identifiers, which have an index to be made anew with them (`persons.commands.reseal`), and the successor of a
refresh token, which is sealed with that token itself.
"""

from __future__ import annotations

from typing import Final

from chassis.resealing import SealedColumn
from services.identity import tables
from services.identity.access_log import cuts
from services.identity.access_log import sealing as access_log
from services.identity.access_log import tables as access_log_tables
from services.identity.codes.tables import one_time_codes
from services.identity.factors import means
from services.identity.factors.tables import totp_factors
from services.identity.look_reports.domain import PURPOSE as LOOK_REPORTS
from services.identity.look_reports.tables import reports
from services.identity.persons.tables import registrations

SEALED_COLUMNS: Final = (
    SealedColumn(tables.signing_keys, "private_key", "kid", "signing-keys", is_lasting=False),
    SealedColumn(tables.sealed_secrets, "sealed", "name", "pairwise-subjects"),
    SealedColumn(tables.web_sessions, "tokens", "secret_hash", "web-sessions", is_lasting=False),
    SealedColumn(access_log_tables.head, "sealed", "is_only", access_log.PURPOSE),
    SealedColumn(access_log_tables.cuts, "sealed", "number", access_log.PURPOSE, place=cuts.place_of),
    SealedColumn(reports, "reason", "id", LOOK_REPORTS, place=str.encode),
    SealedColumn(reports, "answer", "id", LOOK_REPORTS, place=str.encode),
    SealedColumn(totp_factors, "secret", "subject", means.PURPOSE, place=str.encode),
    SealedColumn(registrations, "addresses", "secret_hash", "registrations", is_lasting=False),
    SealedColumn(one_time_codes, "address", "challenge", "one-time-codes", is_lasting=False, place=str.encode),
    SealedColumn(one_time_codes, "code", "challenge", "one-time-codes", is_lasting=False, place=str.encode),
)
