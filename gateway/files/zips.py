"""ZIP containers (DOCX, OFD): what is in them is looked at without ever unpacking more than they say they hold.

The limits are of entries, of what an entry and the whole unpack to, and of the ratio to what they take up; nothing may
overlap (one compressed stream that serves as thousands of entries), lie about its length, be encrypted, or be an
archive itself. The central directory's size is bounded before anything reads it.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Final

from gateway.files.refusal import FileRefused

MOST_ENTRIES: Final = 2_000
MOST_DIRECTORY: Final = 1024 * 1024
MOST_UNPACKED: Final = 200 * 1024 * 1024
MOST_RATIO: Final = 100
RATIO_FROM: Final = 1024 * 1024
"""Below it, a ratio means nothing: a few kilobytes of blanks shrink to nothing."""

_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x1
_CHUNK = 64 * 1024
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ")


def require_harmless(file: IO[bytes]) -> set[str]:
    """The names in it. Raise `FileRefused`."""
    _require_small_directory(file)
    try:
        with zipfile.ZipFile(file) as container:
            entries = container.infolist()
            _require_sane(entries)
            _require_apart(file, entries)
            for entry in entries:
                _require_as_said(file, entry)
            return {entry.filename for entry in entries}
    except (zipfile.BadZipFile, struct.error, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise FileRefused("broken") from error


def _require_small_directory(file: IO[bytes]) -> None:
    """The library reads the whole directory at once, so its size is looked at first.

    Its end record has to be the last thing in the file, without a comment and not of ZIP64: what writes documents
    writes it so, and then there are no two opinions about which record is meant.
    """
    length = file.seek(0, 2)
    if length < _END.size:
        raise FileRefused("broken")
    file.seek(length - _END.size)
    signature, disk, start_disk, here, entries, size, offset, comment = _END.unpack(file.read(_END.size))
    if signature != b"PK\x05\x06" or comment or disk or start_disk or here != entries:
        raise FileRefused("broken")
    if entries > MOST_ENTRIES or size > MOST_DIRECTORY:
        raise FileRefused("zip-bomb")
    if offset + size + _END.size != length:
        raise FileRefused("broken")


def _require_sane(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise FileRefused("zip-bomb")
    if len({entry.filename for entry in entries}) != len(entries):
        raise FileRefused("broken")
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise FileRefused("encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileRefused("broken")
        if entry.file_size > RATIO_FROM and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise FileRefused("zip-bomb")


def _require_apart(file: IO[bytes], entries: list[zipfile.ZipInfo]) -> None:
    """No two entries share bytes: a container that unpacks to more than its sum does it so."""
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end:
            raise FileRefused("zip-bomb")
        end = _data_offset(file, entry) + entry.compress_size


def _data_offset(file: IO[bytes], entry: zipfile.ZipInfo) -> int:
    file.seek(entry.header_offset)
    header = _LOCAL.unpack(file.read(_LOCAL.size))
    if header[0] != b"PK\x03\x04":
        raise FileRefused("broken")
    return entry.header_offset + _LOCAL.size + int(header[9]) + int(header[10])


def _require_as_said(file: IO[bytes], entry: zipfile.ZipInfo) -> None:
    """Unpack it, in small bites, no further than it says that it is long; and see that it is no archive."""
    file.seek(_data_offset(file, entry))
    inflate = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    left, unpacked, begins = entry.compress_size, 0, b""
    while left > 0:
        packed = file.read(min(_CHUNK, left))
        if not packed:
            raise FileRefused("broken")
        left -= len(packed)
        for piece in _unpack(inflate, packed):
            begins = begins or piece[:8]
            unpacked += len(piece)
            if unpacked > entry.file_size:
                raise FileRefused("zip-bomb")
    if unpacked != entry.file_size:
        raise FileRefused("broken")
    if begins.startswith(_ARCHIVES):
        raise FileRefused("nested")


def _unpack(inflate: zlib._Decompress | None, packed: bytes) -> Iterator[bytes]:
    """At most a little at a time, whatever a few bytes would become."""
    if inflate is None:
        yield packed
        return
    while True:
        piece = inflate.decompress(packed, _CHUNK)
        yield piece
        packed = inflate.unconsumed_tail
        # a full bite may leave more behind though every byte that was packed is taken in
        if not packed and len(piece) < _CHUNK:
            return
