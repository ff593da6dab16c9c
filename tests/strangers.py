"""Relying parties that others wrote, each with the library it would take, and the person at its browser."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import IO, Any

import httpx2

from cli.demo import PASSWORD
from cli.oidc import authorize
from gateway.styles.build import node
from tests.node import MODULES

REDIRECT_URI = "http://127.0.0.1:9666/callback"
"""Where no server listens: the browser of the tests reads the address that it is sent to, and does not go there."""

SECONDS = 60
"""The longest that a stranger's program may take."""


class Person:
    """Signs in and agrees, in a browser that keeps its cookies."""

    def __init__(self, username: str = "citizen", redirect_uri: str = REDIRECT_URI) -> None:
        self.browser = httpx2.Client(timeout=30)
        self._username, self._redirect_uri = username, redirect_uri

    def open(self, url: str) -> str:
        """Go where a program sends the browser; the address that it is sent back to, with the answer."""
        return authorize(self.browser, url, self._redirect_uri, self._username, PASSWORD)

    def close(self) -> None:
        self.browser.close()


def play(program: str, open_url: Callable[[str], str], told: Callable[[Any], None] | None = None, **given: Any) -> Any:
    """Run `tests/node/<program>.mjs`; what it says at the end. It asks for the browser by `open_url` (dialogue.mjs).

    `told` does the test's part in the middle. Raise `AssertionError` with the program's errors if it fails.
    """
    command = [*node(), f"{program}.mjs", json.dumps(given)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=MODULES.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
        _ended_after(process, SECONDS),
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            if "done" in message:
                return message["done"]
            answer = open_url(message["open"]) if "open" in message else _do(told, message["told"])
            process.stdin.write(f"{answer}\n")
            process.stdin.flush()
        raise AssertionError(_text_of(errors))


def _do(told: Callable[[Any], None] | None, message: Any) -> str:
    assert told is not None, f"nobody is there to be told {message}"
    told(message)
    return "done"


@contextmanager
def _ended_after(process: subprocess.Popen[str], seconds: float) -> Any:
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        timer.cancel()


def _text_of(errors: IO[str]) -> str:
    errors.seek(0)
    return errors.read() or f"the program ended without a word, or took longer than {SECONDS} s"
