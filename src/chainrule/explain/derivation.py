"""`Derivation`: the rows of the tables, forward and reverse, with the gradient, the checks and the cost.

A derivation is the list of steps that ran (`steps.py`) with two walks over it (`forward.py`, `reverse.py`).
The rows hold formulas and values; how they look stands in `show/`. Rows are made when first asked for. Next:
`show/tables.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np

from ..base import wrap
from ..core.errors import ArgumentError, ChainruleError, describe, nearest
from ..tape import mode as tape_mode
from ..tape.node import Node
from ..transforms.level import suspended
from . import show
from .checks import Check
from .compounds import RULES
from .cost import Cost
from .fold import Fold, Item, folded, in_layer, only_inside, steps_of
from .formula import Formula
from .forward import differential_name, tangent_formula, tangents
from .matrix import NUMERATOR, holds, local, mapping, whole
from .phrases import evaluate, value_formula
from .reverse import Share, adjoints
from .rows import AdjointRow, Column, LocalRow, TangentRow, ValueRow, WholeRow
from .steps import OUTSIDE, Program, Step, Value

MOST_COLUMNS: Final = 4  # inputs that get a column of tangents,
MOST_WIDE_COLUMNS: Final = 2  # and so many if they are tensors
MOST_RULES: Final = 5  # rules that are listed for one derivative


class Derivation:
    """How a function's gradient comes about, step by step; made by `explain`.

    Print it, or show it in a notebook; `markdown()` and `html()` give documents. What is in it:

    values, forward, reverse: the rows of the tables (`ValueRow`, `TangentRow`, `AdjointRow`).
    gradient:  per input its gradient, by name.
    checks:    the gradient by forward mode, reverse mode and central differences; `agree`: whether they do.
    cost:      what the modes cost, and which one suits.
    d["name"]: the part about one value, layer (`d["encoder.fc1"]`) or loop (`d["loop1"]`).
    """

    def __init__(
        self,
        program: Program,
        *,
        title: str,
        mode: str = "both",
        layout: str = "numerator",
        checks: Sequence[Check] = (),
        unchecked: str = "",
        hooked: Sequence[Node] = (),
        cost: Cost | None = None,
    ) -> None:
        self.program = program
        self.title = title
        self.mode = mode
        self.layout = layout
        self.checks = list(checks)
        self.unchecked = unchecked
        self.hooked = ["an input" if not n.edges else f"{n.what} ({describe(n.site)})" for n in hooked]
        self.cost = cost
        self._part: list[Step] | None = None
        self._folds = True
        self._lone: Value | None = None

    # -- the walks ---------------------------------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        """The primitives that ran, in the order they are shown."""
        return self.program.steps if self._part is None else self._part

    @cached_property
    def items(self) -> list[Item]:
        """Steps, and folds of steps, as they are shown."""
        return folded(self.steps) if self._folds else list(self.steps)

    @cached_property
    def target(self) -> str:
        """What is differentiated: the result, or the sum of its elements if it has several."""
        name = self.program.output.name
        return name if not self.program.output.shape else f"Σ{name}"

    @cached_property
    def _walked(self) -> tuple[dict[int, Any], dict[int, list[Share]]]:
        out = self.program.output
        assert out.data is not None
        with suspended(), tape_mode.no_grad():
            return adjoints(self.program, wrap(np.ones(out.shape, out.data.dtype)))

    @cached_property
    def _columns(self) -> list[dict[int, Any]]:
        with suspended(), tape_mode.no_grad():
            return [
                tangents(self.program, {id(column.leaf): wrap(column.direction)}) for column in self.columns
            ]

    def tangent_numbers(self, k: int) -> dict[str, float]:
        """The tangents of single numbers in a column, under the names they are printed with."""
        found = {}
        for v in (*self.program.leaves, *(s.out for s in self.program.moving)):
            if not v.shape:
                moved = self._columns[k].get(id(v))
                found[differential_name(v.name)] = 0.0 if moved is None else float(moved._a)
        return found

    @cached_property
    def adjoint_numbers(self) -> dict[str, float]:
        """The adjoints that are single numbers, under the names they are printed with."""
        total, _ = self._walked
        every = [*self.program.leaves, *(s.out for s in self.program.moving)]
        found = {v.name: total[id(v)] for v in every if not v.shape and id(v) in total}
        return {f"∂{self.target}/∂{name}": float(g._a) for name, g in found.items()}

    def gradient_norm(self, leaves: Sequence[Value]) -> Any:
        """The norm of the gradient by several inputs together."""
        parts = [np.asarray(self.gradient[v.name]._a, np.float64) for v in leaves]
        return np.asarray(np.sqrt(sum(float((a * a).sum()) for a in parts)))

    @cached_property
    def columns(self) -> list[Column]:
        """The passes of forward mode that are shown: one for each number that goes in, if these are few.

        Else the first inputs, each moving along ones, so that something is seen of every step.
        """
        leaves = self.program.leaves
        if sum(v.size for v in leaves) <= MOST_COLUMNS:
            return [Column(v, place) for v in leaves for place in np.ndindex(*v.shape)]
        if any(v.size > 1 for v in leaves):
            return [Column(v, None) for v in leaves[:MOST_WIDE_COLUMNS]]
        return [Column(v, ()) for v in leaves[:MOST_COLUMNS]]

    # -- the tables --------------------------------------------------------------------------------------

    @cached_property
    def values(self) -> list[ValueRow]:
        """What the function computes: inputs first, then each step."""
        used = {id(v) for s in self.steps for v in s.values} | {id(s.out) for s in self.steps}
        given = [*self.program.inputs, *self.program.outside]
        used -= self._tucked_away
        rows = [
            ValueRow(v, None, "") for v in given if id(v) in used and (not v.known or not v.inside or v.shape)
        ]
        return rows + [
            ValueRow(s.out, value_formula(s), s.where, s.layers[-1] if s.layers else "")
            for s in self._visible()
        ]

    @cached_property
    def forward(self) -> list[TangentRow]:
        """Forward mode: the tangents, from the inputs to the result."""
        used = {id(v) for s in self.steps for v in s.values} - self._tucked_away
        rows = [self._tangent_row(leaf, None) for leaf in self.program.leaves if id(leaf) in used]
        return rows + [self._tangent_row(s.out, s) for s in self._visible() if s.out.varies]

    def _tangent_row(self, v: Value, step: Step | None) -> TangentRow:
        found = [column.get(id(v)) for column in self._columns]
        hidden = step is None or self.fold_of(v) is not None
        formula = None if step is None or hidden else tangent_formula(step)
        return TangentRow(
            v,
            differential_name(v.name),
            formula,
            "" if step is None else self.rule(step, step.moving),
            found,
        )

    @cached_property
    def reverse(self) -> list[AdjointRow]:
        """Reverse mode: the adjoints, from the result back to the inputs."""
        total, shares = self._walked
        output = self.program.output
        rows = []
        whole_program = self._part is None
        if whole_program:
            rows.append(AdjointRow(output, self.adjoint(output), "", None, "", total[id(output)]))
        hidden = self._hidden()
        order = {id(s.out): n for n, s in enumerate(self.program.steps)}
        inside = {id(v) for s in self.steps for v in s.values} - self._tucked_away
        wanted = [s.to for found in shares.values() for s in found]
        unique = {id(v): v for v in wanted}.values()
        made = sorted((v for v in unique if id(v) in order), key=lambda v: -order[id(v)])
        leaves = [v for v in self.program.leaves if id(v) in shares]
        shown = [v for v in [*made, *leaves] if id(v) in inside and id(v) not in hidden]
        if self._lone is not None:
            shown = [v for v in shown if v is self._lone]
        return rows + [self._adjoint_row(v, shares[id(v)], total[id(v)]) for v in shown]

    def _adjoint_row(self, v: Value, shares: list[Share], value: Any) -> AdjointRow:
        chain, formula = [], None
        for share in shares:
            g, direct = self._incoming(share)
            term = share.formula(g).tidy()
            own = f"∂{share.step.out.name}/∂{v.name}"
            adjoint = self.adjoint(share.step.out)
            product = f"{adjoint}·{own}" if self.layout == NUMERATOR else f"{own}·{adjoint}"
            chain.append(term.text(unicode=True) if direct else product)
            formula = term if formula is None else formula + term
        rules = dict.fromkeys(self.rule(s.step, [s.i]) for s in shares)
        if any(s.summed for s in shares):
            rules["broadcast = sum"] = None
        direct_only = all(self._incoming(s)[1] for s in shares)
        text = "" if direct_only else " + ".join(chain)
        return AdjointRow(v, self.adjoint(v), text, formula, "; ".join(rules), value)

    def _incoming(self, share: Share) -> tuple[Formula, bool]:
        """The adjoint that a share is made of; 1 for the result itself, where a number can stand there."""
        out = share.step.out
        if out is self.program.output and not out.shape and self._says_it_alone(share):
            return Formula.number(1), True
        return Formula.name(self.adjoint(out)), False

    def _says_it_alone(self, share: Share) -> bool:
        """Whether the local derivative is the whole share, without the 1 that it is multiplied by."""
        with suspended(), tape_mode.no_grad():
            return holds(share.formula(Formula.number(1)), share.value._a, self.space)

    def adjoint(self, v: Value) -> str:
        """How the adjoint of a value is written."""
        return f"∂{self.target}/∂{v.name}"

    @cached_property
    def locals(self) -> list[LocalRow]:
        """The derivative of each step by each of its operands, in the layout."""
        rows = []
        for step in (item for item in self.items if not isinstance(item, Fold)):
            together: dict[int, list[int]] = {}
            for i in step.moving:
                together.setdefault(id(step.operands[i]), []).append(i)
            rows += [self._local_row(step, places) for places in together.values()]
        return rows

    def _local_row(self, step: Step, places: Sequence[int]) -> LocalRow:
        """By one value, which may be several operands: in x*x both."""
        x: Value = step.operands[places[0]]
        found = [local(step, i, self.layout) for i in places]
        matrices = [formula for formula in found if formula is not None and self._has_value(formula)]
        maps = len(matrices) < len(places)
        first, *others = [mapping(step, i) for i in places] if maps else matrices
        total = first
        for term in others:
            total = total + term
        rule = self.rule(step, places)
        if any(Share(step, i, None).summed for i in places):
            rule += "; broadcast = sum"
        shape = self._shape(step.out.shape, x.shape)
        return LocalRow(f"∂{step.out.name}/∂{x.name}", total.tidy(), maps, shape, rule)

    def _has_value(self, formula: Formula) -> bool:
        """Whether a formula can be evaluated; some rules want a tensor where a matrix would have a 1."""
        try:
            with suspended(), tape_mode.no_grad():
                evaluate(formula, self.space)
        except (ChainruleError, AttributeError, TypeError, IndexError):
            return False
        return True

    def rule(self, step: Step, places: Sequence[int]) -> str:
        """The name of the rule of calculus for a step by its operands at `places`, in the layout."""
        rules = RULES.get(step.op.name, {}).get(self.layout)
        return step.op.why if rules is None else "; ".join(dict.fromkeys(rules[i] for i in places))

    @cached_property
    def matrix(self) -> list[WholeRow]:
        """The derivative of the result by each input, in the layout."""
        total, shares = self._walked
        space = self.space
        rows = []
        for leaf in self.program.leaves:
            if id(leaf) not in total or id(leaf) in self._tucked_away:
                continue
            a = np.asarray(total[id(leaf)]._a)
            laid = a.T if self.layout == "numerator" else a
            with suspended(), tape_mode.no_grad():
                forms = whole(self.program, shares, leaf, self.layout, space)
                formula = next((f for f in forms if holds(f, laid, space)), None)
            shape = self._shape((), leaf.shape)
            rules = dict.fromkeys(["chain rule", *self._rules_of(leaf, shares)])
            rule = (
                "; ".join(rules) if len(rules) <= MOST_RULES else f"chain rule, {len(rules) - 1} more rules"
            )
            rows.append(WholeRow(leaf, self.adjoint(leaf), formula, shape, laid, rule))
        return rows

    def _rules_of(self, leaf: Value, shares: Mapping[int, list[Share]]) -> list[str]:
        found: dict[str, None] = {}
        waiting, seen = [id(leaf)], set()
        while waiting:
            key = waiting.pop(0)
            if key in seen:
                continue
            seen.add(key)
            for share in shares.get(key, ()):
                found[self.rule(share.step, [share.i])] = None
                if share.summed:
                    found["broadcast = sum"] = None
                waiting.append(id(share.step.out))
        return list(found)

    def _shape(self, out: tuple[int, ...], x: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of ∂out/∂x in the layout, as the table of the two layouts has it: vectors are columns."""
        if self.layout == "numerator":
            under = (1, *x) if len(x) == 1 and not out else tuple(reversed(x))
            return (*out, *under)
        over = (1, *out) if len(out) == 1 and not x else tuple(reversed(out))
        return (*x, *over)

    # -- results -----------------------------------------------------------------------------------------

    @property
    def output(self) -> Any:
        """The value of the function."""
        return self.program.output.tensor

    @cached_property
    def gradient(self) -> dict[str, Any]:
        """Per input the derivative of the result, or of the sum of its elements, in the input's shape."""
        total, _ = self._walked
        return {
            leaf.name: total[id(leaf)] if id(leaf) in total else wrap(np.zeros(leaf.shape, leaf.type))
            for leaf in self.program.leaves
        }

    @property
    def agree(self) -> bool:
        """Whether forward mode, reverse mode and central differences agree."""
        return all(check.agree for check in self.checks)

    @cached_property
    def space(self) -> dict[str, Any]:
        """What printed formulas may refer to, under the names they are printed with."""
        total, _ = self._walked
        kind = self.program.output.type  # a product of matrices wants one type
        found: dict[str, Any] = {"ones": lambda shape: wrap(np.ones(shape, kind))}
        every = [*self.program.values, *(v for s in self.program.steps for v in s.values)]
        for v in every:
            if v.known:
                found[v.name] = v.tensor
            if id(v) in total:
                found[self.adjoint(v)] = found[f"({self.adjoint(v)})"] = total[id(v)]
        return found

    # -- how it looks ------------------------------------------------------------------------------------

    def text(self, width: int = 120) -> str:
        """The tables as plain text, `width` letters wide where that is possible."""
        return show.text(self, width)

    def markdown(self) -> str:
        """The tables as Markdown, with formulas in LaTeX."""
        return show.markdown(self)

    def html(self) -> str:
        """The tables as a page of HTML that needs nothing else."""
        return show.html(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the derivation to a file: .html, .md, or .txt."""
        ending = os.path.splitext(os.fspath(path))[1].lower()
        forms = {
            ".html": self.html,
            ".htm": self.html,
            ".md": self.markdown,
            ".txt": self.text,
        }
        if ending not in forms:
            raise ArgumentError.of(
                "save", given=repr(os.fspath(path)), must="the name must end in .html, .md or .txt"
            )
        with open(path, "w", encoding="utf-8") as file:
            file.write(forms[ending]().rstrip("\n") + "\n")

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Derivation of {self.title}: {len(self.steps)} steps>"

    def __rich__(self) -> Any:
        return show.rich_tables(self)

    def _repr_html_(self) -> str:
        return show.html(self, whole_page=False)

    def _repr_markdown_(self) -> str:
        return self.markdown()

    # -- parts -------------------------------------------------------------------------------------------

    def _visible(self) -> Iterator[Step]:
        """The steps that have a line: all that are not hidden in a fold."""
        for item in self.items:
            yield steps_of(item)[-1]

    def _hidden(self) -> set[int]:
        """Values that only a fold knows."""
        return {id(s.out) for item in self.items if isinstance(item, Fold) for s in item.steps[:-1]}

    @cached_property
    def tucked_away(self) -> dict[str, list[Value]]:
        """Per fold the parameters and constants that only its hidden part uses."""
        return only_inside(self.items, [*self.program.inputs, *self.program.outside])

    @property
    def _tucked_away(self) -> set[int]:
        return {id(v) for values in self.tucked_away.values() for v in values if v.kind == OUTSIDE}

    def fold_of(self, v: Value) -> Fold | None:
        """The fold whose result a value is."""
        for item in self.items:
            if isinstance(item, Fold) and item.out is v:
                return item
        return None

    @property
    def names(self) -> list[str]:
        """What can be opened: values, layers, loops."""
        steps = self.program.steps
        layers = dict.fromkeys(p for s in steps for p in s.layers if p)
        folds = [item.name for item in self.items if isinstance(item, Fold)]
        values = [v.name for v in self.program.values]
        return list(dict.fromkeys([*values, *layers, *folds]))

    def __getitem__(self, name: str) -> Derivation:
        """The part about a value, a layer by its path, or a loop."""
        steps = self.program.steps
        for item in self.items:
            if isinstance(item, Fold) and item.name == name:
                return self._restricted(name, item.steps)
        inside = in_layer(steps, name)
        if inside:
            return self._restricted(name, inside)
        for v in self.program.values:
            if v.name == name:
                around = [s for s in steps if s.out is v] or [
                    s for s in steps if any(x is v for x in s.values)
                ]
                part = self._restricted(name, around)
                part._lone = v
                part._folds = False
                users = [s for s in steps if any(x is v for x in s.values)]
                part._part = list(dict.fromkeys([*around, *users]))
                return part
        raise ArgumentError.of(
            f"derivation[{name!r}]",
            must=f"there is no value, layer or loop of this name{nearest(name, self.names)}",
            hint=f"one of {', '.join(self.names[:12])}{', ...' if len(self.names) > 12 else ''}",
        )

    def _restricted(self, name: str, steps: Sequence[Step]) -> Derivation:
        part = Derivation(self.program, title=f"{name}, in {self.title}", mode=self.mode, layout=self.layout)
        part._part = list(steps)
        return part

    def __contains__(self, name: object) -> bool:
        return name in self.names
