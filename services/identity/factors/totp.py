"""One-time passwords of an authenticator app (RFC 6238): six digits, 30 seconds, SHA-1, which every app can do."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp
import segno

ISSUER = "OneHall"
STEP_SECONDS = 30
WINDOW = 1
"""RFC 6238, section 5.2: "at most one time step is allowed as the network delay"; and clocks go wrong either way."""


def new_secret() -> str:
    """160 bits (RFC 4226, section 4: "the length of the shared secret MUST be at least 128 bits"), in base32."""
    return pyotp.random_base32()


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The time step that `code` is of, if it is later than the last one used.

    RFC 6238, section 5.2: "The verifier MUST NOT accept the second attempt of the OTP after the successful validation
    has been issued for the first OTP".
    """
    generator = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_SECONDS
    given = "".join(code.split())
    matched = None
    for step in range(current - WINDOW, current + WINDOW + 1):
        is_same = hmac.compare_digest(generator.generate_otp(step).encode(), given.encode("utf-8", "replace"))
        if is_same and (last_step is None or step > last_step):
            matched = step
    return matched


def provisioning_uri(secret: str, username: str) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def qr_code(uri: str) -> str:
    """As the address of an image."""
    return str(segno.make(uri, error="m").svg_data_uri(scale=4, border=4, encode_minimal=True))
