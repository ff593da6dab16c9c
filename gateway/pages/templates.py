"""The Jinja templates, and the address of the style sheet that they link."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.limits import MAX_ANSWER, MAX_COMMENT, MAX_NOTE, MAX_REASON

_FOLDER = Path(__file__).parents[1]
STATIC = _FOLDER / "static"
STYLE_SHEET = STATIC / "build" / "onehall.css"


def _version(path: Path) -> str:
    """Part of the address, so that browsers may keep the file for ever."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.exists() else "unbuilt"


TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
TEMPLATES.globals |= {
    "max_note": MAX_NOTE,
    "max_comment": MAX_COMMENT,
    "max_reason": MAX_REASON,
    "max_answer": MAX_ANSWER,
}
TEMPLATES.globals["style_sheet"] = f"/static/build/onehall.css?v={_version(STYLE_SHEET)}"
