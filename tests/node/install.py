"""`python -m tests.node.install`: the modules of `package-lock.json`."""

import subprocess

from gateway.styles.build import INSTALL, npm
from tests.node import MODULES

if __name__ == "__main__":
    subprocess.run([*npm(), *INSTALL], cwd=MODULES.parent, check=True, timeout=300)
