"""Files of every kind, made by hand: good ones, broken ones, and ones that would unpack to far too much."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image

MEGABYTE = 1024 * 1024
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    made = io.BytesIO()
    Image.new("1" if kind == "PNG" else "L", size).save(made, kind)
    return made.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """A PNG of some bytes that unpacks to what its header says."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def container(**entries: bytes) -> bytes:
    """A ZIP; `__` stands for a slash and `_dot_` for a dot in the names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return made.getvalue()


TYPES_PART = b"<Types/>"


def docx(**more: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES_PART)
        archive.writestr("word/document.xml", b"<w:document/>")
        for name, content in more.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return made.getvalue()


def polyglot(*parts: bytes) -> bytes:
    """One file that is several, by where a reader begins: pictures and PDF at the start, archives at the end."""
    return b"".join(parts)


def lying_docx() -> bytes:
    """An entry that says it is a kilobyte, in the directory and before its bytes, and is ten megabytes."""
    good = docx(word__media__a=b"\0" * (10 * MEGABYTE))
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        entry = archive.getinfo("word/media/a")
    size = struct.pack("<L", entry.file_size)
    return good.replace(size, struct.pack("<L", 1024))


def encrypted_docx() -> bytes:
    """One whose last entry says of itself that it is (APPNOTE 6.3.10, 4.4.4)."""
    good = docx(word__a=b"x")
    flags = good.rindex(b"PK\x01\x02") + 8
    return good[:flags] + b"\x01\x00" + good[flags + 2 :]


def overlapping_docx() -> bytes:
    """Two entries of the directory that share one stream: what a bomb of hundreds does."""
    good = docx(word__a=b"x" * 1000, word__b=b"x" * 1000)
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        first, second = archive.getinfo("word/a"), archive.getinfo("word/b")
    directory = good.rindex(b"PK\x01\x02")
    return good[:directory] + good[directory:].replace(
        struct.pack("<L", second.header_offset), struct.pack("<L", first.header_offset), 1
    )
