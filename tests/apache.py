"""An Apache of Debian's that guards pages with `mod_auth_openidc`: a relying party that none of us wrote."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from deploy.local.database import UNPRIVILEGED
from tests.processes import wait_until

PROGRAM = Path("/usr/sbin/apache2")
MODULES = Path("/usr/lib/apache2/modules")
OPENIDC = MODULES / "mod_auth_openidc.so"

CONFIGURATION = """
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
LogLevel warn
DocumentRoot {folder}/pages
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {relying_party[client_id]}
OIDCClientSecret {relying_party[client_secret]}
OIDCRedirectURI http://127.0.0.1:{port}/callback
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
# else it looks tokens up by themselves, and ours are longer than its keys may be
OIDCCacheEncrypt On

OIDCOAuthServerMetadataURL {issuer}/.well-known/oauth-authorization-server
OIDCOAuthClientID {resource_server[client_id]}
OIDCOAuthClientSecret {resource_server[client_secret]}
OIDCOAuthRemoteUserClaim client_id

<Location />
  AuthType openid-connect
  Require valid-user
  Header set Person "expr=%{{reqenv:OIDC_CLAIM_preferred_username}}"
</Location>
<Location /out>
  AuthType None
  Require all granted
</Location>
<Location /programs>
  AuthType oauth20
  Require valid-user
</Location>
"""


def require_installed() -> None:
    """Skip where Debian's packages could not be had; where set-up installs them their absence is a failure."""
    if OPENIDC.exists() and PROGRAM.exists():
        return
    reason = f"there is no {OPENIDC}: apt-get install --no-install-recommends apache2 libapache2-mod-auth-openidc"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True, slots=True)
class Apache:
    url: str
    log: Path

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/callback"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def guarding(
    port: int, issuer: str, relying_party: dict[str, str], resource_server: dict[str, str]
) -> Iterator[Apache]:
    """Serve `/` to the signed in, `/out` to everybody and `/programs` to who sends an access token.

    It signs people in as the first client (as `onehall client add` shows it) and asks about tokens as the second.
    """
    folder = Path(tempfile.mkdtemp(prefix="onehall-apache-"))
    try:
        for page in ("index.html", "out", "programs"):
            (folder / "pages").mkdir(exist_ok=True)
            (folder / "pages" / page).write_text(page)
        content = CONFIGURATION.format(
            folder=folder,
            port=port,
            modules=MODULES,
            issuer=issuer,
            relying_party=relying_party,
            resource_server=resource_server,
            passphrase=os.urandom(16).hex(),
        )
        (folder / "apache.conf").write_text(content)
        with _running(folder, f"http://127.0.0.1:{port}") as apache:
            yield apache
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(folder: Path, url: str) -> Iterator[Apache]:
    as_nobody: dict[str, object] = {}
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, UNPRIVILEGED)
        as_nobody = {"user": UNPRIVILEGED, "group": "nogroup", "extra_groups": []}
    command = [str(PROGRAM), "-D", "FOREGROUND", "-f", str(folder / "apache.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd="/", **as_nobody) as process:  # type: ignore[call-overload]
        try:
            wait_until("Apache answers", lambda: process.poll() is not None or _answers(url))
            assert process.poll() is None, (folder / "error.log").read_text()
            yield Apache(url, folder / "error.log")
        finally:
            process.terminate()
            process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/out").status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False
