"""`python -m deploy.check [ROOT]`: are the deployment files right, and does every name in them lead somewhere?

Needs no network and no tool outside the locked requirements; `promtool` is asked too where it is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.check import compose, kubernetes, prometheus

Check = Callable[[Path], Iterator[str]]

CHECKS: dict[str, Check] = {
    "docker-compose.yml": compose.faults,
    "deploy/k8s": kubernetes.faults,
    "deploy/prometheus": prometheus.faults,
}


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    found = 0
    for subject, faults_of in CHECKS.items():
        faults = sorted(set(faults_of(root)))
        found += len(faults)
        for fault in faults or ("ok",):
            sys.stdout.write(f"{subject}: {fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
