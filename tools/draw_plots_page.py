"""Draw the pictures of `docs/plots.md` by the examples above them.

Run `python tools/draw_plots_page.py` after changing an example or how pictures look, and look at them.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

from chainrule import plot

PAGE = Path(__file__).resolve().parent.parent / "docs" / "plots.md"
DPI = 70  # small files; the page is read on a screen


def draw() -> list[Path]:
    """Run the examples from top to bottom, and save the last picture at each link to one."""
    names: dict[str, Any] = {}
    written = []
    parts = re.split(r"!\[[^]]*\]\((.*?)\)", PAGE.read_text(encoding="utf-8"))
    for text, link in zip(parts[::2], [*parts[1::2], None], strict=True):
        for example in doctest.DocTestParser().get_examples(text):
            exec(compile(example.source, PAGE.name, "exec"), names)
        if link is not None:
            written.append(plot.save(PAGE.parent / link, dpi=DPI))
    return written


if __name__ == "__main__":
    for path in draw():
        print(path)
