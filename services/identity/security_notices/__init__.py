"""What the owner of an account is told of changes of how it is proved, and "this was not me".

Every command that changes a security setting calls `note_change` in its own transaction: no change without a notice, no
notice without a change. What comes of one (channels, "this was not me") is behind it and no business of the callers.
"""

from services.identity.security_notices.commands import note_change

__all__ = ("note_change",)
