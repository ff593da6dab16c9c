"""The style sheet and the icon, as files that browsers may keep."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from gateway.pages.templates import STATIC

# the pages link the style sheet with its hash, so a new one has a new address
FOR_A_YEAR = "public, max-age=31536000, immutable"
FOR_A_DAY = "public, max-age=86400"


class _Files(StaticFiles):
    def file_response(self, full_path: Any, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(full_path, *arguments, **options)
        response.headers["Cache-Control"] = FOR_A_YEAR if str(full_path).endswith(".css") else FOR_A_DAY
        return response


def files() -> StaticFiles:
    return _Files(directory=STATIC)
