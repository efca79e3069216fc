"""Draw the pictures of `docs/plots.md`, `docs/statistics.md` and the pages of the course by their examples.

Run `python tools/draw_plots_page.py` after changing an example or how pictures look, and look at them; with
names of pages (`docs/course/fitting.md`) it draws those only.
"""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path
from typing import Any

from chainrule import plot

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = [DOCS / "plots.md", DOCS / "statistics.md", *sorted((DOCS / "course").glob("*.md"))]
DPI = 70  # small files; the page is read on a screen


def draw(page: Path) -> list[Path]:
    """Run the examples of a page from top to bottom, and save the last picture at each link to one."""
    names: dict[str, Any] = {}
    written = []
    parts = re.split(r"!\[[^]]*\]\((.*?)\)", page.read_text(encoding="utf-8"))
    for text, link in zip(parts[::2], [*parts[1::2], None], strict=True):
        for example in doctest.DocTestParser().get_examples(text):
            if example.exc_msg is None:  # one that shows an error draws nothing
                exec(compile(example.source, page.name, "exec"), names)
        if link is not None:
            (page.parent / link).parent.mkdir(exist_ok=True)
            written.append(plot.save(page.parent / link, dpi=DPI))
    return written


if __name__ == "__main__":
    for page in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        for path in draw(page):
            print(path)
