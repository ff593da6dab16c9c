"""A department installs `departments` and `contracts` with pika and click, and nothing of the platform's inside."""

from __future__ import annotations

import subprocess
import sys

_FORBIDDEN = {"chassis", "services", "gateway", "nameko", "eventlet", "sqlalchemy", "pydantic", "kombu"}


def test_the_command_loads_nothing_of_the_platform() -> None:
    code = "import sys, departments, departments.__main__; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not _FORBIDDEN & set(loaded)
