"""The full text of every message that a primitive or the eager interpreter can give."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule as torch
from chainrule.core.errors import (
    ArgumentError,
    ChainruleError,
    DTypeError,
    GradError,
    IndexingError,
    ShapeError,
)
from chainrule.core.shapes import BroadcastMismatch
from chainrule.ops import TABLE, Primitive, draw
from chainrule.ops.primitive import CONTRACTION, ELEMENTWISE, Sample
from tests.messages import untested

PACKAGE = Path(torch.__file__).parent


def x(*shape: int) -> Any:
    return torch.ones(shape)


def whole(*values: int) -> Any:
    return torch.tensor(values)


def view_without_gradients() -> Any:
    """A view that gradients cannot follow, of a tensor that was written to since."""
    owner = x(3)
    with torch.no_grad():
        view = owner[:2]
    owner.mul_(x(3).requires_grad_())
    return view


class Message(NamedTuple):
    action: Callable[[], Any]
    kind: type[ChainruleError]
    text: str


MESSAGES = [
    # -- elementwise: broadcasting
    Message(
        lambda: x(2, 3) + x(4),
        ShapeError,
        "x + y got shapes (2, 3) and (4,)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 3 and 4\n"
        "  try: reshape or unsqueeze one of them so that the axes line up",
    ),
    Message(
        lambda: x(3, 4) * x(4, 5),
        ShapeError,
        "x * y got shapes (3, 4) and (4, 5)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 4 and 5, "
        "the 2nd axis from the right has 3 and 4\n"
        "  try: x @ y if you meant the matrix product",
    ),
    Message(
        lambda: torch.where(x(2) > 0, x(3), x(2, 1)),
        ShapeError,
        "where(condition, x, y) got shapes (2,) and (3,) and (2, 1)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 2 and 3 and 1\n"
        "  try: reshape or unsqueeze one of them so that the axes line up",
    ),
    # -- elementwise: types
    Message(
        lambda: -torch.tensor([True, False]),
        DTypeError,
        "-x got bool (2,)\n"
        "  the type must be not bool\n"
        "  try: ~x or x ^ y for the logic of bools, x.long() for numbers",
    ),
    Message(
        lambda: torch.tensor([True]) - True,
        DTypeError,
        "x - y got bool (1,) and the number True\n"
        "  the type must be not bool\n"
        "  try: ~x or x ^ y for the logic of bools, x.long() for numbers",
    ),
    Message(
        lambda: torch.floor(torch.tensor(True)),
        DTypeError,
        "floor(x) got bool ()\n  the type must be not bool\n  try: x.long()",
    ),
    Message(
        lambda: whole(1, 2) & x(2),
        DTypeError,
        "x & y got int64 (2,) and float32 (2,)\n  the type must be integer or bool\n  try: x.long()",
    ),
    Message(
        lambda: x(2) << 1,
        DTypeError,
        "x << y got float32 (2,) and the number 1\n  the type must be integer\n  try: x.long()",
    ),
    Message(
        lambda: torch.logaddexp(whole(1), whole(2)),
        DTypeError,
        "log(exp(x) + exp(y)) got int64 (1,) and int64 (1,)\n"
        "  the type must be floating point\n"
        "  try: x.float()",
    ),
    Message(
        lambda: torch.softmax(whole(1, 2), 0),
        DTypeError,
        "exp(x) / sum(exp(x)) got int64 (2,)\n  the type must be floating point\n  try: x.float()",
    ),
    Message(
        lambda: torch.remainder(x(2), [1.0, 2.0]),
        DTypeError,
        "x % y got list\n  operands must be tensors or Python numbers\n  try: tensor(...) of it first",
    ),
    Message(
        lambda: torch.exp([1.0]),
        ArgumentError,
        "exp got list\n  the input must be a Tensor\n  try: exp(tensor(...))",
    ),
    Message(
        lambda: whole(1, 2) // 0,
        ArgumentError,
        "x // y got a divisor that is 0 in an integer division",
    ),
    Message(
        lambda: view_without_gradients() + 1,
        GradError,
        "x got a view (2,) that was made while gradients were off, but written to since with gradients on, "
        "through the tensor that it is a view of\n"
        "  its values depend on what was written, and gradients cannot follow\n"
        "  try: make the view with gradients on, or clone() it before the write",
    ),
    # -- reductions
    Message(
        lambda: x(2, 0).amax(1),
        IndexingError,
        "a maximum or minimum got an axis of size 0 (shape (2, 0), dim=(1,))\n"
        "  there must be at least one element to choose from",
    ),
    Message(
        lambda: x(0).argmin(),
        IndexingError,
        "a maximum or minimum got an axis of size 0 (shape (0,), dim=(0,))\n"
        "  there must be at least one element to choose from",
    ),
    Message(
        lambda: TABLE["linear_scan"](x(2), x(3), dim=0, reverse=False),
        ShapeError,
        "a linear scan got shapes (2,) and (3,)\n  the shapes must be equal",
    ),
    Message(
        lambda: TABLE["cross_entropy"](x(2, 3), whole(0), ignore=-100),
        ShapeError,
        "cross_entropy got scores (2, 3) and class numbers (1,)\n"
        "  scores must be (n, c) and class numbers (n,)",
    ),
    Message(
        lambda: TABLE["cross_entropy"](x(2, 3), whole(0, 3), ignore=-100),
        IndexingError,
        "cross_entropy got class number 3 for 3 classes\n  class numbers must lie in 0..2",
    ),
    # -- views
    Message(
        lambda: TABLE["reshape"](x(2, 3), shape=(4,)),
        ShapeError,
        "reshape got shape (4,) for a tensor (2, 3)\n  the number of elements must stay",
    ),
    Message(
        lambda: x(2, 3).expand(2, 4),
        ShapeError,
        "expand got a tensor (2, 3) and the shape (2, 4)\n"
        "  read from the right, each axis must have the wanted size or size 1\n"
        "  try: reshape or unsqueeze first, so that the axes line up",
    ),
    Message(
        lambda: x(3)[0:1.5],
        ArgumentError,
        "x[...] got the slice 0:1.5:\n  the ends and the step of a slice must be integers",
    ),
    Message(
        lambda: x(4)[::-1],
        ArgumentError,
        "x[...] got a slice with step -1\n  the step of a slice must be positive\n  try: x.flip(dim)",
    ),
    Message(
        lambda: x(2, 3)[1, 3],
        IndexingError,
        "x[...] got index 3 for axis 1 of a tensor (2, 3)\n  the index must lie in [-3, 2]",
    ),
    Message(
        lambda: x(2, 0)[:, 0],
        IndexingError,
        "x[...] got index 0 for axis 1 of a tensor (2, 0)\n  the axis is empty: it has no element to take",
    ),
    Message(
        lambda: x(2, 3)[0, 0, 0],
        IndexingError,
        "x[...] got 3 indices for a tensor (2, 3)\n  at most 2 axes can be indexed",
    ),
    Message(
        lambda: x(3)[0, 0],
        IndexingError,
        "x[...] got 2 indices for a tensor (3,)\n  at most 1 axis can be indexed",
    ),
    Message(
        lambda: TABLE["overwrite"](x(2, 3), x(2), steps=((TABLE["slice"], {"key": (0,)}),)),
        ShapeError,
        "x[...] = y got y (2,) for a place of shape (3,)\n  the shapes must be equal",
    ),
    # -- elements moved
    Message(
        lambda: torch.cat([x(2, 3), x(2, 4)], 0),
        ShapeError,
        "cat got shapes (2, 3), (2, 4) along dim=0\n"
        "  all axes but dim=0 must be equal; tensor 1 has (2, 4), tensor 0 has (2, 3)\n"
        "  try: reshape them to match first",
    ),
    Message(
        lambda: x(4, 4)[[0, 1], [0, 1, 2]],
        IndexingError,
        "x[...] got index arrays of shapes (2,), (3,)\n  index arrays must broadcast against each other",
    ),
    Message(
        lambda: x(4)[[0, 4]],
        IndexingError,
        "x[...] got index 4 for axis 0 of a tensor (4,)\n  every index must lie in [-4, 3]",
    ),
    Message(
        lambda: x(2, 3)[whole(0, 1), whole(0, -4)],
        IndexingError,
        "x[...] got index -4 for axis 1 of a tensor (2, 3)\n  every index must lie in [-3, 2]",
    ),
    Message(
        lambda: x(0)[[0]],
        IndexingError,
        "x[...] got index 0 for axis 0 of a tensor (0,)\n  the axis is empty: it has no element to take",
    ),
    Message(
        lambda: TABLE["index_put"](x(4), x(3), whole(0, 1), dims=(0,), accumulate=False),
        ShapeError,
        "x[indices] = y got y (3,) for a place of shape (2,)\n  the shapes must be equal",
    ),
    Message(
        lambda: torch.gather(x(2, 3), 1, whole(0, 1)),
        ShapeError,
        "gather(dim=1) got a tensor (2, 3) and an index (2,)\n"
        "  the index needs as many axes as the tensor, and no larger size on any axis but dim=1",
    ),
    Message(
        lambda: torch.gather(x(3), 0, whole(0, -1)),
        IndexingError,
        "gather or scatter along dim=0 got index -1 for a tensor (3,)\n  every index must lie in [0, 2]",
    ),
    Message(
        lambda: torch.gather(x(0), 0, whole(0)),
        IndexingError,
        "gather or scatter along dim=0 got index 0 for a tensor (0,)\n  the axis is empty: it has no places",
    ),
    Message(
        lambda: x(3).scatter(0, whole(0, 1), x(1)),
        ShapeError,
        "scatter(dim=0) got a tensor (3,), an index (2,) and a source (1,)\n"
        "  the index must not be larger than the source on any axis, "
        "nor than the tensor on any axis but dim=0",
    ),
    # -- matrices
    Message(
        lambda: x(2, 3) @ x(4, 5),
        ShapeError,
        "x @ y got shapes (2, 3) and (4, 5)\n"
        "  the last axis of x (3) must equal the second-to-last axis of y (4)",
    ),
    Message(
        lambda: x(2, 3) @ x(4, 3),
        ShapeError,
        "x @ y got shapes (2, 3) and (4, 3)\n"
        "  the last axis of x (3) must equal the second-to-last axis of y (4)\n"
        "  try: x @ y.T",
    ),
    Message(
        lambda: x(2, 3) @ x(2, 4),
        ShapeError,
        "x @ y got shapes (2, 3) and (2, 4)\n"
        "  the last axis of x (3) must equal the second-to-last axis of y (2)\n"
        "  try: x.T @ y",
    ),
    Message(
        lambda: x(2, 3) @ x(4, 2),
        ShapeError,
        "x @ y got shapes (2, 3) and (4, 2)\n"
        "  the last axis of x (3) must equal the second-to-last axis of y (4)\n"
        "  try: y @ x",
    ),
    Message(
        lambda: TABLE["matmul"](x(3), x(3, 2)),
        ShapeError,
        "x @ y got shapes (3,) and (3, 2)\n  both must be matrices, or stacks of matrices",
    ),
    Message(
        lambda: x(2, 2, 3) @ x(4, 3, 2),
        ShapeError,
        "x @ y, in its leading axes, got shapes (2,) and (4,)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 2 and 4\n"
        "  try: reshape or unsqueeze one of them so that the axes line up",
    ),
    Message(
        lambda: torch.tensor([[True]]) @ torch.tensor([[True]]),
        DTypeError,
        "x @ y got bool (1, 1) and bool (1, 1)\n  the type must be not bool\n  try: x.float()",
    ),
    Message(
        lambda: torch.nn.functional.linear(x(2, 3), x(4, 5)),
        ShapeError,
        "x @ weight.T got x (2, 3) and weight (4, 5)\n"
        "  the last axis of x must equal the last axis of the weight (5)",
    ),
    Message(
        lambda: TABLE["linear"](x(2, 3), x(3)),
        ShapeError,
        "x @ weight.T got x (2, 3) and weight (3,)\n  the weight must be a matrix",
    ),
    Message(
        lambda: torch.linalg.inv(x(2, 3)),
        ShapeError,
        "linalg.inv got a tensor (2, 3)\n  its last two axes must be equal: a square matrix, or a stack",
    ),
    Message(
        lambda: torch.linalg.inv(x(2, 2)),
        ArgumentError,
        "inv(x) got (2, 2)\n  singular matrix",
    ),
    Message(
        lambda: torch.linalg.cholesky(-torch.eye(2)),
        ArgumentError,
        "cholesky(x) got (2, 2)\n  matrix is not positive definite",
    ),
    Message(
        lambda: torch.linalg.det(whole(1, 2).reshape(1, 2).expand(2, 2)),
        DTypeError,
        "det(x) got int64 (2, 2)\n  the type must be float32 or float64\n  try: x.float()",
    ),
    Message(
        lambda: torch.linalg.inv(torch.eye(2, dtype=torch.float16)),
        DTypeError,
        "inv(x) got float16 (2, 2)\n  the type must be float32 or float64\n  try: x.float()",
    ),
    Message(
        lambda: TABLE["solve"](x(2, 2), x(3, 1)),
        ShapeError,
        "linalg.solve got shapes (2, 2) and (3, 1)\n"
        "  the matrix must have as many rows as the right-hand side",
    ),
    Message(
        lambda: TABLE["solve"](x(2, 2, 2), x(3, 2, 1)),
        ShapeError,
        "linalg.solve, in its leading axes, got shapes (2,) and (3,)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 2 and 3\n"
        "  try: reshape or unsqueeze one of them so that the axes line up",
    ),
    Message(
        lambda: TABLE["qr"](x(3), complete=False),
        ShapeError,
        "linalg.qr got a tensor (3,)\n  it needs two axes or more: a matrix, or a stack",
    ),
    Message(
        lambda: torch.linalg.lstsq(x(3, 2) / 0, x(3, 1)),
        ArgumentError,
        "linalg.lstsq got shapes (3, 2) and (3, 1) with values that are not finite\n"
        "  infinity and nan have no least squares\n"
        "  try: rows = A.isfinite().all(-1), and A[rows], B[rows]",
    ),
    Message(
        lambda: torch.linalg.lstsq(x(3, 2), x(2, 1)),
        ShapeError,
        "linalg.lstsq got shapes (3, 2) and (2, 1)\n  both must be matrices with the same number of rows, "
        "or stacks of as many of them",
    ),
    # -- draws, which users meet in graphs that they write
    Message(
        lambda: draw.UNIFORM(x(1), x(), shape=(2,), dtype=torch.float32),
        DTypeError,
        "uniform(seed, block) got float32 (1,) and float32 ()\n  the type must be integer\n  try: x.long()",
    ),
    Message(
        lambda: draw.UNIFORM(x(1).long(), x().long(), shape=(2,), dtype=torch.float32),
        ShapeError,
        "a draw got a seed (1,) and a block ()\n  both must be 0-d",
    ),
    Message(
        lambda: draw.NORMAL(x().long(), x().long(), shape=(2,), dtype=torch.int64),
        DTypeError,
        "normal numbers got torch.int64\n  the type must be floating point",
    ),
    Message(
        lambda: draw.INTEGERS(x().long(), x().long(), shape=(2,), low=3, high=3),
        ArgumentError,
        "randint got low 3 and high 3\n  low must be less than high, and both within the range of int64",
    ),
]


def _name(message: Message) -> str:
    return re.sub(r"\W+", "-", message.text.partition("\n")[0])[:60]


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_the_full_text(message: Message) -> None:
    with pytest.raises(message.kind) as caught:
        message.action()
    assert caught.value.summary == message.text
    # and below it the user's line: here, the action
    line = message.action.__code__.co_firstlineno
    where = str(caught.value).removeprefix(message.text)
    assert re.fullmatch(rf"\n  at .*test_messages\.py:{line}", where)


def test_no_message_is_without_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [*sorted((PACKAGE / "ops").glob("*.py")), PACKAGE / "eager.py"]
    assert untested(files, [m.action for m in MESSAGES], monkeypatch) == []


STRICT = [op for op in TABLE.values() if op.strict]
SHAPES = [(), (0,), (1,), (2,), (3,), (2, 2), (2, 3), (3, 2), (1, 4), (2, 3, 4), (2, 0), (3, 2, 2)]


def shapes_to_try(op: Primitive, sample: Sample) -> Iterator[list[np.ndarray[Any, Any]]]:
    """Inputs of all shapes that the sample's settings can be meant for; index arrays as in the sample."""
    given = sample.arrays(np.random.default_rng(0))
    any_rank = op.kind in (ELEMENTWISE, CONTRACTION)
    kind = np.float64 if op.dtype.takes(torch.float64) else np.int64
    choices = [
        [np.ones(s, kind) for s in SHAPES if any_rank or len(s) == a.ndim] if i < len(op.inputs) else [a]
        for i, a in enumerate(given)
    ]
    yield from map(list, itertools.product(*choices))


@pytest.mark.parametrize("op", STRICT, ids=lambda op: op.name)
def test_numpy_refuses_what_the_shape_rule_of_a_strict_op_refuses(op: Primitive) -> None:
    """Such an op asks its shape rule only after NumPy has refused; so NumPy must refuse all of it."""
    refused = taken = 0
    for sample in op.samples:
        for arrays in shapes_to_try(op, sample):
            settings = sample.settings_for(arrays)
            try:
                wanted = op.shape(*[a.shape for a in arrays], **settings)
            except (ChainruleError, BroadcastMismatch):
                with pytest.raises((ShapeError, IndexingError)):
                    op(*map(torch.from_numpy, arrays), **settings)
                refused += 1
                continue
            try:
                assert op(*map(torch.from_numpy, arrays), **settings).shape == wanted
                taken += 1
            except IndexingError:  # the shape is right, but not the indices: that is no question of shapes
                assert op.tail
    assert taken
    assert refused or len(op.inputs) == 1 or op.tail
