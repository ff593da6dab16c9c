"""The platform on one machine: a private database, a private broker and every process, under supervisor.

`python -m deploy.local` is the command behind the Makefile; tests start a platform of their own with `Platform`.
"""

from deploy.local.platform import Platform
from deploy.local.report import Failure

__all__ = ["Failure", "Platform"]
