"""Sets a document: data in, the bytes of a PDF out. The same data gives the same bytes, by the same release.

PDF/A-2a (ISO 19005-2) for archives and PDF/UA-1 (ISO 14289-1) for screen readers; fonts are embedded.
"""

from __future__ import annotations

import json
import re
import threading
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

_HERE = Path(__file__).parent
FONTS: Final = _HERE / "fonts" / "build"
_STANDARDS: Final = ["ua-1", "a-2a"]
_NOT_IN_FONT = re.compile('the text `"(.+?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
"""What cannot be printed, as the compiler's messages have it."""
_MOST_UNKNOWN: Final = 30
_TURN = threading.Lock()
"""One compiler keeps the fonts, and works for one at a time; a page takes it a hundredth of a second."""


class DocumentUnmade(Exception):
    """The fonts are not there, or the template has a fault."""


def make(said: dict[str, Any]) -> bytes:
    """A PDF of what `gateway.certificates.wording` says. Work of the processor: to be called in a thread.

    A character that no font has, as rare ones of names, is written as its number in Unicode, `[U+20BB7]`, never left
    out. Raise `DocumentUnmade`.
    """
    text = json.dumps(said, ensure_ascii=False)
    for _ in range(_MOST_UNKNOWN):
        try:
            return _compile(text)
        except typst.TypstError as error:
            unknown = _NOT_IN_FONT.search(str(error))
            if unknown is None:
                raise DocumentUnmade(str(error)[:500]) from error
            text = _with_numbers(text, _ESCAPED.sub(lambda found: chr(int(found[1], 16)), unknown[1]))
    raise DocumentUnmade("too many characters that no font has")


def _compile(text: str) -> bytes:
    with _TURN:
        made: bytes = _compiler().compile(
            format="pdf", sys_inputs={"said": text}, pdf_standards=_STANDARDS, timestamp=0
        )
    return made


@cache
def _compiler() -> Any:
    if not FONTS.is_dir():
        raise DocumentUnmade("no fonts: `python -m gateway.certificates.fonts.build` brings them")
    return typst.Compiler(str(_HERE / "document.typ"), font_paths=[str(FONTS)], ignore_system_fonts=True)


def _with_numbers(text: str, characters: str) -> str:
    for character in characters:
        if ord(character) > ord("~"):
            text = text.replace(character, f"[U+{ord(character):04X}]")
    return text
