"""Giving a result's document out: asked of `cases`, made here, and its digest written down there."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from starlette.responses import Response

from contracts.actors import Actor
from gateway.certificates import pdf
from gateway.certificates.wording import said
from gateway.languages import CATALOGUES
from gateway.rpc.client import Rpc

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_printer: Final = ThreadPoolExecutor(1, thread_name_prefix="documents")
"""One after the other, as the compiler works: who waits holds no thread that files or other calls need."""


async def give_out(
    rpc: Rpc, actor: Actor, number: str, language: str, base_url: str, *, purpose: str | None = None
) -> Response:
    """The PDF in one of our languages, to be saved. Raise what `cases.download_result` does."""
    asked = (number, language) if purpose is None else (number, language, purpose)
    printed: dict[str, Any] = await rpc.call("cases.download_result", *asked, actor=actor)
    data = said(printed, CATALOGUES[language], base_url)
    document = await asyncio.get_running_loop().run_in_executor(_printer, pdf.make, data)
    digest = hashlib.sha256(document).hexdigest()
    # not before: whoever gets no document has taken none
    await rpc.call("cases.note_result_download", number, language, digest, printed["result"], actor=actor)
    name = f"{printed['number']}-{language}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "ETag": f'"{digest}"'}
    return Response(document, media_type="application/pdf", headers=HEADERS | headers)
