"""Long programs, shown short: layers of a model and rounds of a loop are folded into a line each.

A fold hides its steps but the last, whose value is what the rest of the program sees. What is folded can be
opened by its name: `d["encoder.fc1"]`, `d["loop1"]`. Next: `derivation.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .steps import INPUT, MADE, Step, Value

SHORT: Final = 24  # so many steps are shown without folding
ROUNDS: Final = 4  # a loop with fewer rounds is not folded


@dataclass(eq=False, slots=True)
class Fold:
    """Steps that are shown as one line."""

    name: str
    title: str
    steps: list[Step]

    @property
    def out(self) -> Value:
        """The value that the rest of the program sees."""
        return self.steps[-1].out

    @property
    def inputs(self) -> list[Value]:
        """What goes in, in order of first use; parameters and constants of the layer are not among it."""
        own = {id(s.out) for s in self.steps}
        found: dict[int, Value] = {}
        for step in self.steps:
            for v in step.values:
                if id(v) not in own and v.kind in (MADE, INPUT):
                    found.setdefault(id(v), v)
        return list(found.values())


Item = Step | Fold


def folded(steps: Sequence[Step]) -> list[Item]:
    """The steps with layers and loops folded, if there are many."""
    items: list[Item] = list(steps)
    if len(steps) > SHORT:
        items = _layers(steps)
    return _loops(items) if len(steps) > SHORT else items


def in_layer(steps: Sequence[Step], path: str) -> list[Step]:
    """The steps inside of a layer, or of the layers below it."""
    return [s for s in steps if any(p == path or p.startswith(path + ".") for p in s.layers)]


def _layers(steps: Sequence[Step]) -> list[Item]:
    depth = _depth(steps)
    items: list[Item] = []
    run: list[Step] = []
    path = ""
    for step in [*steps, None]:
        here = "" if step is None or len(step.layers) <= depth else step.layers[depth]
        if run and (here != path or step is None):
            items += [Fold(path, f"{path}", run)] if path and len(run) > 1 else run
            run = []
        if step is not None:
            run.append(step)
            path = here
    return items


def _depth(steps: Sequence[Step]) -> int:
    """The outermost depth at which there are several layers."""
    deepest = max((len(s.layers) for s in steps), default=0)
    for depth in range(deepest):
        if len({s.layers[depth] for s in steps if len(s.layers) > depth}) > 1:
            return depth
    return deepest


def _loops(items: list[Item]) -> list[Item]:
    """Rounds of a loop: the same sequence of places in the program, again and again."""
    keys = [_key(item) for item in items]
    result: list[Item] = []
    n = i = 0
    while i < len(items):
        period, rounds = _repeated(keys, i)
        if rounds >= ROUNDS:
            n += 1
            first, last = items[i : i + period], items[i + (rounds - 1) * period : i + rounds * period]
            middle = [s for item in items[i + period : i + (rounds - 1) * period] for s in steps_of(item)]
            result += [*first, Fold(f"loop{n}", _title(first, rounds - 2), middle), *last]
            i += rounds * period
        else:
            result.append(items[i])
            i += 1
    return result


def _key(item: Item) -> Any:
    if isinstance(item, Fold):
        return ("fold", item.name)
    return None if item.site is None else (item.site, item.op.name)


def _repeated(keys: list[Any], start: int) -> tuple[int, int]:
    """The period and number of rounds of the repetition that covers most from `start` on."""
    best = (1, 1)
    for period in range(1, min(60, (len(keys) - start) // ROUNDS) + 1):
        pattern = keys[start : start + period]
        if None in pattern:
            break
        rounds = 1
        while keys[start + rounds * period : start + (rounds + 1) * period] == pattern:
            rounds += 1
        if rounds >= ROUNDS and rounds * period > best[0] * best[1]:
            best = (period, rounds)
    return best


def _title(first: Sequence[Item], rounds: int) -> str:
    lines = sorted({s.line for item in first for s in steps_of(item) if s.line is not None})
    where = f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}" if lines else ""
    return f"{rounds} more rounds of {where}".rstrip()


def only_inside(items: Sequence[Item], values: Sequence[Value]) -> dict[str, list[Value]]:
    """Per fold the values that only its hidden part uses, such as the parameters of a layer."""
    seen = {id(v) for item in items if not isinstance(item, Fold) for v in item.values}
    found: dict[str, list[Value]] = {}
    for item in items:
        if isinstance(item, Fold):
            used = {id(v) for step in item.steps for v in step.values}
            inside = [v for v in values if id(v) in used and id(v) not in seen]
            if inside:
                found[item.name] = inside
                seen.update(id(v) for v in inside)
    return found


def steps_of(item: Item) -> list[Step]:
    """The steps of a line."""
    return item.steps if isinstance(item, Fold) else [item]
