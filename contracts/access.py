"""The words of the access log: who looks at a citizen's data, at what, and why. Codes, never free text."""

from __future__ import annotations

from typing import Final

# who, besides the staff roles
PROGRAM: Final = "program"
"""A department's or the platform's program, which signs in as itself."""
CLIENT: Final = "client"
"""A program that is not the platform's own, to which the citizen gave access."""
AGENT: Final = "agent"
"""Somebody whom the citizen authorised, or a guardian."""
SELF: Final = "self"
"""The citizen; noted only where it matters to know whether it was really them."""
ROLES: Final = ("clerk", "officer", "operator", "auditor", PROGRAM, CLIENT, AGENT, SELF)

# at what
CASE: Final = "case"
HISTORY: Final = "history"
DOCUMENT: Final = "document"
DRAFT: Final = "draft"
RESULT: Final = "result"
"""The certificate or decision that a case has led to."""
EVIDENCE: Final = "evidence"
CONTACT: Final = "contact"
PROFILE: Final = "profile"
IDENTITY: Final = "identity"
"""Somebody was given a token that speaks for the citizen."""
LOOK_UP: Final = "look-up"
"""Somebody found the account by an ID number, a phone number or a name."""
ACCESS_LOG: Final = "access-log"
MANDATE: Final = "mandate"
EXPORT: Final = "export"
"""Everything there is, as a file."""
STAFF: Final = "staff"
"""No look: what an account may do as staff was changed, or whether it is there at all. `detail` says how."""
WHATS: Final = (
    *(CASE, HISTORY, DOCUMENT, DRAFT, EVIDENCE, CONTACT, PROFILE, IDENTITY, LOOK_UP, ACCESS_LOG, MANDATE),
    RESULT,
    STAFF,
    EXPORT,
)

# why
HANDLING: Final = "handling"
COUNTER: Final = "counter"
TELEPHONE: Final = "telephone"
COMPLAINT: Final = "complaint"
SUPERVISION: Final = "supervision"
AUDIT: Final = "audit"
AUTOMATIC: Final = "automatic"
DELIVERY: Final = "delivery"
CONSENTED: Final = "consented"
ON_BEHALF: Final = "on-behalf"
OWN_REQUEST: Final = "own-request"
ADMINISTRATION: Final = "administration"
STAFF_PURPOSES: Final = (HANDLING, COUNTER, TELEPHONE, COMPLAINT, SUPERVISION)
"""What staff may say for themselves."""
PURPOSES: Final = (*STAFF_PURPOSES, AUDIT, AUTOMATIC, DELIVERY, CONSENTED, ON_BEHALF, ADMINISTRATION, OWN_REQUEST)

# through what, besides the channels
COMMAND_LINE: Final = "command-line"
