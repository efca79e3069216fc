"""How wide a text is, and how to make it narrower.

Pictures are drawn in a monospaced font, whatever the machine has of that kind: all common ones advance 0.6 em
per Latin letter (Menlo and DejaVu Sans Mono 0.602, Courier New 0.600, Consolas 0.550). Signs that such a font
may not have are taken from others, so they get more room. Estimates are meant to be a little too large, never
too small.
"""

from __future__ import annotations

import unicodedata

_LETTER = 0.605  # of the font's size, for a character of a monospaced font
_SIGN = 0.80  # arrows and mathematical signs, which may come from another font
_WIDE = 1.05  # East Asian characters and pictures


def advance(c: str) -> float:
    """Width of one character, in units of the font's size."""
    if c < "\u0300":
        return _LETTER
    if unicodedata.combining(c) or unicodedata.category(c) in ("Cf", "Mn", "Me"):
        return 0.0
    if unicodedata.east_asian_width(c) in "WF" or ord(c) >= 0x1F000:
        return _WIDE
    return _LETTER if unicodedata.category(c).startswith("L") else _SIGN


def width(text: str, size: float) -> float:
    """Width of a text in pixels, at a font size in pixels."""
    if text.isascii():
        return len(text) * _LETTER * size
    return sum(map(advance, text)) * size


def visible(text: str) -> str:
    """A text on one line, without characters that cannot be shown (or would be illegal in XML)."""
    if text.isascii() and text.isprintable():
        return text
    cleaned = "".join(c if c.isprintable() or unicodedata.category(c) == "Cf" else " " for c in text)
    return "".join(c for c in cleaned if c not in "\ufffe\uffff")


def shortened(text: str, letters: int) -> str:
    """At most so many characters: the end gives way to `…`."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def wrapped(text: str, letters: int, lines: int) -> list[str]:
    """A text on several lines, broken at blanks; what does not fit gives way to `…`."""
    result: list[str] = []
    rest = text
    while len(rest) > letters and len(result) < lines - 1:
        at = rest.rfind(" ", letters // 2, letters + 1)
        if at < 0:
            break
        result.append(rest[:at])
        rest = "  " + rest[at + 1 :]
    return [*result, shortened(rest, letters)]
