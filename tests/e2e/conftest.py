"""What tests at the door share: the address, the command line, and the token by which strangers register."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from deploy.local.platform import Platform
from tests.strangers import Person


@pytest.fixture(scope="session")
def issuer(platform: Platform) -> str:
    return platform.environment["ONEHALL_BASE_URL"]


@pytest.fixture(scope="session")
def onehall(platform: Platform) -> Callable[..., str]:
    """The operators' command line."""

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "cli", *arguments]
        done = subprocess.run(command, env=os.environ | platform.environment, capture_output=True, check=True)
        return done.stdout.decode()

    return run


@pytest.fixture(scope="session")
def registration_token(onehall: Callable[..., str]) -> str:
    said = onehall("client", "registration-token", "--uses", "100", "--until", "2999-12-31")
    return str(json.loads(said)["initial_access_token"])


@pytest.fixture
def person() -> Iterator[Person]:
    person = Person()
    yield person
    person.close()
