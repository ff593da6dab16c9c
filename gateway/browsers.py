"""What a person may know a browser by again: its name and what it runs on, as far as it says so itself.

Brands only, which are the same in every language, and no version: `Firefox, Windows`. It proves nothing.
"""

from __future__ import annotations

import re

MAX_READ = 512
"""Characters of the header that are looked at."""

# the first that fits: most say that they are Chrome or Safari besides
_BROWSERS = (
    ("WeChat", "MicroMessenger/"),
    ("Alipay", "AlipayClient/"),
    ("DingTalk", "DingTalk/"),
    ("QQ Browser", "M?QQBrowser/"),
    ("QQ", r"\bQQ/"),
    ("UC Browser", "UCBrowser/|UBrowser/"),
    ("Huawei Browser", "HuaweiBrowser/"),
    ("Mi Browser", "MiuiBrowser/"),
    ("Samsung Internet", "SamsungBrowser/"),
    ("Edge", "Edg(?:e|A|iOS)?/"),
    ("Opera", "OPR/|OPiOS/"),
    ("Firefox", "Firefox/|FxiOS/"),
    ("Chrome", "Chrome/|Chromium/|CriOS/"),
    ("Safari", r"Version/[\d.]+ .*Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("HarmonyOS", "OpenHarmony|HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", "Macintosh"),
    ("Linux", "Linux"),
)


def name_of(user_agent: str | None) -> str | None:
    """None for what says nothing that we know."""
    text = (user_agent or "")[:MAX_READ]
    found = [_first(names, text) for names in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or None


def _first(names: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in names if re.search(pattern, text)), None)
