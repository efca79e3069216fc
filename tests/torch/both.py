"""One expression, evaluated by chainrule and by PyTorch, and a comparison of everything that comes out.

An expression is a line of Python about `T` (the library) and the tensors `x`, `y`, `z`, such as
`"T.clamp(x, -1, 1)"`. Compared are: whether it is refused and with which family of exceptions, the structure
of the result, its shapes, element types, values and `requires_grad`, and the gradients of all inputs.
"""

from __future__ import annotations

import ast
import functools
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

import chainrule

# With opt_einsum installed (JAX brings it) PyTorch multiplies in another order, and rounds float16 elsewhere.
torch.backends.opt_einsum.enabled = False

# Largest relative and absolute difference by element type: some units in the last place, because sums are
# taken in another order, and PyTorch's vectorised functions are a little less exact than NumPy's.
TOLERANCE = {"float64": (1e-9, 1e-10), "float32": (3e-5, 3e-6), "float16": (4e-3, 2e-3)}

FLOATS = ("float16", "float32", "float64")
WHOLE = ("int64", "int32", "uint8", "bool")
DTYPES = (*FLOATS, *WHOLE)

# Families of built-in exceptions: who catches PyTorch's error by one of these catches ours.
FAMILIES = (IndexError, TypeError, ValueError, RuntimeError)


class Refused(Exception):
    """One side raised `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.error = error


# -- inputs ------------------------------------------------------------------------------------------------


def array(shape: str, dtype: str, values: str = "normal", seed: int = 0) -> np.ndarray[Any, Any]:
    """An array from a description: "2x3", "()" for 0-d, "2x3t" transposed in memory, "2x3s" with gaps.

    values: "normal" (both signs; small integers for whole types), "positive", or "unit" (in 0 to 1).
    """
    layout = shape[-1] if shape[-1] in "ts" else ""
    sizes = [] if shape == "()" else [int(n) for n in shape.rstrip("ts").split("x")]
    rng = np.random.default_rng([seed, *sizes])
    stored = sizes[::-1] if layout == "t" else [2 * n for n in sizes] if layout == "s" else sizes
    if dtype == "bool":
        a = rng.random(stored) < 0.5
    elif dtype in FLOATS:
        drawn = {
            "normal": lambda: rng.normal(scale=2.0, size=stored),
            "positive": lambda: rng.uniform(0.2, 3.0, size=stored),
            "unit": lambda: rng.uniform(0.05, 0.95, size=stored),
        }[values]()
        a = np.asarray(drawn).astype(dtype)
    else:
        low = 1 if values != "normal" else 0 if dtype == "uint8" else -4
        a = np.asarray(rng.integers(low, 6, size=stored)).astype(dtype)
    a = np.asarray(a)
    return a.T if layout == "t" else a[(slice(None, None, 2),) * a.ndim] if layout == "s" else a


def leaves(T: Any, arrays: dict[str, np.ndarray[Any, Any]], grad: bool) -> dict[str, Any]:
    """A tensor for each array, with the array's own layout in memory; floats want a gradient."""
    out = {}
    for name, a in arrays.items():
        base = a.copy(order="K") if a.base is None or a.T.flags.c_contiguous else None
        if base is None:  # every other element of a larger array: keep the gaps
            wide = np.zeros([2 * n for n in a.shape], a.dtype)
            base = wide[(slice(None, None, 2),) * a.ndim]
            base[...] = a
        tensor = T.from_numpy(base)
        out[name] = tensor.requires_grad_() if grad and a.dtype.kind == "f" else tensor
    return out


# -- evaluation and comparison -------------------------------------------------------------------------


@functools.cache
def _compiled(expression: str) -> Any:
    return compile(expression, f"<{expression}>", "eval")


def evaluate(T: Any, expression: str, names: dict[str, Any]) -> Any:
    """The value of the expression, or Refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(_compiled(expression), {"T": T, "inf": math.inf, "nan": math.nan, "np": np}, names)
    except Exception as error:
        return Refused(error)


# PyTorch merely has no kernel or no derivative there, or a bug: not a rule, so ours may do better.
_GAPS = re.compile(
    "not implemented for|not supported for|not yet supported|does not support (bool|dtype)|INTERNAL ASSERT"
    "|derivative for .* is not implemented|returned an invalid gradient|a proper Tensor but got None"
)


def kernel_gap(error: Exception) -> bool:
    """Whether PyTorch's error is about something it has not got round to."""
    return bool(_GAPS.search(str(error))) or isinstance(error, NotImplementedError)


def family(error: Exception) -> type[Exception]:
    """The built-in exception that PyTorch's error belongs to."""
    return next(f for f in FAMILIES if isinstance(error, f))


def same_refusal(ours: Any, theirs: Any) -> bool:
    """True if both refuse (with the same family of exceptions), False if neither does; else fails."""
    if isinstance(theirs, Refused):
        if kernel_gap(theirs.error):
            return True
        assert isinstance(ours, Refused), f"PyTorch refuses ({theirs}), ours gives {ours!r}"
        kind = family(theirs.error)
        assert isinstance(ours.error, kind), f"PyTorch raises {kind.__name__} ({theirs}), ours {ours}"
        assert speaks(ours.error), f"not one of our own errors: {ours}"
        return True
    if isinstance(ours, Refused):
        raise AssertionError(f"PyTorch gives {theirs!r}, ours refuses: {ours}") from ours.error
    return False


_PYTHONS = re.compile("argument|unsupported operand|not supported between|unsupported format")


def speaks(error: Exception) -> bool:
    """Whether an error is one that teaches, or Python's own about a call that no function accepts."""
    return isinstance(error, chainrule.ChainruleError) or (
        type(error) is TypeError and bool(_PYTHONS.search(str(error)))
    )


def same(ours: Any, theirs: Any, what: str = "result", coarse: str = "float64") -> None:
    """Same structure, shapes, element types and, within the tolerance, values.

    coarse: the least exact type that the values went through; the tolerance is at least that of it.
    """
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, chainrule.Tensor), f"{what}: a Tensor on their side, {type(ours)} on ours"
        assert tuple(ours.shape) == tuple(theirs.shape), f"{what}: shape {ours.shape} for {theirs.shape}"
        assert str(ours.dtype) == str(theirs.dtype), f"{what}: {ours.dtype} for {theirs.dtype}"
        assert ours.requires_grad == theirs.requires_grad, f"{what}: requires_grad {ours.requires_grad}"
        name = str(theirs.dtype).removeprefix("torch.")
        rtol, atol = max(TOLERANCE[name], TOLERANCE[coarse]) if name in TOLERANCE else (0.0, 0.0)
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(force=True), rtol=rtol, atol=atol, err_msg=what
        )
    elif isinstance(theirs, tuple | list):
        assert isinstance(ours, tuple | list), f"{what}: {type(ours)} for {type(theirs)}"
        assert len(ours) == len(theirs), f"{what}: {len(ours)} parts for {len(theirs)}"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            same(a, b, f"{what}[{i}]", coarse)
        fields = [n for n in dir(theirs) if not n.startswith(("_", "n_")) and n not in dir(tuple) + dir(list)]
        if isinstance(theirs, tuple) and type(theirs).__module__ == "torch.return_types":
            assert all(hasattr(ours, n) for n in fields), f"{what}: fields {fields}"
    elif isinstance(theirs, torch.dtype):
        assert repr(ours) == repr(theirs), what
    elif isinstance(theirs, complex):
        assert ours == theirs, what
    elif isinstance(theirs, float) and math.isnan(theirs):
        assert isinstance(ours, float), what
        assert math.isnan(ours), what
    elif isinstance(theirs, bool | int | str) or theirs is None:
        assert ours == theirs, f"{what}: {ours!r} for {theirs!r}"
        assert isinstance(ours, type(theirs)), f"{what}: {type(ours)} for {type(theirs)}"
    else:
        assert isinstance(theirs, float), f"{what}: cannot compare {type(theirs)}"
        assert isinstance(ours, float), what
        assert math.isclose(ours, theirs, rel_tol=1e-5), f"{what}: {ours} for {theirs}"


def differentiable(result: Any) -> list[Any]:
    """The tensors in a result that want a gradient, in order."""
    if isinstance(result, tuple | list):
        return [t for part in result for t in differentiable(part)]
    return [result] if hasattr(result, "requires_grad") and result.requires_grad else []


def weighted(T: Any, results: list[Any]) -> Any:
    """A random linear functional of all results: its gradient shows every entry of the Jacobian."""
    rng = np.random.default_rng(17)
    total = None
    for r in results:
        w = np.asarray(rng.uniform(0.5, 1.5, size=tuple(r.shape)) * rng.choice([-1, 1], size=tuple(r.shape)))
        term = (r * T.from_numpy(w.astype(str(r.dtype).removeprefix("torch.")))).sum()
        total = term if total is None else total + term
    return total


def compare(expression: str, arrays: dict[str, np.ndarray[Any, Any]], *, grad: bool = True) -> None:
    """Evaluate on both sides and compare results and gradients."""
    mine, its = leaves(chainrule, arrays, grad), leaves(torch, arrays, grad)
    ours, theirs = evaluate(chainrule, expression, dict(mine)), evaluate(torch, expression, dict(its))
    if same_refusal(ours, theirs):
        return
    same(ours, theirs)
    same_gradients(mine, its, ours, theirs)


def same_gradients(mine: dict[str, Any], its: dict[str, Any], ours: Any, theirs: Any) -> None:
    """Backward from a random linear functional of the results gives the same gradients to all leaves."""
    if not differentiable(theirs):
        return
    back = "weighted(T, y).backward()"
    ended = evaluate(torch, back, {"weighted": weighted, "y": differentiable(theirs)})
    if same_refusal(evaluate(chainrule, back, {"weighted": weighted, "y": differentiable(ours)}), ended):
        return
    types = {str(t.dtype).removeprefix("torch.") for t in (*its.values(), *differentiable(theirs))}
    coarse = max(types & set(TOLERANCE), key=lambda name: TOLERANCE[name])
    for name, x in its.items():
        if x.requires_grad and x.is_leaf:
            # No gradient and one of zeros mean the same; PyTorch is not of one mind about which to give.
            have, wanted = mine[name].grad, x.grad
            if have is None or wanted is None:
                left = wanted if have is None else have
                assert left is None or not left.any(), f"gradient of {name}: {have} for {wanted}"
            else:
                same(have, wanted, f"gradient of {name}", coarse)


# -- tables ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of a table: an expression, and what to try it on.

    inputs:  alternatives separated by `;`, each with the shapes of x, y, z (see `array`).
    dtypes:  element types to try; those that both sides refuse are part of the comparison.
    differs: why ours is meant to differ from PyTorch; such a row must fail.
    """

    expression: str
    inputs: str = "2x3"
    dtypes: tuple[str, ...] = DTYPES
    values: str = "normal"
    grad: bool = True
    differs: str = ""

    def __str__(self) -> str:
        return self.expression

    def arrays(self, dtype: str) -> Iterator[dict[str, np.ndarray[Any, Any]]]:
        for alternative in self.inputs.split(";"):
            yield {
                name: array(shape, dtype, self.values, seed)
                for seed, (name, shape) in enumerate(zip("xyz", alternative.split(), strict=False))
            }


# Words that may stand for several types in the last column of a table.
SETS = {
    "floats": FLOATS,
    "real": ("float32", "float64"),
    "whole": WHOLE,
    "integers": WHOLE[:3],
    "numbers": (*FLOATS, *WHOLE[:3]),
    "all": DTYPES,
    **{d: (d,) for d in DTYPES},
}


def table(text: str, inputs: str = "2x3", types: str = "all", **words: str) -> list[Row]:
    """Rows from text: a line is `expression :: inputs :: options`, the last two with defaults.

    `{a|b}` in an expression stands for one row each (`\\|` is an or); a line that begins with `::` continues
    the one before; `#` begins a comment. `words` are abbreviations for inputs and parts of expressions, in
    capitals. Options are types (names, or the words in SETS), "positive" or "unit" for other values, "values"
    where gradients are not compared, and last "differs: " with a reason.
    """
    out = []
    for line in re.sub(r"\n *::", " ::", text).splitlines():
        parts = [part.strip() for part in line.partition("#")[0].split("::")]
        if not parts[0]:
            continue
        options, _, differs = parts[2].partition("differs:") if len(parts) > 2 else ("", "", "")
        kinds: list[str] = []
        values, grad = "normal", True
        for word in options.split():
            if word in SETS:
                kinds += [d for d in SETS[word] if d not in kinds]
            elif word in ("positive", "unit"):
                values = word
            else:
                assert word == "values", f"unknown option {word!r} in {line!r}"
                grad = False
        given = parts[1] if len(parts) > 1 and parts[1] else inputs
        for expression in _alternatives(_replaced(parts[0], words)):
            chosen = tuple(kinds) or tuple(d for word in types.split() for d in SETS[word])
            out.append(Row(expression, _replaced(given, words), chosen, values, grad, differs.strip()))
    return out


def _replaced(text: str, words: dict[str, str]) -> str:
    for word, meaning in words.items():
        text = re.sub(rf"\b{word}\b", lambda _, meaning=meaning: meaning, text)
    return text


def _alternatives(text: str) -> list[str]:
    """All expressions that a text with `{a|b}` in it stands for."""
    found = re.search(r"\{((?:[^{}\\]|\\.)*(?<!\\)\|(?:[^{}\\]|\\.)*)\}", text)
    if not found:
        return [text.replace("\\|", "|")]
    before, after = text[: found.start()], text[found.end() :]
    choices = re.split(r"(?<!\\)\|", found[1])
    return [e for choice in choices for e in _alternatives(before + choice.strip(" ") + after)]


def rows(table: Sequence[Row]) -> list[Any]:
    """Parameters for a test: each row; one meant to differ once for each type, all of which must."""
    out = []
    for row in table:
        if row.differs:
            marks = pytest.mark.xfail(reason=row.differs, raises=AssertionError, strict=True)
            each = [replace(row, dtypes=(dtype,)) for dtype in row.dtypes]
            out += [pytest.param(one, marks=marks, id=f"{row}-{one.dtypes[0]}") for one in each]
        else:
            out.append(pytest.param(row, id=str(row)))
    return out


def check(row: Row) -> None:
    """Compare one row for all its types and inputs; a failure names each that differs."""
    wrong = []
    for dtype in row.dtypes:
        for arrays in row.arrays(dtype):
            try:
                compare(row.expression, arrays, grad=row.grad)
            except AssertionError as err:
                shapes = ", ".join(f"{k} {v.shape} strides {v.strides}" for k, v in arrays.items())
                wrong.append(f"{row.expression} for {dtype}, {shapes}: {err}")
    assert not wrong, "\n".join(wrong)


def called(expression: str) -> tuple[set[str], set[str], set[str]]:
    """Names that an expression uses: of the library, of `T.linalg`, and of tensors."""
    functions, linalg, methods = set(), set(), set()
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Attribute):
            base = ast.unparse(node.value)
            (functions if base == "T" else linalg if base == "T.linalg" else methods).add(node.attr)
    return functions, linalg, methods


def as_method(row: Row, suffix: str = "", receiver: str = "x") -> Row | None:
    """`T.name(x, ...)` as `x.name(...)` (or `x.name_(...)`), if both sides have that method; None if not."""
    tree = ast.parse(row.expression, mode="eval").body
    if not (
        isinstance(tree, ast.Call)
        and isinstance(tree.func, ast.Attribute)
        and ast.unparse(tree.func.value) == "T"
        and tree.args
        and ast.unparse(tree.args[0]) == "x"
        and all(hasattr(side, tree.func.attr + suffix) for side in (chainrule.Tensor, torch.Tensor))
    ):
        return None
    arguments = [ast.unparse(a) for a in (*tree.args[1:], *tree.keywords)]
    return replace(row, expression=f"{receiver}.{tree.func.attr}{suffix}({', '.join(arguments)})")
