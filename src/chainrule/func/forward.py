"""`jvp`, `linearize`, `hvp`: forward mode as functions of functions, after `torch.func`.

Forward mode is a level (`../transforms/forward.py`); here it is entered, and its result taken out.
Next: `jacobians.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backward import grad as derivative
from ..backward import node_of
from ..base import TensorBase
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, GradError, ShapeError
from ..tape import mode
from ..transforms.forward import Forward
from ..transforms.level import same
from .reverse import grad, vjp
from .tree import flatten
from .variables import check_function, check_variable, recorded, split_aux, tensors


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """The value of `func(*primals)`, and how it moves when the primals move by the tangents.

    primals, tangents:  tuples with the arguments of func and, in the same structure, directions of their
              shapes and types.
    strict:   an output that does not depend on the primals is an error; otherwise it moves by zeros.
    has_aux:  func returns (value, anything else).
    Returns:  (value, tangent), or (value, tangent, aux) with has_aux.
    Raises:   TypeError for integer primals; ValueError where primals and tangents do not fit together.
    Source:   `torch.func.jvp`.

    >>> import chainrule as torch
    >>> x, v = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0])
    >>> torch.func.jvp(lambda x: x**3, (x,), (v,))
    (tensor([0., 1.]), tensor([0., 3.]))
    """
    check_function(func, "jvp")
    points, tree = _points(primals, "jvp")
    moves = _directions(points, tree, tangents, "jvp")
    level = Forward()
    with level.entered():
        given = [same(x, node_of(x)) for x in points]
        for x, move in zip(given, moves, strict=True):
            level.move(x, move)
        result, aux = split_aux(func(*tree.build(given)), has_aux, "jvp")
        outputs, shape = tensors(result, "jvp")
    moved = []
    for i, y in enumerate(outputs):
        move = level.tangent(y)
        if move is None:
            if strict:
                raise GradError.of(
                    "jvp",
                    given=f"strict=True, and output {i}, a tensor {y._a.shape}, that does not move with the "
                    "primals",
                    must="every output must depend on them",
                    hint="strict=False for zeros",
                )
            move = y.new_zeros(y.shape)
        moved.append(move)
    pair = shape.build(outputs), shape.build(moved)
    return (*pair, aux) if has_aux else pair


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `func(*primals)`, and the linear function that approximates it there.

    Returns:  (value, jvp_fn). `jvp_fn(*tangents)` is the second result of `jvp`, without running func again:
              the backward of func is recorded, which is linear in what arrives, and transposed.
    Raises:   as `jvp`.
    Source:   `torch.func.linearize`. That the transpose of reverse mode is forward mode: J. Townsend, "A new
              trick for calculating Jacobian vector products" (2017).

    >>> import chainrule as torch
    >>> value, push = torch.func.linearize(torch.sin, torch.tensor(0.0))
    >>> push(torch.tensor(1.0)), push(torch.tensor(2.0))
    (tensor(1.), tensor(2.))
    """
    points, tree = _points(primals, "linearize")
    value, pull = vjp(func, *primals)
    outputs, shape = flatten(value)
    watched = any(recorded(y) for y in outputs)
    dummies = [y.new_zeros(y.shape).requires_grad_() for y in outputs if y.is_floating_point()]
    rest = iter(dummies)
    arriving = [next(rest) if y.is_floating_point() else y.new_zeros(y.shape) for y in outputs]
    with mode.enable_grad():
        pulled, _ = flatten(pull(shape.build(arriving), create_graph=True))

    def jvp_fn(*tangents: Any) -> Any:
        """How the value moves when the primals move by the tangents."""
        moves = _directions(points, tree, tangents, "jvp_fn")
        ends = [(g, v) for g, v in zip(pulled, moves, strict=True) if node_of(g) is not None]
        if not ends:
            return shape.build([y.new_zeros(y.shape) for y in outputs])
        found = derivative(
            [g for g, _ in ends],
            dummies,
            [v for _, v in ends],
            retain_graph=True,
            create_graph=mode.is_grad_enabled() and (watched or any(recorded(v) for v in moves)),
            materialize_grads=True,
        )
        rest = iter(found)
        return shape.build([next(rest) if y.is_floating_point() else y.new_zeros(y.shape) for y in outputs])

    return value, jvp_fn


def hvp(func: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The gradient of `func` at the primals, and the product of its Hessian with the tangents.

    Forward mode over reverse mode: the cost of a few gradients, whatever the size of the Hessian.

    primals, tangents:  as for `jvp`; func returns one number.
    Returns:  (gradient, product), each a tuple with the structure of the primals.

    >>> import chainrule as torch
    >>> x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0])
    >>> torch.func.hvp(lambda x: (x**3).sum(), (x,), (v,))
    ((tensor([ 3., 12.]),), (tensor([6., 0.]),))
    """
    _points(primals, "hvp")
    gradient = grad(func, tuple(range(len(primals))))
    pair: tuple[Any, Any] = jvp(gradient, primals, tangents)
    return pair


def _points(primals: Any, what: str) -> tuple[list[Any], Any]:
    """The tensors at which to differentiate, and their structure."""
    if not isinstance(primals, tuple) or not primals:
        raise ArgumentError.of(
            what,
            given="no primals" if primals == () else f"primals of type {type(primals).__name__}",
            must="the primals are a tuple with one entry for each argument of the function",
            hint="(x,)",
        )
    points, tree = flatten(primals)
    for x in points:
        check_variable(x, what, "among the primals", "a lambda that keeps it fixed")
    return points, tree


def _directions(points: list[Any], tree: Any, tangents: Any, what: str) -> list[Any]:
    """The tangents in the order of the points, checked."""
    moves, given = flatten(tangents)
    if given != tree:
        raise ArgumentError.of(
            what,
            given=f"{len(moves)} {'tangent' if len(moves) == 1 else 'tangents'} for {len(points)} "
            f"{'primal' if len(points) == 1 else 'primals'}, or nested in another way",
            must="the tangents are a tuple with the structure of the primals",
            hint="(v,)" if not isinstance(tangents, tuple) else "",
        )
    for x, v in zip(points, moves, strict=True):
        if not isinstance(v, TensorBase):
            raise ArgumentError.of(
                what, given=f"{type(v).__name__} as a tangent", must="a tangent is a tensor"
            )
        if v._a.shape != x._a.shape:
            raise ShapeError.of(
                what,
                given=f"a tangent {v._a.shape} for a primal {x._a.shape}",
                must="a direction has the shape of what moves",
            )
        if FROM_NUMPY[v._a.dtype] is not FROM_NUMPY[x._a.dtype]:
            raise DTypeError.of(
                what,
                given=f"a {FROM_NUMPY[v._a.dtype].name} tangent for a {FROM_NUMPY[x._a.dtype].name} primal",
                must="a direction has the type of what moves",
                hint="v.to(x.dtype)",
            )
    return moves
