"""A drawing as a page: the picture, and below it what was folded, to be opened. No scripts: `<details>` of
HTML.

A click on a folded node leads to the picture of what is inside; browsers open a `<details>` that is led into.
"""

from __future__ import annotations

from html import escape

from .grouping import folded, opened
from .picture import picture
from .scene import Scene
from .svg import svg

_SHEET = """
:root { color-scheme: light dark }
body { margin: 1.5rem; font-family: system-ui, sans-serif; background: #ffffff; color: #16202c }
details { margin: .6rem 0 .6rem .8rem; border-left: 3px solid #9aa5b1; padding-left: .8rem }
summary { cursor: pointer; padding: .2rem 0 }
svg { max-width: none } .scroll { overflow-x: auto }
@media (prefers-color-scheme: dark) { body { background: #12161c; color: #eef2f7 } }
"""


def page(whole: Scene, shown: Scene, *, backward: bool, summary: str) -> str:
    """A self-contained HTML page. whole: with all groups open; shown: as it is drawn."""
    title = escape(whole.name or "computation graph")
    body = _part(whole, shown, backward)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_SHEET}</style></head>\n<body>\n<p>{escape(summary)}</p>\n{body}</body></html>\n"
    )


def _part(whole: Scene, shown: Scene, backward: bool) -> str:
    """A picture, and for each folded node in it the picture of its inside."""
    inner = [key for key in shown.nodes if key in whole.groups]
    drawn = svg(
        picture(shown, backward=backward), link=lambda key: f"#inside-{key}" if key in whole.groups else None
    )
    parts = [f'<div class="scroll">{drawn}</div>\n']
    for key in inner:
        inside = opened(whole, key)
        name = escape(whole.groups[key].title)
        content = _part(inside, folded(inside, None, None), backward)
        parts.append(
            f'<details><summary>{name}</summary><div id="inside-{key}">\n{content}</div></details>\n'
        )
    return "".join(parts)
