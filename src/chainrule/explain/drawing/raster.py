"""A picture drawn with matplotlib, for files that are not SVG: PNG and PDF. The same marks at the same
places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .picture import Picture
from .style import BOLD, LIGHT
from .svg import curves

if TYPE_CHECKING:
    from pathlib import Path

_DOTS = 100.0  # pixels of the picture per inch of the figure
_LARGEST = 30000  # pixels along one side of a PNG: beyond, viewers fail


def write(p: Picture, path: Path, kind: str) -> None:
    """Write the picture; twice as fine as its pixels, unless that would be too large for a PNG."""
    # Loaded here: most programs draw nothing, and matplotlib takes longer to load than all of chainrule.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(p.width / _DOTS, p.height / _DOTS), facecolor=LIGHT["paper"].fill)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, p.width)
    axes.set_ylim(p.height, 0)
    axes.axis("off")
    _draw(axes, p)
    fine = min(2.0, _LARGEST / max(p.width, p.height))
    figure.savefig(path, format=kind, dpi=_DOTS * fine)


def _draw(axes: Any, p: Picture) -> None:
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path as Way

    points = 72.0 / _DOTS  # of type, per pixel

    def dashes(style: str) -> Any:
        dash = LIGHT[style].dash
        return (0, tuple(d / LIGHT[style].width for d in dash)) if dash else "solid"

    def box(b: Any, z: int) -> None:
        look, r = LIGHT[b.style], b.rect
        radius = min(look.radius, r.height / 2)
        axes.add_patch(
            FancyBboxPatch(
                (r.x, r.y), r.width, r.height, boxstyle=f"round,pad=0,rounding_size={radius}", fc=look.fill,
                ec=look.stroke, lw=look.width * points, ls=dashes(b.style), zorder=z,
            )
        )  # fmt: skip

    for b in p.groups:
        box(b, 1)
    for line in p.lines:
        way, head = curves(line)
        corners = [way[0][0], *(point for _, *rest in way for point in rest)]
        codes = [Way.MOVETO, *[Way.CURVE4] * (len(corners) - 1)]
        look = LIGHT[line.style]
        axes.add_patch(
            PathPatch(Way(corners, codes), fc="none", ec=look.stroke, lw=look.width * points,
                      ls=dashes(line.style), capstyle="butt", zorder=2)
        )  # fmt: skip
        axes.add_patch(Polygon(head, closed=True, fc=look.stroke, ec="none", zorder=2))
    for b in p.boxes:
        box(b, 3)
    for t in p.texts:
        axes.text(
            t.x, t.y, t.text, fontsize=t.size * points, family="DejaVu Sans Mono", va="baseline",
            color=LIGHT[t.style].fill, weight="bold" if t.style in BOLD else "normal", zorder=4,
            parse_math=False,
        )  # fmt: skip
