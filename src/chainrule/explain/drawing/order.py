"""Who stands in which row, and in what order: the first half of the layout, which knows no sizes.

A tree of boxes is arranged box by box, the innermost first; seen from outside, an arranged box is one
element. So boxes never overlap, whatever the edges do. Inside a box, in the manner of Sugiyama, Tagawa and
Toda (1981):

1. *Rows.* An element stands below all that it reads. What reads nothing stands just above its first reader.
2. *Lanes.* An edge over several rows gets a thin element in each of them. Edges from one value share theirs:
   it is one value that goes there. An edge into or out of a box passes a *door* in the box's first or last
   row.
3. *Order.* Sweeps down and up put each element at the mean place of its neighbours; neighbours that stand
   better the other way round are swapped; the arrangement with the fewest crossings stays.

Next: `layout.py`, which gives everything its coordinates.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Key = tuple[
    str, ...
]  # ("node", key), ("box", key), ("lane", source, row), ("in" | "out", source), ("title",)
Ends = tuple[str, str]  # an edge: keys of two nodes

_SWEEPS = 12
_FEW = 400  # links of a row; with more, neighbours are not swapped: that costs their square


@dataclass(slots=True)
class Arranged:
    """A box from inside.

    rows:  elements from top to bottom, left to right. The first row has the title and doors in, the last one
           doors out.
    links: from an element of a row to one of the next row, with the edges that go there.
    """

    rows: list[list[Key]]
    links: dict[tuple[Key, Key], set[int]]


@dataclass(slots=True)
class Tree:
    """Boxes: children of each in the order they ran; the outermost is `""`."""

    children: dict[str, list[str]]
    parent: dict[str, str]
    order: list[str] = field(default_factory=list)  # boxes, outer ones first

    @classmethod
    def of(cls, children: dict[str, list[str]]) -> Tree:
        parent = {child: box for box, inside in children.items() for child in inside}
        order, stack = [], [""]
        while stack:
            box = stack.pop()
            order.append(box)
            stack.extend(c for c in reversed(children[box]) if c in children)
        return cls(children, parent, order)

    def above(self, key: str) -> list[str]:
        """The boxes around a node or box, from the outermost in."""
        found = []
        while key:
            key = self.parent[key]
            found.append(key)
        return found[::-1]


def arranged(tree: Tree, edges: Sequence[Ends]) -> dict[str, Arranged]:
    """All boxes from inside."""
    local: dict[str, dict[tuple[Key, Key], set[int]]] = {box: defaultdict(set) for box in tree.order}
    for i, (a, b) in enumerate(edges):
        _route(tree, local, i, a, b)
    result: dict[str, Arranged] = {}
    for box in reversed(tree.order):
        members: list[Key] = [("box" if c in tree.children else "node", c) for c in tree.children[box]]
        result[box] = _arranged_box(box, members, local[box], result, edges)
    return result


def _route(tree: Tree, local: dict[str, dict[tuple[Key, Key], set[int]]], i: int, a: str, b: str) -> None:
    """Cut an edge at the borders of boxes: up through doors out, down through doors in."""
    out, into = tree.above(a), tree.above(b)
    shared = 0
    while shared < min(len(out), len(into)) and out[shared] == into[shared]:
        shared += 1
    at: Key = ("node", a)
    for box in reversed(out[shared:]):
        local[box][at, ("out", a)].add(i)
        at = ("box", box)
    inner = into[shared:]
    target: Key = ("box", inner[0]) if inner else ("node", b)
    local[out[shared - 1]][at, target].add(i)
    for depth, box in enumerate(inner):
        target = ("box", inner[depth + 1]) if depth + 1 < len(inner) else ("node", b)
        local[box][("in", a), target].add(i)


def _arranged_box(
    box: str,
    members: list[Key],
    links: dict[tuple[Key, Key], set[int]],
    done: dict[str, Arranged],
    edges: Sequence[Ends],
) -> Arranged:
    row = _rows(members, links)
    last = max(row.values(), default=0) + 1
    rows: list[list[Key]] = [[] for _ in range(last + 1)]
    for key in members:
        rows[row[key]].append(key)
    for a, b in links:
        if a[0] == "in" and a not in row:
            row[a] = 0
            rows[0].append(a)
        if b[0] == "out" and b not in row:
            row[b] = last
            rows[last].append(b)
    short = _with_lanes(rows, row, links, edges)
    arranged = Arranged(rows, short)
    _sort(arranged, done)
    if box:
        rows[0].insert(0, ("title",))
    return arranged


def _rows(members: list[Key], links: Iterable[tuple[Key, Key]]) -> dict[Key, int]:
    """The row of each member, from 1: the longest way from above. `members` are in an order that ran."""
    inside = set(members)
    before: dict[Key, list[Key]] = defaultdict(list)
    after: dict[Key, list[Key]] = defaultdict(list)
    entered = set()
    for a, b in links:
        if a in inside and b in inside:
            before[b].append(a)
            after[a].append(b)
        elif b in inside:
            entered.add(b)
    row: dict[Key, int] = {}
    waiting = {m: len(before[m]) for m in members}
    ready = [m for m in members if not waiting[m]]
    for m in ready:  # grows while it is walked through
        row[m] = 1 + max((row[a] for a in before[m]), default=0)
        for b in after[m]:
            waiting[b] -= 1
            if not waiting[b]:
                ready.append(b)
    if len(row) != len(members):
        raise ValueError("the edges between boxes go round in a circle")
    for m in members:
        if not before[m] and m not in entered and after[m]:
            row[m] = min(row[b] for b in after[m]) - 1
    return row


def _with_lanes(
    rows: list[list[Key]],
    row: dict[Key, int],
    links: dict[tuple[Key, Key], set[int]],
    edges: Sequence[Ends],
) -> dict[tuple[Key, Key], set[int]]:
    """Links from row to row: long ones run through lanes, shared by all with the same start and value."""
    short: dict[tuple[Key, Key], set[int]] = defaultdict(set)
    for (a, b), uses in links.items():
        if row[b] == row[a] + 1:
            short[a, b] |= uses
            continue
        for value in dict.fromkeys(edges[i][0] for i in sorted(uses)):  # a box may pass on several values
            of_value = {i for i in uses if edges[i][0] == value}
            at = a
            for r in range(row[a] + 1, row[b]):
                lane = ("lane", *a, value, str(r))
                if lane not in row:
                    row[lane] = r
                    rows[r].append(lane)
                short[at, lane] |= of_value
                at = lane
            short[at, b] |= of_value
    return dict(short)


# -- order ----------------------------------------------------------------------------------------------


def _sort(arranged: Arranged, done: dict[str, Arranged]) -> None:
    """Put the elements of each row into an order with few crossings."""
    rows = arranged.rows
    up: dict[Key, list[tuple[Key, float]]] = defaultdict(list)
    down: dict[Key, list[tuple[Key, float]]] = defaultdict(list)
    for (a, b), uses in arranged.links.items():
        up[b].append((a, _door(a, uses, done, last=True)))
        down[a].append((b, _door(b, uses, done, last=False)))
    if all(len(row) <= 1 for row in rows):
        return
    best, fewest = [list(row) for row in rows], _crossings(rows, down)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downward = sweep % 2 == 0
        around = up if downward else down
        steps = range(1, len(rows)) if downward else range(len(rows) - 2, -1, -1)
        for r in steps:
            near = rows[r - 1] if downward else rows[r + 1]
            _by_mean(rows[r], near, around)
        _swap(rows, up, down)
        count = _crossings(rows, down)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _door(key: Key, uses: set[int], done: dict[str, Arranged], *, last: bool) -> float:
    """Where in a box an edge goes on, from 0 (left) to less than 1; 0 for what is no box."""
    if key[0] != "box":
        return 0.0
    arranged = done[key[1]]
    row = arranged.rows[-1] if last else arranged.rows[0]
    kind = 1 if last else 0
    reached = {ends[kind] for ends, others in arranged.links.items() if others & uses}
    places = [i for i, door in enumerate(row) if door in reached]
    return sum(places) / len(places) / len(row) if places else 0.0


def _by_mean(row: list[Key], near: list[Key], around: dict[Key, list[tuple[Key, float]]]) -> None:
    place = {key: i for i, key in enumerate(near)}
    wish: dict[Key, float] = {}
    for i, key in enumerate(row):
        neighbours = around[key]
        wish[key] = (
            sum(place[k] + door for k, door in neighbours) / len(neighbours)
            if neighbours
            else i * len(near) / len(row)
        )
    row.sort(key=wish.__getitem__)


def _swap(
    rows: list[list[Key]],
    up: dict[Key, list[tuple[Key, float]]],
    down: dict[Key, list[tuple[Key, float]]],
) -> None:
    """Swap neighbours where that takes crossings away."""
    for r, row in enumerate(rows):
        if len(row) < 2 or sum(len(up[k]) + len(down[k]) for k in row) > _FEW:
            continue
        sides = []
        for around, near in (
            (up, rows[r - 1] if r else []),
            (down, rows[r + 1] if r + 1 < len(rows) else []),
        ):
            place = {key: i for i, key in enumerate(near)}
            sides.append({k: sorted(place[n] + door for n, door in around[k]) for k in row})
        better = True
        while better:
            better = False
            for i in range(len(row) - 1):
                a, b = row[i], row[i + 1]
                now = sum(_inversions(side[a], side[b]) for side in sides)
                other = sum(_inversions(side[b], side[a]) for side in sides)
                if other < now:
                    row[i], row[i + 1] = b, a
                    better = True


def _inversions(left: list[float], right: list[float]) -> int:
    """Crossings of the edges of two neighbours, given where their edges go, sorted."""
    return sum(bisect_left(right, x) for x in left)


def _crossings(rows: list[list[Key]], down: dict[Key, list[tuple[Key, float]]]) -> int:
    """Crossings between all pairs of rows."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {key: i for i, key in enumerate(lower)}
        seen: list[float] = []
        for key in upper:
            ends = sorted(place[b] + door for b, door in down[key])
            total += sum(len(seen) - bisect_left(seen, x + 1e-9) for x in ends)
            for x in ends:
                insort(seen, x)
    return total
