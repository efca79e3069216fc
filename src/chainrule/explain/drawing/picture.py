"""A scene as marks on a plane: boxes, texts and lines, each with a style by name. What draws marks needs no
layout.

The forward graph stands on the left, the backward graph on the right as its mirror image: the same rows, so
that each gradient rule stands beside its operation, and arrows that go up. Styles are explained in
`style.py`; drawn by `svg.py` and `raster.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import text
from .layout import HEADER, Layout, Point, Rect, layout, row_sizes
from .order import Tree, arranged
from .scene import Node, Scene

MARGIN = 20.0
_BETWEEN = 56.0  # between the forward and the backward graph
_ACROSS, _DOWN = 11.0, 8.0  # between a node's frame and its text
_LEAD = 1.38  # line height over font size
_LINES = 3  # of a title or rule; longer ones are cut, and whole in the text that is shown on hovering
_LETTERS = 46  # of a line

TITLE, SMALL, HEADING = 13.0, 11.0, 14.0  # font sizes
DOT = "\u25cf"  # before what is kept for backward
LEGEND = (
    f"{DOT} kept for backward",
    "∂v: the gradient of the result with respect to v",
    "·: an operand that nobody had to remember",
)


@dataclass(frozen=True, slots=True)
class Box:
    """style: the role of a node, `backward`, or `group`. hover: a text for those who point at it."""

    rect: Rect
    style: str
    hover: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """x, y: left end of the baseline."""

    x: float
    y: float
    text: str
    size: float
    style: str
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """points: as in `Layout.paths`; the arrow is at the last one, or the first one if `up`."""

    points: tuple[Point, ...]
    style: str
    up: bool


@dataclass(slots=True)
class Picture:
    """Everything to be drawn, in this order: groups, lines, boxes, texts."""

    name: str
    width: float
    height: float
    groups: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Label:
    """The text of a node: (line, size, style) from top to bottom."""

    lines: tuple[tuple[str, float, str], ...]
    hover: str

    @property
    def size(self) -> Point:
        widest = max(text.width(line, size) for line, size, _ in self.lines)
        return widest + 2 * _ACROSS, sum(size * _LEAD for _, size, _ in self.lines) + 2 * _DOWN


def picture(scene: Scene, *, backward: bool = True) -> Picture:
    """The marks of a scene."""
    tree = Tree.of({"": list(scene.top), **{key: list(g.children) for key, g in scene.groups.items()}})
    edges = [(e.source, e.target) for e in scene.edges]
    order = arranged(tree, edges)
    both = backward and scene.has_backward
    front = {key: _forward(node) for key, node in scene.nodes.items()}
    back = {key: _backward(node) for key, node in scene.nodes.items() if both and node.rules}
    high = {
        key: max(label.size[1], back[key].size[1] if key in back else 0.0) for key, label in front.items()
    }
    rows = row_sizes(tree, order, {key: (0.0, h) for key, h in high.items()})
    titles = {key: text.shortened(text.visible(g.title), _LETTERS) for key, g in scene.groups.items()}
    room = {key: text.width(title, SMALL) + 4 for key, title in titles.items()}
    title = text.visible(scene.name)
    top = MARGIN + (HEADING * 2.2 if title or both else 0.0)

    def laid(labels: dict[str, _Label], mirror: bool) -> Layout:
        size = {key: (label.size[0], high[key]) for key, label in labels.items()}
        only = [
            i
            for i, e in enumerate(scene.edges)
            if e.source in labels and e.target in labels and (not mirror or e.gradient)
        ]
        return layout(tree, order, edges, size, room, rows, only=only, mirror=mirror)

    out = Picture(title, 0.0, 0.0)
    left = laid(front, mirror=False)
    _put(out, scene, left, front, titles, MARGIN, top, "forward")
    wide, high_most = left.width, left.height
    if both:
        right = laid(back, mirror=True)
        heading = text.width("backward", HEADING)
        start = max(left.width, text.width(_heading(title, both), HEADING)) + _BETWEEN
        _put(out, scene, right, back, titles, MARGIN + start, top, "backward")
        _write(out, MARGIN + start, MARGIN + HEADING, "backward", HEADING, "heading")
        wide = start + max(right.width, heading)
    if title or both:
        _write(out, MARGIN, MARGIN + HEADING, _heading(title, both), HEADING, "heading")
        wide = max(wide, text.width(_heading(title, both), HEADING))
    out.width = wide + 2 * MARGIN
    y = top + high_most + 1.9 * SMALL
    for line in _legend(scene, both, wide):
        _write(out, MARGIN, y, line, SMALL, "note")
        out.width = max(out.width, text.width(line, SMALL) + 2 * MARGIN)
        y += SMALL * _LEAD
    out.height = y - SMALL * _LEAD + MARGIN
    return out


def _heading(title: str, both: bool) -> str:
    if not both:
        return text.shortened(title, 80)
    return f"forward: {text.shortened(title, 40)}" if title else "forward"


def _legend(scene: Scene, both: bool, wide: float) -> list[str]:
    """What the signs in this picture mean; as few lines as fit below it."""
    parts = []
    if any(node.keeps for node in scene.nodes.values()):
        parts.append(LEGEND[0])
    if both:
        parts.append(LEGEND[1])
    if any("·" in node.title.partition(" = ")[2] for node in scene.nodes.values() if node.role != "folded"):
        parts.append(LEGEND[2])
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}    {part}" if lines else part
        if lines and text.width(joined, SMALL) <= wide:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


def _label(lines: list[tuple[str, float, str]], hover: list[str]) -> _Label:
    shown = []
    for line, size, style in lines:
        letters = _LETTERS if size == TITLE else round(_LETTERS * TITLE / size)
        shown += [(part, size, style) for part in text.wrapped(text.visible(line), letters, _LINES)]
    return _Label(tuple(shown), "\n".join(text.visible(line) for line in hover if line))


def _forward(node: Node) -> _Label:
    lines = [(node.title, TITLE, "title"), *((line, SMALL, "detail") for line in node.details)]
    if node.keeps:
        lines.append((f"{DOT} {node.keeps}", SMALL, "kept"))
    return _label(lines, [node.title, *node.details, node.keeps, node.site and f"at {node.site}"])


def _backward(node: Node) -> _Label:
    lines = [(node.back, SMALL, "detail"), *((rule, TITLE, "rule") for rule in node.rules)]
    return _label(lines, [node.back, *node.rules, node.site and f"of {node.title}, at {node.site}"])


def _put(
    out: Picture,
    scene: Scene,
    placed: Layout,
    labels: dict[str, _Label],
    titles: dict[str, str],
    x0: float,
    y0: float,
    side: str,
) -> None:
    """Move a layout to its place, and write the texts into its boxes."""
    up, plain = side == "backward", not scene.has_backward
    for key, r in placed.boxes.items():
        out.groups.append(Box(_moved(r, x0, y0), "group", text.visible(scene.groups[key].path), key))
        _write(out, r.x + x0 + 9, r.y + y0 + HEADER * 0.66, titles[key], SMALL, "group-title")
    for i, points in placed.paths.items():
        flows = scene.edges[i].gradient
        style = "gradient" if up else "flow" if flows or plain else "constant-flow"
        out.lines.append(Line(tuple((x + x0, y + y0) for x, y in points), style, up))
    for key, r in placed.nodes.items():
        label, node = labels[key], scene.nodes[key]
        rect = _moved(r, x0, y0)
        out.boxes.append(Box(rect, side if up and node.role != "folded" else node.role, label.hover, key))
        high = label.size[1] - 2 * _DOWN
        y = rect.y + (rect.height - high) / 2
        for line, size, style in label.lines:
            x = rect.middle - text.width(line, size) / 2
            _write(out, x, y + size * (0.5 * _LEAD + 0.34), line, size, style)
            y += size * _LEAD


def _write(out: Picture, x: float, y: float, line: str, size: float, style: str) -> None:
    out.texts.append(Text(x, y, line, size, style, text.width(line, size)))


def _moved(r: Rect, x: float, y: float) -> Rect:
    return Rect(r.x + x, r.y + y, r.width, r.height)
