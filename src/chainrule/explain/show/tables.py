"""A derivation as sections with tables: titles, columns, cells, each cell as text and as LaTeX.

What a medium makes of them is its own business (`text.py`, `markdown.py`, `html.py`); what is said is decided
here, once. Next: `text.py`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..figures import amount, figures, shape_text, signed, with_numbers
from ..formula import Formula
from .maths import latex_of

if TYPE_CHECKING:
    from ..derivation import Derivation


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, and the same in LaTeX where it is mathematics."""

    text: str
    latex: str = ""


@dataclass(slots=True)
class Section:
    """A heading, a sentence, a table; what is empty is left out.

    notes: sentences under the table.
    """

    title: str
    lead: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


EMPTY = Cell("")


def sections(d: Derivation) -> list[Section]:
    """All that is shown of a derivation, in order."""
    found = [_values(d)]
    if d.mode in ("both", "forward"):
        found.append(_forward(d))
    if d.mode in ("both", "reverse"):
        found.append(_reverse(d))
    tensors = any(v.shape for s in d.steps if s.out.varies for v in (s.out, *s.values))
    if tensors:
        found.append(_locals(d))
    if d._part is None:
        if tensors:
            found.append(_matrix(d))
        if d.checks or d.unchecked:
            found.append(_gradient(d))
        if d.cost is not None:
            found.append(_cost(d))
    return [s for s in found if s.rows]


def _values(d: Derivation) -> Section:
    shapes = any(row.of.shape for row in d.values)
    s = Section(
        "Values",
        "",
        ["", "formula", "with numbers", *(["shape"] if shapes else []), "value", "layer", "line"],
    )
    numbers = {v.name: v.data.item() for v in _scalars(d)}
    files = {row.line.rpartition(":")[0] for row in d.values if row.line}
    for row in d.values:
        fold = d.fold_of(row.of)
        if fold is not None:
            inner = ", ".join(v.name for v in fold.inputs)
            middle = [Cell(f"[{fold.name}]"), Cell(f"{inner} → {row.name}: {len(fold.steps)} steps" +
                      (f", {fold.title}" if fold.title != fold.name else ""))]  # fmt: skip
            cells = [_name(row.name), Cell(" ".join(c.text for c in middle)), EMPTY]
        else:
            worked = EMPTY if row.of.shape else _numbers(row.formula, numbers, "= ")
            cells = [_name(row.name), _formula(row.formula, "= ", d), worked]
        if shapes:
            cells.append(Cell(shape_text(row.of.shape)))
        s.rows.append(
            [*cells, _value(row.of.data), Cell("" if fold else row.layer), Cell(_line(row.line, files))]
        )
    if d.program.dropped and d._part is None:
        n = d.program.dropped
        more = f"{n} more {'operation' if n == 1 else 'operations'} ran"
        s.notes.append(f"{more} that the result is not made of, such as conditions.")
    return s


def _forward(d: Derivation) -> Section:
    along = any(column.place is None for column in d.columns)
    moving = {id(column.leaf) for column in d.columns}
    several = any(v.size > 1 for v in d.program.leaves)
    moved = "along ones in each input" if along else f"one pass for each {'element' if several else 'input'}"
    s = Section(
        "Forward mode", f"Tangents, from the inputs to {d.program.output.name}; {moved}.",
        ["", "formula", *[column.title for column in d.columns], "rule"],
    )  # fmt: skip
    numbers = {v.name: v.data.item() for v in _scalars(d)}
    known = [numbers | d.tangent_numbers(k) for k in range(len(d.columns))]
    for row in d.forward:
        fold = d.fold_of(row.of)
        cells = [_name(row.name), Cell(f"[{fold.name}]") if fold else _formula(row.formula, "= ", d)]
        for k, moves in enumerate(row.tangents):
            shown = "0" if moves is None else signed(figures(moves._a, short=True))
            single = moves is not None and not row.of.shape
            worked = _numbers(row.formula, known[k], "") if single else EMPTY
            if worked.text and worked.text != shown:
                cells.append(Cell(f"{worked.text} = {shown}", f"{worked.latex} = {shown.replace('−', '-')}"))
            else:
                cells.append(Cell(shown))
        s.rows.append([*cells, Cell(row.rule)])
    more = sum(id(v) not in moving and v.size > 0 for v in d.program.leaves)
    if more:
        own = "input has a pass of its own" if more == 1 else "inputs have passes of their own"
        s.notes.append(f"{more} more {own}.")
    return s


def _reverse(d: Derivation) -> Section:
    s = Section(
        "Reverse mode", f"Adjoints, from {d.target} back to the inputs, in one pass.",
        ["", "chain rule", "formula", "with numbers", "value", "rule"],
    )  # fmt: skip
    numbers = {v.name: v.data.item() for v in _scalars(d)}
    numbers |= d.adjoint_numbers
    for row in d.reverse:
        chain = Cell(f"= {row.chain}", latex_of_chain(row.chain)) if row.chain else EMPTY
        shown = f"= {signed(figures(row.value._a, short=True))}"
        worked = EMPTY if row.value._a.shape else _numbers(row.formula, numbers, "= ")
        if worked.text == shown:
            worked = EMPTY
        s.rows.append(
            [_name(row.name), chain, _formula(row.formula, "= ", d), worked, Cell(shown), Cell(row.rule)]
        )
    for fold, values in d.tucked_away.items():
        parameters = [v for v in values if v.leaf]
        if parameters:
            n, norm = len(parameters), d.gradient_norm(parameters)
            what = "a parameter" if n == 1 else f"{n} parameters"
            s.notes.append(
                f'Inside of {fold}: {what}, norm of the gradient {figures(norm)}; d["{fold}"] opens it.'
            )
    if d.program.output.shape:
        name = d.program.output.name
        s.notes.append(
            f"{name} has several elements: what is differentiated is their sum, Σ{name}, "
            f"as {name}.sum().backward() does."
        )
    return s


def latex_of_chain(chain: str) -> str:
    """A chain of products as LaTeX."""
    return "= " + " + ".join(
        r" \cdot ".join(latex_of(Formula.name(part)) if part.startswith("∂") else part for part in parts)
        for parts in (term.split("·") for term in chain.split(" + "))
    )


def _locals(d: Derivation) -> Section:
    s = Section(
        "Local derivatives",
        f"Each step by its operands, in {d.layout} layout; G ↦ is what becomes of the adjoint G.",
        ["", "derivative", "shape", "rule"],
    )  # fmt: skip
    for row in d.locals:
        shown = _formula(row.formula, "G ↦ " if row.maps else "= ", d)
        s.rows.append([_name(row.name), shown, Cell(shape_text(row.shape)), Cell(row.rule)])
    return s


def _matrix(d: Derivation) -> Section:
    s = Section(
        "The whole derivative",
        f"By the chain rule, in {d.layout} layout.",
        ["", "derivative", "shape", "value", "rules"],
    )
    for row in d.matrix:
        s.rows.append(
            [
                _name(row.name),
                _whole(row.formula, d),
                Cell(shape_text(row.shape)),
                _value(row.value),
                Cell(row.rule),
            ]
        )
    return s


def _gradient(d: Derivation) -> Section:
    s = Section("Gradient", "", ["", "forward mode", "reverse mode", "central differences", ""])
    for check in d.checks:
        s.rows.append(
            [_name(check.of) if check.of in d.gradient else Cell(check.of), *[
                EMPTY if a is None else _value(a) for a in (check.forward, check.reverse, check.differences)
            ], Cell("agree" if check.agree else "DIFFER")]
        )  # fmt: skip
    if d.unchecked:
        s.notes.append(f"Central differences were not taken: {d.unchecked}.")
    if d.hooked:
        s.notes.append(
            f"Backward applies hooks that are left out here, on the gradient of {', '.join(d.hooked)}."
        )
    if not d.agree:
        ties = [f"{step.op.formula}: {step.op.ties}" for step in d.program.moving if step.op.ties]
        reason = (
            f"Where the function has a kink, a convention holds: {'; '.join(dict.fromkeys(ties))}."
            if ties
            else "A number that leaves the tensors by item() or float(), and comes back, is a constant "
            "for both modes, but the differences move it."
        )
        s.notes.append(f"The modes and the differences disagree. {reason}")
    return s


def _cost(d: Derivation) -> Section:
    cost = d.cost
    assert cost is not None
    s = Section("Cost", cost.sentence, ["", "passes", "operations in a pass", "in all", "bytes kept"])
    for name, passes, each, kept in (
        ("the function", 1, cost.value, 0),
        ("forward mode", cost.inputs, cost.forward, 0),
        ("reverse mode", cost.outputs, cost.reverse, cost.kept),
    ):
        s.rows.append(
            [
                Cell(name),
                Cell(str(passes)),
                Cell(amount(each, "")),
                Cell(amount(each * passes, "")),
                Cell(amount(kept)),
            ]
        )
    s.notes.append(f"In a pass, forward mode carries along at most {amount(cost.carried)} of tangents.")
    return s


# -- cells ------------------------------------------------------------------------------------------------


def _scalars(d: Derivation) -> list[Any]:
    every = {id(v): v for v in d.program.values}
    every.update({id(v): v for step in d.program.steps for v in step.values})
    return [v for v in every.values() if v.known and not v.shape]


def _name(name: str) -> Cell:
    return Cell(name, latex_of(Formula.name(name)))


def _formula(formula: Formula | None, before: str, d: Derivation) -> Cell:
    if formula is None:
        return EMPTY
    sign = before.replace("↦", r"\mapsto")
    return Cell(
        before + formula.text(unicode=True, digits=6),
        sign + latex_of(formula, tensors=_of_tensors(formula, d)),
    )


def _of_tensors(formula: Formula, d: Derivation) -> bool:
    """Whether several tensors meet: then a product of elements must not look like one of matrices."""
    shapes = [getattr(d.space.get(name), "shape", None) for name in formula.names if name != "G"]
    return len([shape for shape in shapes if shape]) + ("G" in formula.names) > 1


def _whole(formula: Formula | None, d: Derivation) -> Cell:
    return Cell("a long chain: see above") if formula is None else _formula(formula, "= ", d)


def _value(a: Any) -> Cell:
    return Cell(signed(figures(a)))


def _line(where: str, files: set[str]) -> str:
    """`file.py:41`; the number alone where all lines are of one file."""
    path, _, number = where.rpartition(":")
    return number if len(files) == 1 else f"{os.path.basename(path)}:{number}" if path else ""


def _numbers(formula: Formula | None, numbers: dict[str, float], before: str) -> Cell:
    """The formula with numbers put in, where all of it is numbers and there are names to put them in for."""
    if formula is None or not formula.names:
        return EMPTY
    if any(name not in numbers and name.strip("()") not in numbers for name in formula.names):
        return EMPTY
    given = {n: numbers[n] for n in numbers if n in formula.names or f"({n})" in formula.names}
    text = with_numbers(formula, given).text(unicode=True, digits=6)
    return Cell(before + text, before + latex_of(with_numbers(formula, given, plain=False)))
