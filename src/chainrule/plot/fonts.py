"""Letters that the usual font does not have: those of Chinese, Japanese and Korean names.

matplotlib's own font has no such letters and draws boxes. Texts with them also get the fonts of the machine
that are known to have them, if there are any; other texts, and the user's choice of a font, are left alone.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What Windows, macOS and Linux bring along.
WIDE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "Heiti SC",
    "Heiti TC", "Noto Sans CJK JP", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip
FIRST_WIDE = 0x2E80  # where the letters of East Asia begin


def widen(figure: Figure) -> None:
    """Give texts that need them more fonts to look for their letters in."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if any(ord(letter) >= FIRST_WIDE for letter in text.get_text()):
            usual = text.get_fontfamily()
            more = [name for name in installed() if name not in usual]
            if more:
                text.set_fontfamily([*usual, *more])


@cache
def installed() -> tuple[str, ...]:
    """Those of the fonts that this machine has."""
    from matplotlib.font_manager import fontManager

    names = {font.name for font in fontManager.ttflist}
    return tuple(name for name in WIDE_FONTS if name in names)
