"""The content security policy: nothing but our own, and no scripts of anybody else."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
)
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,40}")


def content_security_policy(*form_targets: str) -> str:
    return _POLICY.format(form_action=" ".join(("'self'", *form_targets)))


def policy_for_redirect(address: str | None) -> str:
    """The policy of the sign-in and consent pages.

    Chromium holds `form-action` against the redirects that follow a post as well, so the client's redirect address has
    to be in it. Hand in none but one that identity has checked.
    """
    source = _source(address) if address else None
    return content_security_policy(source) if source else content_security_policy()


def _source(address: str) -> str | None:
    """The address as a CSP source, or None when it could break out of the header."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme in ("http", "https"):
        origin = f"{parts.scheme}://{parts.netloc}"
        return origin if _ORIGIN.fullmatch(origin) else None
    if parts.scheme in ("javascript", "data", "blob", "file") or not _SCHEME.fullmatch(parts.scheme):
        return None
    return f"{parts.scheme}:"
