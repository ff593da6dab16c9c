"""What tests use from npm, by `package.json` beside: installed at set-up, never committed."""

from pathlib import Path

MODULES = Path(__file__).parent / "node_modules"
