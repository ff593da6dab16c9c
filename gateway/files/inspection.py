"""What a file really is, by its content. What it is called and what a browser says of it must only not contradict."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Sequence
from typing import IO, Any, Final

from PIL import Image, UnidentifiedImageError

from contracts.files import DOCX, EXTENSIONS, JPEG, MAX_BYTES, MEDIA_TYPES, OFD, PDF, PNG
from gateway.files import zips
from gateway.files.refusal import FileRefused

MOST_PIXELS: Final = 64_000_000
"""What whoever opens the picture has to hold: 256 MB. A telephone's camera makes 12 to 50 million."""

_CHUNK = 256 * 1024
_TAIL = 1_024
_ZIP = b"PK\x03\x04"
_SIGNATURES = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG, _ZIP: "zip"}
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif")
"""Major brands of ISO 23008-12 (HEIF): what a telephone's camera writes where nobody asked for JPEG."""
_PICTURES = {JPEG: "JPEG", PNG: "PNG"}

# the header alone is read, so its own guard against bombs, which looks at less, need not warn
Image.MAX_IMAGE_PIXELS = None


def inspect(file: IO[bytes], extension: str, types: Sequence[str]) -> dict[str, Any]:
    """`{"media_type", "sha256"}` of a file of one of the `types`. Raise `FileRefused`.

    Reads it in pieces; nothing of it is unpacked whole or decoded.
    """
    digest, length = hashlib.sha256(), 0
    file.seek(0)
    while piece := file.read(_CHUNK):
        digest.update(piece)
        length += len(piece)
    if not 0 < length <= MAX_BYTES:
        raise FileRefused("empty" if not length else "too-large")
    kind = _kind_of(file)
    if kind not in types:
        raise FileRefused("type")
    if extension not in EXTENSIONS[kind]:
        raise FileRefused("extension")
    return {"media_type": MEDIA_TYPES[kind], "sha256": digest.hexdigest()}


def _kind_of(file: IO[bytes]) -> str:
    file.seek(0)
    begins = file.read(16)
    kind = next((kind for signature, kind in _SIGNATURES.items() if begins.startswith(signature)), None)
    if kind is None:
        # by name, for it is a photo like any other to who took it, and there is something that they can do
        raise FileRefused("heic" if begins[4:8] == b"ftyp" and begins[8:12] in _HEIC else "type")
    if kind == "zip":
        return _container_of(zips.require_harmless(file))
    if kind == PDF:
        _require_pdf(file)
    else:
        _require_picture(file, _PICTURES[kind])
    # one file that is two: a reader of archives begins at the end, and would find another one than was looked at
    if zipfile.is_zipfile(file):
        raise FileRefused("nested")
    return kind


def _require_picture(file: IO[bytes], name: str) -> None:
    file.seek(0)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=[name]) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise FileRefused("broken") from error
    if width * height > MOST_PIXELS:
        raise FileRefused("image-size")


def _require_pdf(file: IO[bytes]) -> None:
    """Whole: its last lines are there (ISO 32000-1, 7.5.5)."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _TAIL))
    if b"%%EOF" not in file.read(_TAIL):
        raise FileRefused("broken")


def _container_of(names: set[str]) -> str:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefused("macros")
    if {"[Content_Types].xml", "word/document.xml"} <= names:
        return DOCX
    if "OFD.xml" in names:
        return OFD
    raise FileRefused("type")
