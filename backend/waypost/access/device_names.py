"""What a browser says it is, in words. Pure; never more than a hint, since it can say anything."""

from __future__ import annotations

import re

# the first that fits: others call themselves by the later names too
_BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"(Firefox|FxiOS)/"),
    ("Chrome", r"(Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("ChromeOS", r"CrOS"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux"),
)


def device_name(user_agent: str) -> str:
    """A browser and its system, as far as they say: "Firefox on Linux"."""
    browser = next((name for name, look in _BROWSERS if re.search(look, user_agent)), "")
    system = next((name for name, look in _SYSTEMS if re.search(look, user_agent)), "")
    return " on ".join(part for part in (browser, system) if part) or "an unknown device"
