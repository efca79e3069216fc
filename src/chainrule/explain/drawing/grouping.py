"""Groups: the boxes of a scene, from modules and from repetition; and folding them.

A group is a run of operations that follow each other. Such a run has no way out and back in (operands always
run first), so it can be shown as one node without making a circle. A module whose operations are not in one
run has several groups. Leaves go where all their readers are.

Next: `layout.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from math import isqrt
from pathlib import PurePath

from ...core.errors import ArgumentError, nearest
from . import scene
from .naming import Place
from .phrases import counted
from .scene import Edge, Group, Node, Scene, unique

MOST = 150  # nodes that are shown unless the user asks for more
_LEAST_TIMES = 3  # what happens this often in a row is a repetition
_LONGEST_PERIOD = 2000  # operations
_TRIES = 16  # possible periods at one place


def group(s: Scene, places: Mapping[str, tuple[Place, ...]]) -> None:
    """Build the groups of a scene: its operations are in the order they ran."""
    operations = [key for key, node in s.nodes.items() if node.count]
    paths = _filled(operations, places)
    _open_groups(s, operations, paths)
    _wrap_repeats(s)
    if len(s.nodes) > MOST:
        _wrap_rest(s)
    _place_leaves(s)


def _filled(
    operations: Sequence[str], places: Mapping[str, tuple[Place, ...]]
) -> dict[str, tuple[Place, ...]]:
    """An operation without parameters, between two of one module, is taken to be that module's, too."""
    after: dict[str, tuple[Place, ...]] = {}
    coming: tuple[Place, ...] = ()
    for key in reversed(operations):
        coming = places.get(key, coming)
        after[key] = coming
    paths: dict[str, tuple[Place, ...]] = {}
    before: tuple[Place, ...] = ()
    for key in operations:
        if key in places:
            before = paths[key] = places[key]
        else:
            paths[key] = _common(before, after[key])
    return paths


def _common(a: Sequence[Place], b: Sequence[Place]) -> tuple[Place, ...]:
    n = 0
    while n < min(len(a), len(b)) and a[n].ident == b[n].ident:
        n += 1
    return tuple(a[:n])


def _open_groups(s: Scene, operations: Iterable[str], paths: Mapping[str, tuple[Place, ...]]) -> None:
    open_now: list[tuple[Place, Group]] = []
    times: dict[str, int] = defaultdict(int)
    for key in operations:
        path = paths[key]
        same = len(_common([place for place, _ in open_now], path))
        del open_now[same:]
        for place in path[same:]:
            times[place.path] += 1
            n = times[place.path]
            outer = open_now[-1][1] if open_now else None
            title, name = (
                (place.title, place.path) if n == 1 else (f"{place.title}, again", f"{place.path}#{n}")
            )
            new = _new_group(s, title, name, outer)
            (outer.children if outer else s.top).append(new.key)
            open_now.append((place, new))
        (open_now[-1][1].children if open_now else s.top).append(key)


def _new_group(s: Scene, title: str, path: str, parent: Group | None, children: Sequence[str] = ()) -> Group:
    new = Group(f"g{len(s.groups)}", title, path, list(children), parent.key if parent else None)
    s.groups[new.key] = new
    for child in children:
        if child in s.groups:
            s.groups[child].parent = new.key
    return new


# -- repetition -----------------------------------------------------------------------------------------


def _wrap_repeats(s: Scene) -> None:
    """Groups around operations that repeat themselves at the same place of the user's program."""
    large = len(s.nodes) > MOST
    signs = _signs(s)
    names: dict[str, int] = defaultdict(int)

    def first(child: str) -> str:
        return next(iter(s.inside(child)))

    waiting: list[Group | None] = [None, *s.groups.values()]
    while waiting:
        outer = waiting.pop()
        children = outer.children if outer else s.top
        result: list[str] = []
        at = 0
        for start, period, times in _repeats(
            [signs.get(c, c) for c in children], [s.nodes[first(c)].place for c in children]
        ):
            part = children[start : start + period * times]
            if not large and ((period == 1 and times < 4) or any(c in s.groups for c in part)):
                continue
            result += children[at:start]
            at = start + period * times
            site = PurePath(s.nodes[first(part[0])].site).name  # without folders: the path is also a pattern
            name = f"loop {site}" if site else "loop"
            names[name] += 1
            name = name if names[name] == 1 else f"{name}#{names[name]}"
            loop = _new_group(s, f"{times} times the same{' · ' + site if site else ''}", name, outer)
            result.append(loop.key)
            for n in range(times):
                inner = part[n * period : (n + 1) * period]
                if period > 1:
                    step = _new_group(s, f"{n + 1} of {times}", f"{name}/{n + 1}", loop, inner)
                    loop.children.append(step.key)
                    waiting.append(step)
                else:
                    loop.children += inner
                    for child in inner:
                        if child in s.groups:
                            s.groups[child].parent = loop.key
        children[:] = [*result, *children[at:]]
    _parents_first(s)


def _signs(s: Scene) -> dict[str, int]:
    """Equal for what did the same at the same place; what is not known to repeat has none."""
    known: dict[Hashable, int] = {}
    signs: dict[str, int] = {}
    for key, node in s.nodes.items():
        if node.like is not None:
            signs[key] = known.setdefault(("node", node.like), len(known))
    for new in reversed(s.groups.values()):  # inner groups come later than outer ones
        if all(c in signs for c in new.children):
            sign = ("group", tuple(signs[c] for c in new.children))
            signs[new.key] = known.setdefault(sign, len(known))
    return signs


def _repeats(
    signs: Sequence[Hashable], places: Sequence[tuple[Hashable, int]]
) -> Iterable[tuple[int, int, int]]:
    """(start, period, times) of repetitions, from left to right, none overlapping another."""
    following: dict[Hashable, list[int]] = defaultdict(list)
    for i, sign in enumerate(signs):
        following[sign].append(i)
    nth = {i: n for positions in following.values() for n, i in enumerate(positions)}
    i = 0
    while i < len(signs):
        best = (0, 0)
        for j in following[signs[i]][nth[i] + 1 : nth[i] + 1 + _TRIES]:
            if j - i > _LONGEST_PERIOD:
                break
            times = _times(signs, i, j - i)
            if times >= _LEAST_TIMES and times * (j - i) > best[0] * best[1]:
                best = (j - i, times)
        period, times = best
        if not times:
            i += 1
            continue
        turned = i + _turn(places[i : i + period])
        if (later := _times(signs, turned, period)) >= _LEAST_TIMES:
            i, times = turned, later
        yield i, period, times
        i += period * times


def _times(signs: Sequence[Hashable], start: int, period: int) -> int:
    """How often what begins at `start` comes, one after the other."""
    times = 1
    while signs[start : start + period] == signs[start + times * period : start + (times + 1) * period]:
        times += 1
    return times


def _turn(places: Sequence[tuple[Hashable, int]]) -> int:
    """Where in a period a loop's body begins: at the first instruction of the code that holds most of it.

    The first time around often lacks a step, so a repetition may be found that begins in the middle.
    """
    most = Counter(code for code, _ in places).most_common(1)[0][0]
    first = min(at for code, at in places if code is most)
    starts = [i for i, place in enumerate(places) if place == (most, first)]
    return next((i for i in starts if places[i - 1] != (most, first)), starts[0])


def _wrap_rest(s: Scene) -> None:
    """Where more stands side by side than can be shown, steps that follow each other are grouped."""
    for outer in (None, *list(s.groups.values())):
        children = outer.children if outer else s.top
        if len(children) <= MOST:
            continue
        size = max(isqrt(len(children)), -(-len(children) // (MOST // 2)))
        parts = [children[i : i + size] for i in range(0, len(children), size)]
        prefix = f"{outer.path}/" if outer else ""
        keys = []
        for n, part in enumerate(parts):
            first, last = n * size + 1, n * size + len(part)
            new = _new_group(s, f"steps {first} to {last}", f"{prefix}steps {first}-{last}", outer, part)
            keys.append(new.key)
        children[:] = keys
    _parents_first(s)


def _parents_first(s: Scene) -> None:
    order, stack = [], [c for c in reversed(s.top) if c in s.groups]
    while stack:
        key = stack.pop()
        order.append(key)
        stack.extend(c for c in reversed(s.groups[key].children) if c in s.groups)
    s.groups = {key: s.groups[key] for key in order}


def _place_leaves(s: Scene) -> None:
    """A leaf stands in the innermost group that has all its readers."""
    above = s.parents()
    readers: dict[str, list[str]] = defaultdict(list)
    for e in s.edges:
        readers[e.source].append(e.target)
    for key, node in reversed(list(s.nodes.items())):
        if node.count:
            continue
        around: list[str] | None = None
        for reader in readers[key]:
            chain: list[str] = []
            at = above[reader]
            while at is not None:
                chain.append(at)
                at = above[at]
            chain.reverse()
            around = chain if around is None else [a for a, b in zip(around, chain, strict=False) if a == b]
        (s.groups[around[-1]].children if around else s.top).insert(0, key)


# -- folding --------------------------------------------------------------------------------------------


def folded(s: Scene, fold: Sequence[str] | None, depth: int | None) -> Scene:
    """The scene with some groups shown as one node each.

    fold:  paths of groups, with `*` for anything.
    depth: groups deeper than that are folded; 0 folds all.
    With neither, groups are folded, inner ones first, until at most `MOST` nodes are left.
    """
    if fold is None and depth is None:
        return _folded(s, _enough(s))
    chosen = {key for key in s.groups if depth is not None and s.depth(key) > depth}
    for pattern in fold or ():
        matching = [key for key, g in s.groups.items() if fnmatchcase(g.path, pattern)]
        if not matching:
            raise _no_such_group(s, pattern)
        chosen.update(matching)
    return _folded(s, chosen)


def _enough(s: Scene) -> set[str]:
    depths = {key: s.depth(key) for key in s.groups}
    chosen: set[str] = set()
    for depth in range(max(depths.values(), default=0), 0, -1):
        if len(_folded(s, chosen).nodes) <= MOST:
            break
        chosen = {key for key, d in depths.items() if d >= depth}
    return chosen


def _no_such_group(s: Scene, pattern: str) -> ArgumentError:
    paths = [g.path for g in s.groups.values()]
    shown = ", ".join(map(repr, paths[:8])) + (", ..." if len(paths) > 8 else "")
    return ArgumentError.of(
        "draw",
        given=f"fold={pattern!r}{nearest(pattern, paths)}",
        must=f"the groups of this drawing are {shown}" if paths else "this drawing has no groups",
        hint="fold=['encoder.*'] for several groups, or depth=1" if paths else "draw(...) without fold",
    )


def _folded(s: Scene, chosen: set[str]) -> Scene:
    hidden: dict[str, str] = {}  # node or group -> the group that stands for it
    out = Scene(s.name)
    for key, g in s.groups.items():
        parent = g.parent
        if parent is not None and parent in hidden:
            hidden[key] = hidden[parent]
        elif key in chosen:
            hidden[key] = key
        else:
            out.groups[key] = Group(key, g.title, g.path, list(g.children), parent)
    for key, standing in list(hidden.items()):
        for child in s.groups[key].children:
            if child in s.nodes:
                hidden[child] = standing
    for key, node in s.nodes.items():
        standing = hidden.get(key, key)
        if standing is key:
            out.nodes[key] = node
        elif standing not in out.nodes:
            out.nodes[standing] = _standing_for(s, standing)
    ends = [(hidden.get(e.source, e.source), hidden.get(e.target, e.target), e.gradient) for e in s.edges]
    out.edges = unique(Edge(a, b, gradient) for a, b, gradient in ends if a != b)
    out.top = list(s.top)
    return out


def _standing_for(s: Scene, key: str) -> Node:
    g = s.groups[key]
    nodes = [s.nodes[k] for k in s.inside(key)]
    count = sum(n.count for n in nodes)
    leaves = sum(n.role == scene.PARAMETER for n in nodes)
    details = [counted(count, "operation") + (f", {counted(leaves, 'parameter')}" if leaves else "")]
    last = next(n for n in reversed(nodes) if n.count)
    details.append(f"gives {last.name}: {last.details[0]}")
    rules = sum(len(n.rules) for n in nodes if n.count)
    keeping = sum(n.keeps.startswith("keeps") for n in nodes)
    return Node(
        key, scene.FOLDED, g.title, g.title, details,
        f"keeps values of {counted(keeping, 'operation')}" if keeping else "",
        sum(n.bytes for n in nodes),
        [counted(rules, "gradient rule")] if rules else [],
        f"backward of {g.title}", last.site, count=count,
    )  # fmt: skip


def opened(s: Scene, key: str) -> Scene:
    """What is inside a group, with the values that come from outside as constants."""
    inside = set(s.inside(key))
    g = s.groups[key]
    out = Scene(g.title)
    outside = {e.source for e in s.edges if e.target in inside} - inside
    for k, node in s.nodes.items():
        if k in inside:
            out.nodes[k] = node
        elif k in outside:
            out.nodes[k] = replace(
                node,
                role=scene.CONSTANT,
                title=node.name,
                details=node.details[:1],
                keeps="",
                rules=[],
                count=0,
            )
    out.edges = [e for e in s.edges if e.target in inside]
    below = [key]
    for k, other in s.groups.items():
        if other.parent in below:
            below.append(k)
            parent = None if other.parent == key else other.parent
            out.groups[k] = Group(k, other.title, other.path, list(other.children), parent)
    out.top = [*(k for k in out.nodes if k in outside), *g.children]
    return out
