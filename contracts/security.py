"""The words for changes of how an account is proved: in the event, in what its owner is told, on pages."""

from __future__ import annotations

FACTORS = ("totp", "passkey", "sms", "mail")

RECOVERY_BEGUN, RECOVERY_READY, RECOVERY_CANCELLED = "recovery-begun", "recovery-ready", "recovery-cancelled"
RECOVERY_LINK = "recovery-link"
"""Goes to the one address that the recovery was begun by, and sets the new password."""

PASSWORD_CHANGED, PASSWORD_RECOVERED = "password-changed", "password-recovered"
MAIL_CHANGED, PHONE_CHANGED = "email-changed", "phone-changed"
NEW_DEVICE, REFUSED = "new-device", "refused"
PASSKEY_COPIED = "passkey-copied"
"""Nothing has changed: somebody used a copy of a passkey, and was refused."""
RECOVERY_RENEWED = "recovery-renewed"
"""New recovery codes; the old ones are worth nothing."""

CHANGES = (
    PASSWORD_CHANGED,
    *(f"{factor}-{what}" for factor in FACTORS for what in ("added", "removed")),
    PASSKEY_COPIED,
    RECOVERY_RENEWED,
    MAIL_CHANGED,
    PHONE_CHANGED,
    NEW_DEVICE,
    RECOVERY_BEGUN,
    RECOVERY_READY,
    RECOVERY_LINK,
    RECOVERY_CANCELLED,
    PASSWORD_RECOVERED,
    REFUSED,
)

MAIL, SMS = "mail", "sms"
FORMER = "former"
"""`mail-former` is the address that was the account's until this change."""

WAYS = (MAIL, SMS, f"{MAIL}-{FORMER}", f"{SMS}-{FORMER}")

WITHOUT_CODE = (RECOVERY_CANCELLED, REFUSED)
"""Nothing is left to refuse."""
