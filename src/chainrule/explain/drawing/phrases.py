"""Formulas and gradient rules of the table, in the names of the values at hand.

`x * y` with x = v1 and y = w becomes `v1 * w`; the rule `y` for its first input, with g = ∂v2, becomes
`∂v2 * w`. Names and numbers are atoms, so nothing needs parentheses but negative numbers. Next:
`from_tape.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...core.shapes import Shape
from ...graph.text import setting_text
from ...ops.primitive import ELEMENTWISE, Primitive

UNKNOWN = "·"  # an operand that backward does not need, so that nobody remembers it
_LONGEST_SETTING = 24  # characters; longer ones are called by their names
_LONGEST_TAIL = 4  # operands of an op that takes any number of them
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*=(?!=))")
_SIMPLE_FACTOR = re.compile(r"[~\w.]+(\([^()]*\))?(\*\*[\w.]+)?( \* [\w.]+(\([^()]*\))?(\*\*[\w.]+)?)*")
_RECIPROCAL = re.compile(r"1 / ([\w.]+|\(.*\))(\*\*[\w.]+)?")


def number(value: Any, digits: int = 5) -> str:
    """A number with some significant digits."""
    if isinstance(value, bool | int):
        return str(value)
    return f"{value:.{digits}g}"


def operand(value: Any) -> str:
    """A Python number as an operand."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def substituted(text: str, names: dict[str, str]) -> str:
    """A text of the table with names in place of its inputs; the names of keyword arguments stay."""
    return _NAME.sub(lambda found: names.get(found.group(), found.group()), text)


def operands_by_name(op: Primitive, operands: Sequence[str]) -> dict[str, str]:
    """What the inputs of an entry are called here."""
    names = dict(zip(op.inputs, operands, strict=False))
    if op.tail:
        tail = list(operands[len(op.inputs) :])
        if len(tail) > _LONGEST_TAIL:
            tail = [*tail[:2], "…", tail[-1]]
        names[op.tail] = ", ".join(tail)
    return names


def settings_by_name(settings: dict[str, Any]) -> dict[str, str]:
    """Settings that are short enough to be written out."""
    texts = {key: setting_text(value) for key, value in settings.items()}
    return {key: text for key, text in texts.items() if len(text) <= _LONGEST_SETTING}


def formula(op: Primitive, operands: Sequence[str]) -> str:
    """The value of an op, as people write it."""
    return substituted(op.formula, operands_by_name(op, operands))


def settings_text(op: Primitive, settings: dict[str, Any]) -> str:
    """The settings that say something: `dim=(0,)`; switches that are off are left out."""
    short = settings_by_name(settings)
    return ", ".join(f"{key}={short[key]}" for key, value in settings.items() if key in short and value)


def rule(op: Primitive, i: int, g: str, operands: Sequence[str], out: str, settings: dict[str, Any]) -> str:
    """The gradient that flows to input i when g arrives: the rule of the table, in these names."""
    given = op.d[i] if op.vjp_each is None else op.d[0]
    assert given is not None
    names = {**settings_by_name(settings), **operands_by_name(op, operands), "g": g, "out": out}
    if op.tail:
        names["i"] = str(i - len(op.inputs))
    if op.kind != ELEMENTWISE:
        return substituted(given, names)
    if given in ("0", "1", "-1"):
        return {"0": "0", "1": g, "-1": f"-{g}"}[given]
    factor = substituted(given, names)
    if _RECIPROCAL.fullmatch(given):
        return f"{g} / {factor.removeprefix('1 / ')}"
    return f"{g} * {factor}" if _SIMPLE_FACTOR.fullmatch(given) else f"{g} * ({factor})"


def is_summed(op: Primitive, result: Shape, given: Shape) -> bool:
    """Whether the machinery sums the gradient over axes along which an operand was broadcast."""
    if not op.broadcasts:
        return False
    if op.kind == ELEMENTWISE:
        return result != given
    return result[:-2] != given[:-2] and len(result) > 2  # axes of the batch; the last two are the op's own


def shape_text(shape: Shape) -> str:
    """`(3, 4)`; `scalar` for a value without axes."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else "scalar"


def bytes_text(n: int) -> str:
    """`12 B`, `3.1 KiB`, `2.0 MiB`."""
    if n < 1024:
        return f"{n} B"
    size = n / 1024
    for unit in ("KiB", "MiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def counted(n: int, thing: str, things: str = "") -> str:
    """`1 operation`, `3 operations`."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"
