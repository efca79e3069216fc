"""A picture as SVG: one self-contained file without scripts, that follows light and dark surroundings.

Colours are in a style sheet of its own class, arrow heads are drawn, and no `id` is used, so several pictures
can stand in one page. Next: `page.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import ceil
from xml.sax.saxutils import escape, quoteattr

from .layout import Point
from .picture import Box, Line, Picture
from .style import ARROW, BOLD, DARK, FONTS, LIGHT, Look

CLASS = "chainrule-drawing"


def svg(p: Picture, link: Callable[[str], str | None] = lambda key: None) -> str:
    """The text of an SVG file. link: where a click on a box (by key) leads; None for nowhere."""
    width, height = ceil(p.width), ceil(p.height)
    name = p.name or "computation graph"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{CLASS}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label={quoteattr(name)} font-family="{FONTS}">',
        f"<title>{escape(name)}</title>",
        f"<style>{_sheet()}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    parts += [_box(b) for b in p.groups]
    parts += [_line(line) for line in p.lines]
    for b in p.boxes:
        target = link(b.key)
        parts.append(f"<a href={quoteattr(target)}>{_box(b)}</a>" if target else _box(b))
    parts += [
        f'<text class="{t.style}" x="{_n(t.x)}" y="{_n(t.y)}" font-size="{_n(t.size)}" '
        f'xml:space="preserve">{escape(t.text)}</text>'
        for t in p.texts
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _sheet() -> str:
    light = "".join(_rule(name, look) for name, look in LIGHT.items())
    dark = "".join(f".{CLASS} .{name}{{fill:{f};stroke:{s}}}" for name, (f, s) in DARK.items())
    bold = ",".join(f".{CLASS} .{name}" for name in BOLD)
    return (
        f"{light}{_heads({name: look[:2] for name, look in LIGHT.items()})}{bold}{{font-weight:600}}"
        f".{CLASS} text{{pointer-events:none}}"
        f"@media (prefers-color-scheme:dark){{{dark}{_heads(DARK)}}}"
    )


def _rule(name: str, look: Look) -> str:
    dash = f";stroke-dasharray:{' '.join(map(_n, look.dash))}" if look.dash else ""
    width = f";stroke-width:{_n(look.width)}" if look.stroke != "none" else ""
    return f".{CLASS} .{name}{{fill:{look.fill};stroke:{look.stroke}{width}{dash}}}"


def _heads(colours: dict[str, tuple[str, str]]) -> str:
    return "".join(
        f".{CLASS} .head.{name}{{fill:{stroke};stroke:none}}"
        for name, (fill, stroke) in colours.items()
        if fill == "none"
    )


def _box(b: Box) -> str:
    r = b.rect
    shape = (
        f'<rect class="{b.style}" x="{_n(r.x)}" y="{_n(r.y)}" width="{_n(r.width)}" height="{_n(r.height)}" '
        f'rx="{_n(min(LIGHT[b.style].radius, r.height / 2))}"'
    )
    return f"{shape}><title>{escape(b.hover)}</title></rect>" if b.hover else f"{shape}/>"


def _line(line: Line) -> str:
    way, head = curves(line)
    parts = [f"M{_n(way[0][0][0])} {_n(way[0][0][1])}"]
    for _, c1, c2, end in way:
        if c1[0] == end[0]:
            parts.append(f"V{_n(end[1])}")
        else:
            points = " ".join(f"{_n(x)} {_n(y)}" for x, y in (c1, c2, end))
            parts.append(f"C{points}")
    tip = " ".join(f"{_n(x)},{_n(y)}" for x, y in head)
    return (
        f'<path class="{line.style}" d="{"".join(parts)}"/>'
        f'<polygon class="head {line.style}" points="{tip}"/>'
    )


def curves(line: Line) -> tuple[list[tuple[Point, Point, Point, Point]], list[Point]]:
    """A line as cubic curves from top to bottom, cut short for the arrow's head, and the head's corners."""
    points = list(line.points)
    tip = points[0] if line.up else points[-1]
    base = tip[1] + ARROW if line.up else tip[1] - ARROW
    points[0 if line.up else -1] = (tip[0], base)
    way = []
    for (x1, y1), (x2, y2) in pairwise(points):
        half = (y1 + y2) / 2
        way.append(((x1, y1), (x1, half), (x2, half), (x2, y2)))
    return way, [tip, (tip[0] - ARROW * 0.45, base), (tip[0] + ARROW * 0.45, base)]


def _n(x: float) -> str:
    """A coordinate, with a tenth of a pixel."""
    return f"{x:.1f}".removesuffix(".0")
