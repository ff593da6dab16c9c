"""Why a file is not taken."""

from __future__ import annotations


class FileRefused(Exception):
    """Args: one of `contracts.files.FAULTS`."""

    @property
    def fault(self) -> str:
        return str(self.args[0])
