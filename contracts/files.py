"""What files may be handed in: the words that a service item, the store's check and the pages share."""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 20 * 1024 * 1024
"""Of one file."""

PDF, JPEG, PNG, DOCX, OFD = "pdf", "jpeg", "png", "docx", "ofd"

MEDIA_TYPES: Final = {
    PDF: "application/pdf",
    JPEG: "image/jpeg",
    PNG: "image/png",
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    # GB/T 33190
    OFD: "application/ofd",
}
EXTENSIONS: Final = {PDF: ("pdf",), JPEG: ("jpg", "jpeg"), PNG: ("png",), DOCX: ("docx",), OFD: ("ofd",)}

DEFAULT_TYPES: Final = (PDF, JPEG, PNG)
"""Where a document of an item does not say what it takes."""

FAULTS: Final = (
    *("empty", "too-large", "type", "extension", "broken", "encrypted", "image-size", "zip-bomb", "nested", "macros"),
    *("heic", "virus"),
)
"""Why a file is refused."""
