"""A platform with nothing left of an earlier run, which may have been cut off or of another version."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.platform import Platform


@contextmanager
def fresh(state: Path, port: int, replicas: int = 1) -> Iterator[Platform]:
    """Not started yet; ended, whatever state it is in, at the end."""
    platform = Platform(state, port, replicas)
    platform.down()
    shutil.rmtree(platform.state.folder, ignore_errors=True)
    try:
        yield platform
    finally:
        platform.down()
