"""Colours of the marks of a picture, for light and for dark surroundings. Used by `svg.py` and `raster.py`.

A node's look says its role twice, by colour and by line or shape, so that it can be told without colours too.
"""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """fill and stroke as #rrggbb; dash: lengths of line and gap; radius: of corners."""

    fill: str
    stroke: str
    width: float = 1.2
    dash: tuple[float, ...] = ()
    radius: float = 6.0


LIGHT: dict[str, Look] = {
    "paper": Look("#ffffff", "#ffffff"),
    "group": Look("#f4f6f8", "#9aa5b1", 1.0, (5.0, 3.0), 9.0),
    "input": Look("#dff3e4", "#2f8f4e", 1.4, (), 15.0),
    "parameter": Look("#fdf0d5", "#b7791f", 1.4, (), 15.0),
    "constant": Look("#f7f7f7", "#8a8f98", 1.2, (3.0, 2.0), 15.0),
    "operation": Look("#e3edfb", "#3b6fb6"),
    "result": Look("#d2e3fc", "#1a4f9c", 2.4),
    "folded": Look("#eceff3", "#5b6673", 2.0, (5.0, 3.0), 9.0),
    "backward": Look("#fbe6ea", "#b4415c"),
    "flow": Look("none", "#4a6287", 1.3),
    "constant-flow": Look("none", "#9aa0a8", 1.1, (3.0, 2.5)),
    "gradient": Look("none", "#b4415c", 1.3),
    "title": Look("#16202c", "none"),
    "rule": Look("#16202c", "none"),
    "detail": Look("#4d5866", "none"),
    "kept": Look("#a63a00", "none"),
    "note": Look("#4d5866", "none"),
    "heading": Look("#16202c", "none"),
    "group-title": Look("#4d5866", "none"),
}
DARK: dict[str, tuple[str, str]] = {  # fill and stroke; the rest is as in the light
    "paper": ("#12161c", "#12161c"),
    "group": ("#1a2028", "#66717e"),
    "input": ("#173524", "#5cc582"),
    "parameter": ("#3b2d10", "#e0aa4e"),
    "constant": ("#22262c", "#8d949e"),
    "operation": ("#1a2d4a", "#7ba7e6"),
    "result": ("#1f3c68", "#a4c4f4"),
    "folded": ("#2a313b", "#a3adba"),
    "backward": ("#431d27", "#ec8ba1"),
    "flow": ("none", "#93aacb"),
    "constant-flow": ("none", "#79808a"),
    "gradient": ("none", "#ec8ba1"),
    "title": ("#eef2f7", "none"),
    "rule": ("#eef2f7", "none"),
    "detail": ("#b4bdc9", "none"),
    "kept": ("#ffab73", "none"),
    "note": ("#b4bdc9", "none"),
    "heading": ("#eef2f7", "none"),
    "group-title": ("#b4bdc9", "none"),
}
BOLD = ("title", "heading")
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
ARROW = 7.0  # length of an arrow's head
