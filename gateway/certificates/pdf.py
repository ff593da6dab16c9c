"""Sets a document: data in, the bytes of a PDF out. The same data gives the same bytes, by the same release.

PDF/A-2a (ISO 19005-2) for archives and PDF/UA-1 (ISO 14289-1) for screen readers; fonts are embedded.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Iterable
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
_MOST_TRIES: Final = 8
"""With one character more that no font has, each: a name has few. Others wait for their documents meanwhile."""
_COMMON: Final = re.compile("[\u3001-\u301b\u4e00-\u9fff\uff01-\uff5e]")
_SELECTORS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""Which of its looks a character has (Unicode, 23.4): without them it has its usual one."""
_TURN = threading.Lock()
"""One compiler keeps the fonts, and works for one at a time; a page takes it a hundredth of a second."""


class DocumentUnmade(Exception):
    """The fonts are not there, or the template has a fault."""


def make(said: dict[str, Any]) -> bytes:
    """A PDF of what `gateway.certificates.wording` says. Work of the processor: to be called in a thread.

    A character that no font has, as rare ones of names, is written as its number in Unicode, `[U+20BB7]`, never left
    out; but those that nobody sees are (`_visible`). Raise `DocumentUnmade`.
    """
    text = json.dumps(_visible(said), ensure_ascii=False)
    for _ in range(_MOST_TRIES):
        try:
            return _compile(text)
        except typst.TypstError as error:
            unknown = _NOT_IN_FONT.search(str(error))
            if unknown is None:
                raise DocumentUnmade(str(error)[:500]) from error
            before, text = text, _with_numbers(text, _ESCAPED.sub(lambda found: chr(int(found[1], 16)), unknown[1]))
        if text == before:
            # the compiler names the beginning of a cluster, and what no font has is further on in it
            break
    try:
        return _compile(_with_numbers(text, "".join({each for each in text if not _is_common(each)})))
    except typst.TypstError:
        # no word of the compiler's: it would repeat what somebody wrote
        raise DocumentUnmade("characters that no font has") from None


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


def _visible(said: Any) -> Any:
    """The same without characters that have no look of their own, as text that was pasted brings them along: controls,
    marks of byte order, joiners, and what turns the direction of writing around. A document cannot have them."""
    if isinstance(said, dict):
        return {name: _visible(each) for name, each in said.items()}
    if isinstance(said, list):
        return [_visible(each) for each in said]
    return _composed(filter(_is_visible, said)) if isinstance(said, str) else said


def _is_visible(character: str) -> bool:
    is_control = unicodedata.category(character) in ("Cc", "Cf") and character not in "\t\n"
    return not (is_control or character in _SELECTORS or ord(character) & 0xFFFE == 0xFFFE)


def _composed(characters: Iterable[str]) -> str:
    """A letter and its accent as the one character that fonts have; an accent of none by its number."""
    whole: list[str] = []
    for character in characters:
        if unicodedata.combining(character):
            one = unicodedata.normalize("NFC", whole[-1] + character) if whole else character
            whole[-1:] = [one] if whole and len(one) == 1 else [*whole[-1:], _number(character)]
        else:
            whole.append(character)
    return "".join(whole)


def _is_common(character: str) -> bool:
    """Whether it is one of those that every font of ours has: Latin ones, and the usual ones of Chinese."""
    is_chinese = _COMMON.fullmatch(character) is not None
    return character.isascii() or (is_chinese and any(_encodes(character, table) for table in ("gb2312", "big5")))


def _encodes(character: str, table: str) -> bool:
    try:
        character.encode(table)
    except UnicodeEncodeError:
        return False
    return True


def _with_numbers(text: str, characters: str) -> str:
    for character in characters:
        if ord(character) > ord("~"):
            text = text.replace(character, _number(character))
    return text


def _number(character: str) -> str:
    return f"[U+{ord(character):04X}]"
