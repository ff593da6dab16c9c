"""The rules of sessions: what may end one, and what ends with it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from enum import StrEnum

NOTICE_LIFETIME = timedelta(days=1)
"""A client that has not been told of an end by then has ended its own session long ago."""

GIVEN_UP = "given-up"
"""What is said of a notice that no attempt brought to its client."""

MAX_BROWSER = 60
"""Characters of a browser's short name."""


class Reason(StrEnum):
    """Why sessions end."""

    SIGNED_OUT = "signed-out"
    REPLACED = "replaced"
    """Somebody else signed in with the same browser."""
    ENDED = "ended"
    """The person ended it from elsewhere."""
    EXPIRED = "expired"
    CREDENTIALS_CHANGED = "credentials-changed"
    NOT_ME = "not-me"
    CLOSED = "account-closed"
    DISABLED = "account-disabled"
    LEFT = "left"
    """A member of staff has left: a department, a hall, or altogether."""

    @property
    def ends_all_access(self) -> bool:
        """Also what a client may do without the person being there.

        OpenID Connect Core, section 11, gives `offline_access` for when the person is not signed in, so a mere sign-out
        leaves it (Back-Channel Logout 1.0, section 2.7). Where somebody else may have been at work nothing is left
        (RFC 9700, section 4.14.2).
        """
        return self in _ENDS_ALL_ACCESS


_ENDS_ALL_ACCESS = frozenset({Reason.CREDENTIALS_CHANGED, Reason.NOT_ME, Reason.CLOSED, Reason.DISABLED, Reason.LEFT})


def new_sid() -> str:
    """What a session is called (`sid`). It opens nothing, unlike the secret of the cookie, and cannot be guessed."""
    return secrets.token_urlsafe(16)
