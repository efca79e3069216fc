"""The variables of a derivative: what a function is differentiated by, and what comes back out of it.

A variable has the memory of the tensor that was given, and a place on the tape of its own. So `grad` of a
function of x asks for the derivative by this variable alone, wherever else x occurs. If x stands on the tape
itself, the variable is recorded as made from it, and the derivative of a derivative finds its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..backward import node_of
from ..base import TensorBase
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError
from ..eager import record
from ..ops.views import RESHAPE
from ..tape import mode
from ..tape.node import AccumulateGrad, Node
from ..transforms.level import same
from .tree import Tree, flatten


class VariableNode(AccumulateGrad):
    """The place of a variable on the tape. It collects nothing in `.grad`: what arrives is asked for.

    open:  whether the function of this variable is running, so that somebody may still ask.
    """

    __slots__ = ("open",)

    def __init__(self, leaf: TensorBase) -> None:
        super().__init__(leaf)
        self.open = True


def check_function(func: Any, what: str) -> None:
    """Refuse what is no function, such as the result of one, before something fails inside."""
    if not callable(func):
        raise ArgumentError.of(
            what,
            given=f"{type(func).__name__} in the place of the function",
            must="its first argument is the function itself, not what it returns",
            hint="a lambda, or the name of a function without brackets",
        )


def check_variable(x: Any, what: str, place: str, instead: str) -> None:
    """Refuse what cannot be differentiated by.

    place, instead:  where x was given, and what else can be done, for the message.
    """
    if not isinstance(x, TensorBase):
        raise ArgumentError.of(
            what,
            given=f"{type(x).__name__} {place}",
            must="derivatives are taken by tensors",
            hint=f"torch.tensor(...) of it, or {instead}",
        )
    if x._a.dtype.kind != "f":
        raise DTypeError.of(
            what,
            given=f"a tensor {x._a.shape} of type {FROM_NUMPY[x._a.dtype].name} {place}",
            must="only floating-point values change continuously, so only they have derivatives",
            hint=f"x.float(), or {instead}",
        )


def variable(x: Any, what: str) -> Any:
    """A variable with the value of x."""
    check_variable(x, what, "to differentiate by", "argnums= for another argument")
    y = same(x, None)
    if mode.is_grad_enabled() and node_of(x) is not None:
        return record(RESHAPE, y, (x,), {"shape": x._a.shape})
    y._node = VariableNode(y)
    return y


@contextmanager
def recording(variables: Sequence[Any]) -> Iterator[None]:
    """Run the function of these variables, with gradients on; `no_grad` inside of it counts."""
    try:
        with mode.enable_grad():
            yield
    finally:
        for v in variables:
            if isinstance(v._node, VariableNode):
                v._node.open = False


def freed(x: Any) -> Any:
    """A result without the variables it was computed from; what else is not a tensor stays as it is."""
    if not recorded(x):
        return x
    rows = x._stack()
    return same(x, None) if rows is None else x._freed(freed(rows))


def nodes(x: Any) -> Iterator[Node]:
    """The places of x on the tape: its own, and, inside of vmap, that of the stack whose row it is."""
    while isinstance(x, TensorBase):
        node = node_of(x)
        if node is not None:
            yield node
        x = x._stack()


def recorded(x: Any) -> bool:
    """Whether x has a place on the tape, or stands for rows of a stack that has one."""
    return any(True for _ in nodes(x))


def others(outputs: Sequence[Any], variables: Sequence[Any]) -> bool:
    """Whether somebody else may want to differentiate: the outputs depend on more than the variables."""
    if not mode.is_grad_enabled():
        return False
    own = {v._node for v in variables}
    if any(not isinstance(node, VariableNode) for node in own):
        return True
    stack = [node for y in outputs for node in nodes(y)]
    seen = set(stack)
    while stack:
        node = stack.pop()
        if node in own:
            continue
        if node.open if isinstance(node, VariableNode) else isinstance(node, AccumulateGrad):
            return True
        for edge in node.edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return False


def tensors(result: Any, what: str) -> tuple[list[Any], Tree]:
    """The tensors of a function's result, and their structure."""
    leaves, tree = flatten(result)
    for y in leaves:
        if not isinstance(y, TensorBase):
            raise ArgumentError.of(
                what,
                given=f"a function that returns {_described(result, y)}",
                must="it must return a tensor, or tuples, lists and dicts of tensors",
                hint="has_aux=True if it returns (value, anything else)",
            )
    return leaves, tree


def _described(result: Any, leaf: Any) -> str:
    kind = type(leaf).__name__
    return kind if leaf is result else f"a {type(result).__name__} with {kind} in it"


def split_aux(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    """(what is differentiated, what is only passed on) of a function's result."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError.of(
            what,
            given=f"has_aux=True, and a function that returns {_kind(result)}",
            must="with has_aux it returns two things: (what is differentiated, anything else)",
        )
    return result


def _kind(result: Any) -> str:
    return f"{len(result)} things" if isinstance(result, tuple) else type(result).__name__


def arguments(argnums: int | tuple[int, ...], args: tuple[Any, ...], what: str) -> tuple[int, ...]:
    """The places of the arguments to differentiate by."""
    wanted = argnums if isinstance(argnums, tuple) else (argnums,)
    for i in wanted:
        if type(i) is not int or not -len(args) <= i < len(args):
            raise ArgumentError.of(
                what,
                given=f"argnums={argnums!r} for a call with {len(args)} "
                f"{'argument' if len(args) == 1 else 'arguments'}",
                must=f"it names arguments by position, from 0 to {len(args) - 1}"
                if args
                else "there must be a positional argument to differentiate by",
            )
    return tuple(i % len(args) for i in wanted)
