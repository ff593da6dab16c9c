"""What the gateway says to ClamAV's own daemon, of Debian, with one signature: that of EICAR's test file."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.virus_scanner import EICAR
from gateway.files.scanner import Clamd, ScannerAway
from tests.processes import wait_until
from tests.unit import files
from tests.unit.files import MEGABYTE, PDF

DAEMON = Path("/usr/sbin/clamd")
STREAM_LIMIT = 2 * MEGABYTE

pytestmark = pytest.mark.skipif(not DAEMON.exists(), reason="there is no clamd: apt-get install clamav-daemon")


@pytest.fixture(scope="module")
def clamd() -> Iterator[Clamd]:
    # a short path: the name of a socket has about a hundred letters
    with tempfile.TemporaryDirectory(prefix="clamd") as name:
        folder = Path(name)
        (folder / "signatures").mkdir()
        # "Name:TargetType:Offset:HexSignature": in any file, at any place
        (folder / "signatures" / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
        (folder / "clamd.conf").write_text(
            f"LocalSocket {folder}/socket\nDatabaseDirectory {folder}/signatures\nTemporaryDirectory {folder}\n"
            f"Foreground yes\nStreamMaxLength {STREAM_LIMIT}\nLogFile {folder}/log\n"
        )
        daemon = subprocess.Popen(
            [DAEMON, "--config-file", folder / "clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until("clamd listens", (folder / "socket").exists, 60)
            yield Clamd(f"{folder}/socket")
        finally:
            daemon.terminate()
            daemon.wait(30)


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 100_000):
        yield content[at : at + 100_000]


def scan(clamd: Clamd, content: bytes) -> str | None:
    return asyncio.run(clamd.scan(chunks(content)))


def test_a_clean_file_is_clean(clamd: Clamd) -> None:
    for content in (PDF, files.docx(), files.picture(), bytes(MEGABYTE)):
        assert scan(clamd, content) is None


@pytest.mark.parametrize(
    "content",
    [
        EICAR,
        PDF[:-6] + EICAR + PDF[-6:],
        files.docx(word__media__a=EICAR),
        bytes(150_000) + EICAR + bytes(150_000),
    ],
    ids=["alone", "in a document", "compressed", "in a later chunk"],
)
def test_a_virus_is_found_and_named(clamd: Clamd, content: bytes) -> None:
    assert scan(clamd, content) == "Eicar-Test-Signature.UNOFFICIAL"


def test_what_it_does_not_read_whole_is_not_clean(clamd: Clamd) -> None:
    # it says so and hangs up, and the one may overtake the other
    with pytest.raises(ScannerAway):
        scan(clamd, bytes(STREAM_LIMIT + MEGABYTE))
    assert scan(clamd, PDF) is None


def test_many_at_once(clamd: Clamd) -> None:
    async def all_at_once() -> list[str | None]:
        contents = [PDF if number % 2 else EICAR for number in range(20)]
        return await asyncio.gather(*(clamd.scan(chunks(content)) for content in contents))

    assert [bool(found) for found in asyncio.run(all_at_once())] == [True, False] * 10
