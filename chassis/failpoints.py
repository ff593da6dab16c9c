"""Named points at which a test may stop a process for good: between a commit and its acknowledgement, say.

`ONEHALL_FAILPOINT=relay.confirmed:/some/file` makes the process write its id to the file and stop itself (SIGSTOP)
when it gets there, so that the test can kill it exactly there. Unset, as everywhere outside tests, it does nothing.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_NAME, _, _FILE = os.environ.get("ONEHALL_FAILPOINT", "").partition(":")


def reach(name: str) -> None:
    """Stop here if this point was asked for, once: a process that is continued goes on."""
    if name != _NAME or Path(_FILE).exists():
        return
    Path(_FILE).write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)
    # with several threads the signal may take another one first: do nothing more until it has taken all
    time.sleep(1)
