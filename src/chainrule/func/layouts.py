"""`jacobian`: the derivative of tensors by tensors, in either layout, by whichever mode is cheaper.

A layout says which way a derivative lies. For y with axes (m, l) and x with axes (n, k):

    numerator layout     y's axes as they are, then x's in reverse:   (m, l, k, n)
    denominator layout   x's axes as they are, then y's in reverse:   (n, k, l, m)

so the one is the transpose of the other. For a number y, the denominator layout has the gradient lie as x
does, which is what `.grad` holds. Vectors are columns.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from ..base import TensorBase
from ..core.errors import ArgumentError, nearest
from .jacobians import jacfwd, jacrev
from .variables import check_function, check_variable, tensors

MODES = ("auto", "forward", "reverse")
LAYOUTS = ("numerator", "denominator")


class Choice(NamedTuple):
    """Which mode `jacobian` took, and why.

    inputs, outputs:  how many numbers the function takes and gives.
    """

    mode: str
    why: str
    inputs: int
    outputs: int

    def __str__(self) -> str:
        return f"{self.mode} mode: {self.why}"


def choose(inputs: int, outputs: int) -> Choice:
    """The mode that computes a Jacobian of `outputs` x `inputs` numbers in fewer passes.

    >>> print(choose(inputs=1000, outputs=1))
    reverse mode: 1 output and 1000 inputs, so 1 pass back instead of 1000 passes forward
    >>> print(choose(inputs=2, outputs=50))
    forward mode: 50 outputs and 2 inputs, so 2 passes forward instead of 50 passes back
    >>> print(choose(inputs=3, outputs=3))
    forward mode: 3 outputs and 3 inputs: as many passes either way, and forward mode keeps nothing for later
    """
    sizes = f"{_count(outputs, 'output')} and {_count(inputs, 'input')}"
    if inputs < outputs:
        why = f"{sizes}, so {_passes(inputs, 'forward')} instead of {_passes(outputs, 'back')}"
        return Choice("forward", why, inputs, outputs)
    if outputs < inputs:
        why = f"{sizes}, so {_passes(outputs, 'back')} instead of {_passes(inputs, 'forward')}"
        return Choice("reverse", why, inputs, outputs)
    why = f"{sizes}: as many passes either way, and forward mode keeps nothing for later"
    return Choice("forward", why, inputs, outputs)


def jacobian(
    fn: Callable[..., Any],
    inputs: Any,
    mode: str = "auto",
    layout: str = "numerator",
    *,
    explain: bool = False,
) -> Any:
    """The derivative of `fn(*inputs)` by each input.

    inputs:   a tensor, or a tuple of tensors.
    mode:     "forward", "reverse", or "auto": whichever needs fewer passes (`choose`).
    layout:   "numerator" or "denominator"; see the top of this file for the shapes.
    explain:  return (Jacobian, Choice), which says the mode and the reason.
    Returns:  a tensor; a tuple of them for a tuple of inputs; a tuple of these if fn returns several tensors.
    Raises:   ValueError for another mode or layout.
    Source:   layouts as in K. B. Petersen, M. S. Pedersen, "The Matrix Cookbook" (2012); shapes for matrices
              as in "Dive into Deep Learning", where the course has them.

    >>> import chainrule as torch
    >>> from chainrule.func import jacobian
    >>> A, y = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([1.0, 1.0])
    >>> jacobian(lambda y: A @ y, y)
    tensor([[1., 2.],
            [3., 4.],
            [5., 6.]])
    >>> d, choice = jacobian(lambda y: A @ y, y, layout="denominator", explain=True)
    >>> torch.equal(d, A.T)
    True
    >>> print(choice)
    forward mode: 3 outputs and 2 inputs, so 2 passes forward instead of 3 passes back
    """
    _check("mode", mode, MODES)
    _check("layout", layout, LAYOUTS)
    xs = inputs if isinstance(inputs, tuple) else (inputs,)
    check_function(fn, "jacobian")
    for x in xs:
        check_variable(x, "jacobian", "to differentiate by", "a lambda that keeps it fixed")
    given = fn(*(x.detach() for x in xs))
    outputs, _ = tensors(given, "jacobian")
    choice = choose(sum(prod(x._a.shape) for x in xs), sum(prod(y._a.shape) for y in outputs))
    if mode != "auto":
        choice = Choice(mode, "as asked", choice.inputs, choice.outputs)
    way = jacfwd if choice.mode == "forward" else jacrev
    found = way(lambda *args: tuple(tensors(fn(*args), "jacobian")[0]), tuple(range(len(xs))))(*xs)
    laid = tuple(
        tuple(lie(j, y._a.ndim, layout) for j, x in zip(by_input, xs, strict=True))
        for by_input, y in zip(found, outputs, strict=True)
    )
    result: Any = laid if isinstance(inputs, tuple) else tuple(row[0] for row in laid)
    if isinstance(given, TensorBase):
        result = result[0]
    return (result, choice) if explain else result


def lie(j: Any, outputs: int, layout: str) -> Any:
    """A Jacobian with the axes (*y, *x), of which `outputs` are those of y, in a layout.

    >>> import chainrule as torch
    >>> tuple(lie(torch.zeros(2, 3, 4, 5), 2, "numerator").shape)
    (2, 3, 5, 4)
    >>> tuple(lie(torch.zeros(2, 3, 4, 5), 2, "denominator").shape)
    (4, 5, 3, 2)
    """
    ys, xs = range(outputs), range(outputs, j.dim())
    if layout == "numerator":
        return j.permute((*ys, *reversed(xs)))
    return j.permute((*xs, *reversed(ys)))


def _check(name: str, given: str, options: tuple[str, ...]) -> None:
    if given not in options:
        raise ArgumentError.of(
            "jacobian",
            given=f"{name}={given!r}{nearest(str(given), list(options))}",
            must=f"{name} is one of {', '.join(map(repr, options))}",
        )


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _passes(n: int, way: str) -> str:
    return f"{_count(n, 'pass')} {way}".replace("passs", "passes")
