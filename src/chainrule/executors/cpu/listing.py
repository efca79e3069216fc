"""The kernels of a program as text for people: which loops, what is computed in them, where results go.

    2  product (32, 10) @ (10, 64), in one piece: outer products 8x4, 16 lanes
         v1: float32[32, 64] = x @ weight.T      -> registers
         v2: float32[32, 64] = relu(v1 + bias)   -> arena

A line with an arrow is a value that is stored, or at hand for the rest of its point or row; one without is
computed where it is read. Composed ops are taken apart by then; what the user has no name for is called v1,
v2, ... in this text alone. Next: `report.py`, what the kernels cost.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import prod
from textwrap import fill
from typing import Any, Final

from ...core.dtypes import dtype
from ...graph.text import one_type, setting_text
from ...graph.values import CONSTANT, PART, Value
from ...ops.lowering import Composed, Draw, Fold, Product, Pull, Strided
from .draw import pieces_of
from .forms import DRAW, EPOCH, MEMORY, NUMBER, NUMPY, PIECES, PRODUCT, SHUFFLE
from .memory import ARENA, ARGUMENT, RESULT
from .module import Builder, lanes_for
from .plan import NEST, Kernel
from .roots import Root
from .schedule import Pass, Schedule

WIDTH: Final = 110
LONGEST: Final = 56  # characters of a formula inside another one; a longer one gets a line and a name
_NOISE: Final = ("shape", "keepdim", "source")  # settings that the types say already
_INFIX: Final = re.compile(r"^x (\S+) y$")
_RANK: Final = (  # operators that bind alike, the loosest first
    {"or", "xor", "and"}, {"==", "!=", "<", "<=", ">", ">="}, {"|"}, {"^"}, {"&"}, {"<<", ">>"},
    {"+", "-"}, {"*", "/", "//", "%", "@"}, {"neg"}, {"**"},
)  # fmt: skip
_COMPARE: Final = 1
_TIGHT: Final = len(_RANK)


def kernels(builder: Builder) -> str:
    """All kernels of a program, a paragraph for each, in the order in which they run."""
    names = Names(builder.graph.inputs, builder.graph.captures)
    paragraphs = list(_paragraphs(builder, names, ""))
    arguments = (*builder.graph.inputs, *builder.graph.captures)
    given = ", ".join(f"{names[v]}: {one_type(v.dtype, v.shape)}" for v in arguments)
    head = fill(f"{builder.graph.name}({given})", WIDTH, subsequent_indent="    ", break_long_words=False)
    size = f"{builder.memory.size:,} bytes for what lives during a run (the arena)"
    return "\n\n".join([f"{head}\n{size}", *paragraphs])


class Names:
    """Names of values: the user's where it is known and free, else v1, v2, ... in the order of the text."""

    def __init__(self, *given: list[Value]) -> None:
        self._of: dict[Value, str] = {}
        self._taken: set[str] = set()
        self._number = 0
        for values in given:
            for v in values:
                self[v]

    def __getitem__(self, v: Value) -> str:
        if v not in self._of:
            name = v.name
            while not name or name in self._taken:
                self._number += 1
                name = f"v{self._number}"
            self.put(v, name)
        return self._of[v]

    def put(self, v: Value, name: str) -> None:
        """Call a value so."""
        self._of[v] = name
        self._taken.add(name)


# -- one paragraph for each kernel ---------------------------------------------------------------------------


def _paragraphs(builder: Builder, names: Names, prefix: str) -> Iterator[str]:
    for number, kernel in enumerate(builder.plan.kernels, 1):
        title = f"{prefix}{number}"
        margin = "  " * prefix.count(".")
        yield "\n".join(margin + line for line in _kernel(builder, kernel, names, title))
        if kernel.form == EPOCH:
            inner = builder.bodies[kernel].builder
            yield from _paragraphs(inner, names, f"{title}.")
    lines = [f"{names[v]} is copied to {names[c]}" for v, c in builder.memory.copies]
    if lines:
        yield "\n".join("  " * prefix.count(".") + line for line in ["at the end", *lines])


def _kernel(builder: Builder, kernel: Kernel, names: Names, title: str) -> list[str]:
    writers = {NEST: _nest, PRODUCT: _product, EPOCH: _epoch, NUMPY: _numpy}
    lines = list(writers.get(kernel.form, _random)(builder, kernel, names))
    indent = " " * (len(title) + 2)
    return [f"{title}  {lines[0]}", *(indent + line for line in lines[1:])]


def _nest(builder: Builder, kernel: Kernel, names: Names) -> Iterator[str]:
    s = builder.memory.schedules[kernel]
    yield ", ".join([f"loops over {_extent(kernel, s)}", _cut(s), *_vectors(kernel, s)])
    formulas = Formulas(builder, kernel, names)
    for number, one in enumerate(s.passes, 1):
        indent = ""
        if len(s.passes) > 1:
            yield f"pass {number} over {_columns(one)}"
            indent = "  "
        yield from (indent + line for line in formulas.lines(one.roots))


def _extent(kernel: Kernel, s: Schedule) -> str:
    if any(0 in root.domain for root in kernel.roots):
        return "nothing"
    rows = " x ".join(str(a.size) for a in s.rows)
    if len(s.passes) > 1:
        return f"{rows or 1} rows, in {len(s.passes)} passes over each"
    columns = " x ".join(str(a.size) for a in s.passes[0].axes)
    if not rows and not columns:
        return "one element"
    if not rows:
        return f"{columns} elements"
    return f"{rows} rows x {columns} columns" if columns else f"{rows} rows"


def _columns(one: Pass) -> str:
    n = prod(a.size for a in one.axes)
    return f"{n} columns" if n != 1 else "one column"


def _cut(s: Schedule) -> str:
    if s.pieces == 1:
        return "in one piece"
    what = "elements" if s.cuts_columns else "rows"
    return f"in {s.pieces} pieces of {s.step} {what} for threads"


def _vectors(kernel: Kernel, s: Schedule) -> list[str]:
    """How many neighbours are computed at once, if there are any."""
    return [f"{lanes_for(kernel)} at a time"] if any(one.axes for one in s.passes) else []


def _product(builder: Builder, kernel: Kernel, names: Names) -> Iterator[str]:
    matrices = builder.products[kernel]
    x, y = ((*matrices.stack, *v.shape[-2:]) if matrices.stack else v.shape for v in matrices.value.inputs)
    if matrices.stack:
        pieces = f"{matrices.count} products, each" if matrices.count > 1 else "one product"
        pieces += " a piece for threads" if matrices.count > 1 else ""
    else:
        counts = [phase.count for phase in matrices.gemm.phases]
        several = [str(n) for n in counts if n > 1]
        pieces = f"in {' + '.join(several)} pieces for threads" if several else "in one piece"
    yield f"product {x} @ {y}, {pieces}: {matrices.gemm.how}"
    yield from Formulas(builder, kernel, names).lines(kernel.roots)


def _random(builder: Builder, kernel: Kernel, names: Names) -> Iterator[str]:
    v = kernel.main.value
    pieces = pieces_of(v) if kernel.form == DRAW else 1
    yield (
        f"{'shuffled numbers' if kernel.form == SHUFFLE else 'random numbers'}, "
        f"{f'in {pieces} pieces for threads' if pieces > 1 else 'in one piece'}"
    )
    yield from Formulas(builder, kernel, names).lines(kernel.roots)


def _numpy(builder: Builder, kernel: Kernel, names: Names) -> Iterator[str]:
    v = kernel.main.value
    yield f"computed by NumPy, in one piece, because {why_numpy(v)}"
    yield from Formulas(builder, kernel, names).lines(kernel.roots)


def why_numpy(v: Value) -> str:
    """The reason why NumPy computes a value; see `forms.form_of`."""
    assert v.op is not None
    rule = v.op.lower
    inputs = ", ".join(one_type(x.dtype, x.shape) for x in v.operands)
    if isinstance(rule, (Composed, Pull)):
        return f"the native code of {v.op.name} does not cover {inputs}"
    if callable(rule) or isinstance(rule, (Draw, Fold, Product)):
        operands = [v] if isinstance(rule, Draw) else v.operands
        kinds = ", ".join(dict.fromkeys(x.dtype.name for x in operands))
        return f"there is no native code of {v.op.name} for {kinds}"
    return f"there is no native code of {v.op.name}"


def _epoch(builder: Builder, kernel: Kernel, names: Names) -> Iterator[str]:
    epoch = builder.bodies[kernel]
    body = epoch.loop.body
    carried, rows, same = epoch.loop.split(body.inputs)
    starts, sequences, outside = epoch.loop.split(list(epoch.value.inputs))
    formulas = Formulas(builder, kernel, names)
    yield f"loop, {epoch.loop.trips} times:"
    parts = {v.index: v for v in builder.graph.values if v.kind == PART and v.inputs[0] is epoch.value}
    for p, x in zip(same, outside, strict=True):
        names.put(p, formulas.name(x))
    for p, x in zip(rows, sequences, strict=True):
        yield f"{names[p]}: {one_type(p.dtype, p.shape)} = one row after the other of {formulas.name(x)}"
    for i, (p, x) in enumerate(zip(carried, starts, strict=True)):
        if x.kind != CONSTANT and x in builder.memory.spots and _same_place(builder, parts.get(i), x):
            names.put(p, names[x])
            yield f"{names[p]} is changed in place{_after(parts.get(i), names)}"
        else:
            what = f"{names[p]}: {one_type(p.dtype, p.shape)}"
            yield f"{what} starts as {formulas.name(x)}{_after(parts.get(i), names)}"


def _same_place(builder: Builder, made: Value | None, start: Value) -> bool:
    spots = builder.memory.spots
    return made is not None and spots.get(made) == spots[start]


def _after(made: Value | None, names: Names) -> str:
    return "" if made is None else f", afterwards {names[made]}"


# -- formulas ------------------------------------------------------------------------------------------------


class Formulas:
    """Writes what one kernel computes, in lines `name: type = formula`."""

    def __init__(self, builder: Builder, kernel: Kernel, names: Names) -> None:
        self.builder = builder
        self.kernel = kernel
        self.names = names
        self._lines: list[tuple[str, str]] = []
        self._known: dict[Value, tuple[str, int]] = {}
        self._uses = Counter(x for v in computed(builder, kernel) for x in v.operands)

    def lines(self, roots: list[Root]) -> list[str]:
        """The formulas of some roots of the kernel, and of what is named on the way."""
        self._lines = []
        for root in roots:
            v = root.value
            if root.form == PIECES:
                assert root.source is not None
                self._lines.append(
                    (f"part of {self._head(v)} = {self.name(root.source)}", f"-> {self._place(v)}")
                )
                continue
            text, _ = self._formula(v)
            self._lines.append((f"{self._head(v)} = {text}", f"-> {self._place(v)}"))
        width = min(max((len(text) for text, _ in self._lines), default=0), 84)
        return [f"{text:{width}}  {place}".rstrip() for text, place in self._lines]

    def _head(self, v: Value) -> str:
        if isinstance(v.dtype, tuple):
            return ", ".join(f"{self.names[x]}: {one_type(x.dtype, x.shape)}" for x in self._parts(v))
        return f"{self.names[v]}: {one_type(v.dtype, v.shape)}"

    def _place(self, v: Value) -> str:
        """Where a value goes."""
        memory = self.builder.memory
        s = memory.schedules.get(self.kernel)
        if s is not None and v in s.in_registers:
            return "registers"
        if s is not None and v in s.of_row:
            return "a buffer for the row"
        if isinstance(v.dtype, tuple):
            return ", ".join(self._place(x) for x in self._parts(v))
        spot = memory.spots.get(v)
        if spot is None:
            return "registers"
        if spot.where == ARGUMENT:
            return f"{self.names[self.builder.plan.arguments[spot.at]]}, in place"
        if spot.where == RESULT:
            return "the result" if len(self.builder.graph.outputs) == 1 else f"result {spot.at + 1}"
        assert spot.where == ARENA, spot
        return "arena"

    def _parts(self, v: Value) -> list[Value]:
        """The results of a value that has several, as far as they are read."""
        return [x for x in self.builder.graph.values if x.kind == PART and x.inputs[0] is v]

    def name(self, v: Value) -> str:
        """What an operand is called, or its formula."""
        return self._operand(v, 0)

    def _operand(self, x: Any, rank: int) -> str:
        """An input as text, in parentheses if it binds looser than `rank`."""
        if not isinstance(x, Value):
            return setting_text(x)
        text, own = self._text(x)
        return f"({text})" if own < rank else text

    def _text(self, v: Value) -> tuple[str, int]:
        """A name, a number, or a formula, and how tight that binds."""
        plan = self.builder.plan
        form = plan.forms[v]
        if form == NUMBER:
            return setting_text(v.data.item()), _TIGHT
        if v.kind == CONSTANT:
            return f"constant {one_type(v.dtype, v.shape)}", _TIGHT
        if v in plan.stored or form in (MEMORY, EPOCH):
            return self.names[v], _TIGHT
        if v not in self._known:
            text, rank = self._formula(v)
            is_view = isinstance(v.op.lower, Strided) if v.op is not None else False
            if (self._uses[v] > 1 and not is_view) or len(text) > LONGEST:
                self._lines.append((f"{self._head(v)} = {text}", ""))
                text, rank = self.names[v], _TIGHT
            self._known[v] = text, rank
        return self._known[v]

    def _formula(self, v: Value) -> tuple[str, int]:
        """How a value is computed: operators as the table writes them, all else as calls."""
        if v.op is None:
            return f"{v.kind}", _TIGHT
        name, inputs = v.op.name, v.inputs
        infix = _INFIX.match(v.op.formula)
        if infix and len(inputs) == 2:
            sign = infix[1]
            rank = next((i for i, signs in enumerate(_RANK) if sign in signs), 0)
            left = self._operand(inputs[0], rank + (rank == _COMPARE or sign == "**"))
            return f"{left} {sign} {self._operand(inputs[1], rank + 1)}", rank
        if name == "neg":
            rank = next(i for i, signs in enumerate(_RANK) if "neg" in signs)
            return f"-{self._operand(inputs[0], rank + 1)}", rank
        if name == "cast":
            return f"{v.dtype.name}({self._operand(inputs[0], 0)})", _TIGHT
        if name == "permute" and self._turns_matrix(v):
            return f"{self._operand(inputs[0], _TIGHT)}.T", _TIGHT
        if name == "slice":
            return f"{self._operand(inputs[0], _TIGHT)}[{_key(v.settings['key'])}]", _TIGHT
        given = [self._operand(x, 0) for x in inputs]
        given += [
            f"{key}={_setting(x)}"
            for key, x in v.settings.items()
            if key not in _NOISE and x is not None and x is not False
        ]
        return f"{name}({', '.join(given)})", _TIGHT

    def _turns_matrix(self, v: Value) -> bool:
        return tuple(v.settings.get("dims", ())) == (1, 0)


def _setting(x: Any) -> str:
    if isinstance(x, tuple) and len(x) == 1:
        return _setting(x[0])
    return x.name if isinstance(x, dtype) else setting_text(x)


def _key(key: Any) -> str:
    """What stands between the brackets of a slice."""
    parts = []
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, slice):
            ends = ["" if e is None else str(e) for e in (k.start, k.stop, k.step)]
            parts.append(":".join(ends if ends[2] else ends[:2]))
        else:
            parts.append("..." if k is Ellipsis else str(k))
    return ", ".join(parts)


def computed(builder: Builder, kernel: Kernel) -> dict[Value, int]:
    """All values that a kernel computes, stored or not, each with how often at most: points of its loops."""
    plan = builder.plan
    out: dict[Value, int] = {}
    for root in kernel.roots:
        points = prod(root.domain)
        stack = [root.value]
        seen = set()
        while stack:
            v = stack.pop()
            if v in seen:
                continue
            seen.add(v)
            out[v] = max(out.get(v, 0), points)
            if plan.forms[v] == EPOCH or root.form == PRODUCT:
                continue
            inputs = [root.source] if root.form == PIECES and v is root.value else v.operands
            stack += [
                x for x in inputs if x and x not in plan.stored and plan.forms[x] not in (MEMORY, NUMBER)
            ]
    return out


def operations(builder: Builder, kernel: Kernel) -> list[str]:
    """The names of the ops in a kernel, in the order of the graph, without views."""
    mine = computed(builder, kernel)
    found = [v for v in builder.graph.values if v in mine]
    if kernel.form == PRODUCT:  # what is done with its results comes after it
        found.sort(key=lambda v: v is not kernel.main.value)
    return [v.op.name for v in found if v.op is not None and not isinstance(v.op.lower, Strided)]
