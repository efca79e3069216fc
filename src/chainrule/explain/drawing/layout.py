"""Coordinates: a pure function of sizes and of the order of `order.py`.

Elements of a row keep their order and a distance. Where they stand is found by sweeps: each row in turn goes
as near as it can (least squares, solved exactly) to where its neighbours would have it; straight lanes weigh
most. Boxes are measured from the inside out and then placed from the outside in.

Edges are drawn in the gaps between rows only, and straight down through the rows, where each has an element
to itself: so no edge crosses a box that it has nothing to do with.

The backward picture uses the same rows in mirrored order (`mirror=True`) with its own widths and the same
heights, so that each gradient rule stands at the height of its operation. Next: `picture.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

from .order import Arranged, Ends, Key, Tree

GAP = 34.0  # between rows: room for the curves
APART = 22.0  # between neighbours of a row
LANE = 10.0  # width of a lane or a door
PADDING = 14.0  # between a box's frame and what is inside
HEADER = 26.0  # height of the row with a box's title
_SWEEPS = 24
_STRAIGHTENINGS = 4
# How much an edge pulls: a lane wants to be straight; what nobody else holds comes along with what it belongs
# to.
_WEIGHT_OF_LANE = 4.0
_WEIGHT_OF_LEAF = 0.1

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rect:
    """x, y: the upper left corner; y grows downward."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(slots=True)
class Layout:
    """nodes, boxes: where they are. paths: per edge its points, from the source's bottom to the target's top.

    Between two points an edge runs straight down if they have the same x, else in a curve with upright ends.
    """

    width: float
    height: float
    nodes: dict[str, Rect] = field(default_factory=dict)
    boxes: dict[str, Rect] = field(default_factory=dict)
    paths: dict[int, list[Point]] = field(default_factory=dict)


@dataclass(slots=True)
class _Inside:
    """A box with coordinates of its own: the middles of its elements, and its rows' tops and heights."""

    rows: list[list[Key]]
    links: dict[tuple[Key, Key], set[int]]
    x: dict[Key, float]
    widths: dict[Key, float]
    tops: list[float]
    heights: list[float]
    width: float
    height: float
    above: dict[Key, list[Key]]


Row = tuple[float, float]  # its height, and the gap below it


def row_sizes(
    tree: Tree, arranged: Mapping[str, Arranged], size: Mapping[str, tuple[float, float]]
) -> dict[str, list[Row]]:
    """The heights of all rows of all boxes, and the gaps between them: wider where many edges go."""
    found: dict[str, list[Row]] = {}
    high: dict[str, float] = {}
    for box in reversed(tree.order):
        rows = arranged[box].rows
        last = len(rows) - 1
        row_of = {key: r for r, row in enumerate(rows) for key in row}
        busy = Counter(row_of[a] for a, _ in arranged[box].links)
        found[box] = []
        for r, row in enumerate(rows):
            members = [
                size[k[1]][1] if k[0] == "node" else high[k[1]] for k in row if k[0] in ("node", "box")
            ]
            height = HEADER if box and r == 0 else max(members, default=0.0)
            gap = GAP * min(2.0, 1.0 + 0.08 * max(0, busy[r] - 4))
            if r in (0, last - 1):  # next to the frame there is nothing but doors
                gap *= 0.6 if box else 0.0
            found[box].append((height, 0.0 if r == last else gap))
        high[box] = sum(height + gap for height, gap in found[box])
    return found


def layout(
    tree: Tree,
    arranged: Mapping[str, Arranged],
    edges: Sequence[Ends],
    size: Mapping[str, tuple[float, float]],
    title: Mapping[str, float],
    rows: Mapping[str, list[Row]],
    *,
    only: Collection[int] | None = None,
    mirror: bool = False,
) -> Layout:
    """Place everything.

    size:   (width, height) of each node; nodes that are not in it are left out.
    title:  the width of each box's title.
    rows:   the heights of the rows (`row_sizes`).
    only:   the edges to draw; None for all.
    mirror: left and right exchanged.
    """
    kept = set(range(len(edges))) if only is None else set(only)
    inside: dict[str, _Inside] = {}
    for box in reversed(tree.order):
        room = _inside(box, arranged[box], size, title, rows[box], kept, mirror, inside)
        if room is not None or not box:
            inside[box] = room or _Inside([], {}, {}, {}, [], [], 0.0, 0.0, {})
    result = Layout(inside[""].width, inside[""].height)
    corner: dict[str, Point] = {"": (0.0, 0.0)}
    for box in tree.order:
        if box not in inside:
            continue
        room, (x0, y0) = inside[box], corner[box]
        if box:
            result.boxes[box] = Rect(x0, y0, room.width, room.height)
        for r, row in enumerate(room.rows):
            for key in row:
                x, y = x0 + room.x[key], y0 + room.tops[r]
                if key[0] == "node":
                    w, h = size[key[1]]
                    result.nodes[key[1]] = Rect(x - w / 2, y, w, h)
                elif key[0] == "box":
                    corner[key[1]] = (x - inside[key[1]].width / 2, y)
    _draw_paths(tree, edges, kept, inside, corner, result)
    return result


def _inside(
    box: str,
    arranged: Arranged,
    size: Mapping[str, tuple[float, float]],
    title: Mapping[str, float],
    heights: list[Row],
    kept: set[int],
    mirror: bool,
    done: Mapping[str, _Inside],
) -> _Inside | None:
    links = {ends: uses & kept for ends, uses in arranged.links.items() if uses & kept}
    linked = {key for ends in links for key in ends}
    rows = []
    for row in arranged.rows:
        there = [
            k
            for k in (reversed(row) if mirror else row)
            if (k[0] == "node" and k[1] in size) or (k[0] == "box" and k[1] in done) or k in linked
        ]
        rows.append(there)
    if not any(k[0] in ("node", "box") for row in rows for k in row):
        return None
    if box:
        rows[0].insert(0, ("title",))
    width = {}
    for row in rows:
        for k in row:
            kind = k[0]
            width[k] = (
                size[k[1]][0]
                if kind == "node"
                else done[k[1]].width
                if kind == "box"
                else title[box]
                if kind == "title"
                else LANE
            )
    above: dict[Key, list[Key]] = defaultdict(list)
    below: dict[Key, list[Key]] = defaultdict(list)
    pull_up: dict[Key, list[tuple[Key, float, float]]] = defaultdict(list)
    pull_down: dict[Key, list[tuple[Key, float, float]]] = defaultdict(list)
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    for (a, b), uses in links.items():
        alone = a[0] == "node" and a not in above and len(below[a]) == 1 and len(above[b]) > 1
        weight = _WEIGHT_OF_LANE if a[0] == b[0] == "lane" else _WEIGHT_OF_LEAF if alone else 1.0
        da, db = _door(a, uses, done, last=True), _door(b, uses, done, last=False)
        pull_up[b].append((a, da - db, weight))
        pull_down[a].append((b, db - da, weight))
    x = _middles(rows, width, pull_up, pull_down)
    if box:
        _put_title(rows[0], width, x)
    left = min(x[k] - width[k] / 2 for k in x)
    right = max(x[k] + width[k] / 2 for k in x)
    padding = PADDING if box else 0.0
    x = {k: v - left + padding for k, v in x.items()}
    *tops, height = accumulate((h + gap for h, gap in heights), initial=0.0)
    return _Inside(
        rows,
        links,
        x,
        width,
        tops,
        [h for h, _ in heights],
        right - left + 2 * padding,
        height,
        dict(above),
    )


def _put_title(row: list[Key], width: dict[Key, float], x: dict[Key, float]) -> None:
    """A title begins at the left end of what is in its box, or further left, to leave room for the doors."""
    title, *doors = row
    x[title] = min(x[k] - width[k] / 2 for k in x if k != title) + width[title] / 2
    if doors:
        near = x[doors[0]] - (width[doors[0]] + width[title]) / 2 - _distance(title, doors[0])
        x[title] = min(x[title], near)


def _door(key: Key, uses: set[int], done: Mapping[str, _Inside], *, last: bool) -> float:
    """How far from the middle of an element its edge begins or ends; that of a box at a door."""
    if key[0] != "box":
        return 0.0
    room = done[key[1]]
    side = 1 if last else 0
    kind = "out" if last else "in"
    doors = {ends[side] for ends, others in room.links.items() if ends[side][0] == kind and others & uses}
    return sum(room.x[d] for d in doors) / len(doors) - room.width / 2 if doors else 0.0


def _middles(
    rows: list[list[Key]],
    width: dict[Key, float],
    up: dict[Key, list[tuple[Key, float, float]]],
    down: dict[Key, list[tuple[Key, float, float]]],
) -> dict[Key, float]:
    """The middle of each element."""
    x: dict[Key, float] = {}
    offsets = []
    for row in rows:
        at, previous, offset = 0.0, None, []
        for k in row:
            if previous is not None:
                at += (width[previous] + width[k]) / 2 + _distance(previous, k)
            offset.append(at)
            previous = k
        offsets.append(offset)
        for k, o in zip(row, offset, strict=True):
            x[k] = o - (offset[-1] + width[row[-1]] / 2 - width[row[0]] / 2) / 2
    for sweep in range(_SWEEPS):
        both = sweep >= _SWEEPS - 6
        steps = range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1)
        sides = (up, down) if both else (up,) if sweep % 2 == 0 else (down,)
        for r in steps:
            row = rows[r]
            wish, weight = [], []
            for k in row:
                total = pulled = 0.0
                for around in sides:
                    for near, shift, w in around.get(k, ()):
                        total += w
                        pulled += w * (x[near] + shift)
                wish.append(pulled / total if total else x[k])
                weight.append(total or 0.05)
            x.update(zip(row, _nearest(wish, weight, offsets[r]), strict=True))
    for _ in range(_STRAIGHTENINGS):
        _straighten(rows, width, x)
    return x


def _straighten(rows: list[list[Key]], width: dict[Key, float], x: dict[Key, float]) -> None:
    """The lanes of one edge get one x, over as many rows at a time as the room beside them allows."""

    def room(row: list[Key], i: int) -> tuple[float, float]:
        k = row[i]
        low, high = -inf, inf
        if i:
            low = x[row[i - 1]] + (width[row[i - 1]] + width[k]) / 2 + _distance(row[i - 1], k)
        if i + 1 < len(row):
            high = x[row[i + 1]] - (width[row[i + 1]] + width[k]) / 2 - _distance(k, row[i + 1])
        return low, high

    lanes: dict[Key, list[tuple[list[Key], int]]] = defaultdict(list)
    for row in rows:
        for i, k in enumerate(row):
            if k[0] == "lane":
                lanes[k[:-1]].append((row, i))
    for lane in lanes.values():
        run: list[Key] = []
        low, high = -inf, inf
        for row, i in lane:
            least, most = room(row, i)
            if run and max(low, least) > min(high, most):
                _line_up(run, low, high, x)
                run, low, high = [], -inf, inf
            run.append(row[i])
            low, high = max(low, least), min(high, most)
        _line_up(run, low, high, x)


def _line_up(run: list[Key], low: float, high: float, x: dict[Key, float]) -> None:
    at = min(max(sum(x[k] for k in run) / len(run), low), high)
    x.update(dict.fromkeys(run, at))


def _distance(a: Key, b: Key) -> float:
    thin = (a[0] in ("lane", "in", "out")) + (b[0] in ("lane", "in", "out"))
    return APART if thin == 0 else APART * 0.6 if thin == 1 else APART * 0.3


def _nearest(wish: list[float], weight: list[float], offset: list[float]) -> list[float]:
    """Places at least `offset[i + 1] - offset[i]` apart, with the least weighted sum of squares to the
    wishes.

    Without the offsets that asks for the nearest sequence that never falls: pool adjacent violators.
    """
    pools: list[list[float]] = []  # mean, weight, count
    for w, v, o in zip(wish, weight, offset, strict=True):
        pools.append([w - o, v, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, v1, n1 = pools.pop()
            total = pools[-1][1] + v1
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * v1) / total, total, pools[-1][2] + n1]
    means = [mean for mean, _, n in pools for _ in range(int(n))]
    return [mean + o for mean, o in zip(means, offset, strict=True)]


# -- edges ----------------------------------------------------------------------------------------------


def _draw_paths(
    tree: Tree,
    edges: Sequence[Ends],
    kept: set[int],
    inside: dict[str, _Inside],
    corner: dict[str, Point],
    result: Layout,
) -> None:
    """The points of all edges: through each box that they pass, from its first element to its last."""
    steps: dict[int, dict[Key, dict[str, Key]]] = defaultdict(lambda: defaultdict(dict))
    entry = _entries(inside)
    for box, room in inside.items():
        for (a, b), uses in room.links.items():
            for i in uses:
                steps[i][a][box] = b
    row_of = {box: {k: r for r, row in enumerate(room.rows) for k in row} for box, room in inside.items()}
    for i in sorted(kept):
        start, end = edges[i]
        if start not in result.nodes or end not in result.nodes:
            continue
        first = result.nodes[start]
        points: list[Point] = [(first.middle, first.bottom)]
        box = tree.parent[start]
        at: Key = ("node", start)
        while True:
            room, (x0, y0) = inside[box], corner[box]
            row = row_of[box][at]
            bottom = y0 + room.tops[row] + room.heights[row]
            points.append((points[-1][0], bottom))  # straight down to the end of the row
            if at[0] == "out":
                outer = tree.parent[box]
                at, box = ("box", box), outer
                continue
            to = steps[i][at][box]
            row = row_of[box][to]
            top = y0 + room.tops[row]
            x = x0 + room.x[to] + (entry[box].get((at, to), 0.0) if to[0] == "node" else 0.0)
            if to[0] == "box":
                inner = to[1]
                door = ("in", start)
                points.append((corner[inner][0] + inside[inner].x[door], top))
                box, at = inner, door
                continue
            points.append((x, top))
            if to == ("node", end):
                break
            at = to
        result.paths[i] = _tidy(points)


def _entries(inside: dict[str, _Inside]) -> dict[str, dict[tuple[Key, Key], float]]:
    """Edges that end at one node end beside each other, in the order in which they come."""
    found: dict[str, dict[tuple[Key, Key], float]] = {}
    for box, room in inside.items():
        found[box] = {}
        for b, sources in room.above.items():
            if b[0] == "node" and len(sources) > 1:
                step = min(16.0, 0.75 * room.widths[b] / len(sources))
                for n, a in enumerate(sorted(sources, key=lambda k, x=room.x: x[k])):  # type: ignore[misc]
                    found[box][a, b] = (n - (len(sources) - 1) / 2) * step
    return found


def _tidy(points: list[Point]) -> list[Point]:
    """Without points on the way straight down."""
    kept = points[:1]
    for here, there in zip(points[1:], [*points[2:], None], strict=True):
        if there is not None and kept[-1][0] == here[0] == there[0]:
            continue
        if here != kept[-1]:
            kept.append(here)
    return kept
