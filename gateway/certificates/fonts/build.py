"""`python -m gateway.certificates.fonts.build`: brings the fonts that documents embed into `fonts/build/`.

They come from npm, by the lock beside this file, and are not kept in the repository: 34 MB of what others made.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from gateway.styles.build import INSTALL, npm

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
BUILD = HERE / "build"
FONTS = tuple(
    f"noto-sans-{script}/{weight}/NotoSans{script.upper()}_{weight}.ttf"
    for script in ("sc", "tc")
    for weight in ("400Regular", "700Bold")
)
SECONDS = 300


def is_current() -> bool:
    wanted = HERE / "package-lock.json"
    made = [BUILD / Path(font).name for font in FONTS]
    return all(font.exists() and font.stat().st_mtime >= wanted.stat().st_mtime for font in made)


def main() -> None:
    if is_current():
        return
    command = [*npm(), *INSTALL]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=SECONDS, check=False)
    if result.returncode:
        sys.exit(f"fonts: `{' '.join(command[-2:])}` failed\n{result.stderr[-2000:]}")
    BUILD.mkdir(exist_ok=True)
    packages = MODULES / "@expo-google-fonts"
    for font in FONTS:
        # copied, not moved with its time: what is older than the lock is made anew
        shutil.copyfile(packages / font, BUILD / Path(font).name)
    shutil.copyfile(packages / "noto-sans-sc" / "LICENSE_FONT", BUILD / "OFL.txt")
    # all the weights that nothing uses are four times as much
    shutil.rmtree(MODULES)


if __name__ == "__main__":
    main()
