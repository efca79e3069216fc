"""Reading a drawing back from its SVG, and what must hold of its boxes, texts and lines."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

from chainrule.explain.drawing import text
from chainrule.explain.drawing.layout import Rect
from chainrule.explain.drawing.scene import ROLES

NS = "{http://www.w3.org/2000/svg}"


def rect(e: ElementTree.Element) -> Rect:
    return Rect(*(float(e.get(name, "0")) for name in ("x", "y", "width", "height")))


def overlap(a: Rect, b: Rect, slack: float = 0.2) -> bool:
    return (
        a.x < b.right - slack and b.x < a.right - slack and a.y < b.bottom - slack and b.y < a.bottom - slack
    )


def within(inner: Rect, outer: Rect, slack: float = 0.2) -> bool:
    return (
        inner.x >= outer.x - slack
        and inner.y >= outer.y - slack
        and inner.right <= outer.right + slack
        and inner.bottom <= outer.bottom + slack
    )


class Read:
    """An SVG's boxes of nodes, frames of groups, texts and paths."""

    def __init__(self, svg: str) -> None:
        self.root = ElementTree.fromstring(svg)
        paper, *rects = self.root.iter(f"{NS}rect")
        self.paper = rect(paper)
        self.nodes = [rect(e) for e in rects if e.get("class") in (*ROLES, "backward")]
        self.frames = [rect(e) for e in rects if e.get("class") == "group"]
        self.texts = []
        for e in self.root.iter(f"{NS}text"):
            size = float(e.get("font-size", "0"))
            x, y, wide = float(e.get("x", "0")), float(e.get("y", "0")), text.width(e.text or "", size)
            self.texts.append((e.text or "", e.get("class"), Rect(x, y - 0.8 * size, wide, size)))
        self.paths = [e.get("d", "") for e in self.root.iter(f"{NS}path")]

    def points(self, d: str) -> list[tuple[float, float]]:
        """Points along a path: it has the commands M, V and C only."""
        found: list[tuple[float, float]] = []
        for command, rest in re.findall(r"([MVC])([^MVC]*)", d):
            n = [float(x) for x in rest.split()]
            if command == "M":
                found.append((n[0], n[1]))
            elif command == "V":
                x, y = found[-1]
                found += [(x, y + (n[0] - y) * k / 8) for k in range(1, 9)]
            else:
                x, y = found[-1]
                for k in range(1, 17):
                    t = k / 16
                    w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                    found.append(
                        (
                            w[0] * x + w[1] * n[0] + w[2] * n[2] + w[3] * n[4],
                            w[0] * y + w[1] * n[1] + w[2] * n[3] + w[3] * n[5],
                        )
                    )
        return found


def check(svg: str) -> Read:
    """No overlaps, nothing outside, every text of a node in its box, no line through a box or a label."""
    read = Read(svg)
    assert read.nodes
    for a, b in combinations(read.nodes, 2):
        assert not overlap(a, b), (a, b)
    for a, b in combinations(read.frames, 2):
        assert not overlap(a, b) or within(a, b) or within(b, a), (a, b)
    for a in read.frames:
        for b in read.nodes:
            assert not overlap(a, b) or within(b, a), (a, b)
    for (one, _, a), (two, _, b) in combinations(read.texts, 2):
        assert not overlap(a, b), (one, two)
    for line, kind, a in read.texts:
        assert within(a, read.paper), line
        boxes = [b for b in read.nodes if overlap(a, b)]
        if kind in ("title", "detail", "kept", "rule"):
            assert len(boxes) == 1, line
            assert within(a, boxes[0]), line
        else:
            assert not boxes, line
    for a in (*read.nodes, *read.frames):
        assert within(a, read.paper)
    for d in read.paths:
        for x, y in read.points(d):
            point = Rect(x, y, 0.0, 0.0)
            assert within(point, read.paper)
            assert not any(b.x + 1 < x < b.right - 1 and b.y + 1 < y < b.bottom - 1 for b in read.nodes), d
            assert not any(overlap(Rect(x - 0.5, y, 1.0, 1.0), a, 0.0) for _, _, a in read.texts), d
    return read
