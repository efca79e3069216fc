"""Shapes: broadcasting against NumPy's, axes, sizes, reshapes, and the full text of the messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as torch
from chainrule.core import shapes
from chainrule.core.errors import ArgumentError, ChainruleError, IndexingError, ShapeError
from chainrule.core.shapes import BroadcastMismatch, Size, axis_index, axis_indices, infer_reshape
from tests.messages import untested

SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)


@given(st.lists(SHAPES, min_size=1, max_size=3))
def test_broadcasting_is_numpys(given_shapes: list[tuple[int, ...]]) -> None:
    try:
        wanted = np.broadcast_shapes(*given_shapes)
    except ValueError:
        with pytest.raises(BroadcastMismatch):
            shapes.broadcast_shapes(*given_shapes)
    else:
        assert shapes.broadcast_shapes(*given_shapes) == wanted


def mismatch(*given_shapes: tuple[int, ...]) -> str:
    with pytest.raises(BroadcastMismatch) as caught:
        shapes.broadcast_shapes(*given_shapes)
    return caught.value.to_error("x + y").summary


HEAD = "read from the right, sizes must be equal or 1;"
GENERIC = "reshape or unsqueeze one of them so that the axes line up"


@pytest.mark.parametrize(
    ("given_shapes", "axes", "hint"),
    [
        (((2, 3), (2, 4)), "the last axis has 3 and 4", GENERIC),
        (((2, 5), (3, 5)), "the 2nd axis from the right has 2 and 3", GENERIC),
        (((2, 5, 5), (3, 5, 5)), "the 3rd axis from the right has 2 and 3", GENERIC),
        (((2, 1, 1, 1), (3, 1, 1, 1)), "the 4th axis from the right has 2 and 3", GENERIC),
        (((2,) + (1,) * 10, (3,) + (1,) * 10), "the 11th axis from the right has 2 and 3", GENERIC),
        (
            ((2, 3, 4), (5, 3, 6)),
            "the last axis has 4 and 6, the 3rd axis from the right has 2 and 5",
            GENERIC,
        ),
        (((2, 3), (4,)), "the last axis has 3 and 4", GENERIC),
        (((2, 1), (3, 3), (4, 3)), "the 2nd axis from the right has 2 and 3 and 4", GENERIC),
        (((2, 0), (2, 3)), "the last axis has 0 and 3", GENERIC),
        (((3, 4), (4, 5)), "the last axis has 4 and 5, the 2nd axis from the right has 3 and 4",
         "x @ y if you meant the matrix product"),
        (((2,), (2, 3)), "the last axis has 2 and 3", "x.reshape(2, 1) to line it up with the first axis"),
        (((2, 3, 4), (2,)), "the last axis has 4 and 2",
         "y.reshape(2, 1, 1) to line it up with the first axis"),
        (((2, 6), (4, 3)), "the last axis has 6 and 3, the 2nd axis from the right has 2 and 4",
         "y.reshape(2, 6), if the elements are meant to pair up in order"),
    ],
)  # fmt: skip
def test_the_text_of_a_mismatch(given_shapes: Any, axes: str, hint: str) -> None:
    listed = " and ".join(map(str, given_shapes))
    assert mismatch(*given_shapes) == f"x + y got shapes {listed}\n  {HEAD} {axes}\n  try: {hint}"


@pytest.mark.parametrize(("x", "y"), [((3, 4), (4, 5)), ((2,), (2, 3)), ((2, 3, 4), (2,)), ((2, 6), (4, 3))])
def test_what_the_hints_of_a_mismatch_suggest_works(x: Any, y: Any) -> None:
    suggestion = mismatch(x, y).partition("try: ")[2].partition(" ")[0].rstrip(",")
    line = mismatch(x, y).partition("try: ")[2]
    operands = {"x": torch.ones(x), "y": torch.ones(y)}
    if line.startswith("x @ y"):
        assert (operands["x"] @ operands["y"]).shape == (x[0], y[1])
        return
    name = suggestion[0]
    sizes = line[line.index("(") + 1 : line.index(")")]
    operands[name] = operands[name].reshape([int(n) for n in sizes.split(", ")])
    assert (operands["x"] + operands["y"]).dim() == max(len(x), len(y))


@given(st.integers(0, 5), st.integers(-8, 8))
def test_axes_count_from_both_ends(rank: int, dim: int) -> None:
    span = max(rank, 1)  # a 0-d tensor has one virtual axis
    if -span <= dim < span:
        assert axis_index(dim, rank, "f") == range(span)[dim]
    else:
        with pytest.raises(IndexingError):
            axis_index(dim, rank, "f")


def test_several_axes() -> None:
    assert axis_indices(None, 3, "f") == (0, 1, 2)
    assert axis_indices((), 3, "f") == (0, 1, 2)
    assert axis_indices((2, 0), 3, "f") == (0, 2)
    assert axis_indices([-1], 3, "f") == (2,)
    assert axis_indices(-2, 3, "f") == (1,)
    assert axis_indices(np.int64(1), 3, "f") == (1,)
    assert axis_indices(-1, 0, "f") == ()
    assert axis_indices((0,), 0, "f") == ()


def test_sizes_in_any_form() -> None:
    for form in [(2, 3), ((2, 3),), ([2, 3],), (Size((2, 3)),), (np.array([2, 3]),), (np.int64(2), 3)]:
        assert shapes.sizes_from_args(form, "f") == (2, 3)
    assert shapes.sizes_from_args(((),), "f") == ()
    assert shapes.sizes_from_args((4,), "f") == (4,)


@given(SHAPES, st.data())
def test_reshape_is_numpys(shape: tuple[int, ...], data: Any) -> None:
    x = np.zeros(shape)
    wanted = data.draw(st.lists(st.integers(-1, 6), max_size=3).map(tuple))
    try:
        result = x.reshape(wanted).shape
    except ValueError:
        with pytest.raises(ShapeError):
            infer_reshape(shape, wanted, "reshape")
    else:
        assert infer_reshape(shape, wanted, "reshape") == result


def test_a_size_prints_and_adds_as_a_shape() -> None:
    size = torch.ones(2, 3, 4).shape
    assert isinstance(size, Size)
    assert repr(size) == "torch.Size([2, 3, 4])"
    assert repr(Size(())) == "torch.Size([])"
    assert size == (2, 3, 4)
    assert size.numel() == 24
    assert Size(()).numel() == 1
    assert size[1] == 3
    assert repr(size[1:]) == "torch.Size([3, 4])"
    assert repr(size + (5,)) == "torch.Size([2, 3, 4, 5])"
    assert hash(size) == hash((2, 3, 4))


MESSAGES: list[tuple[Callable[[], Any], type[ChainruleError], str]] = [
    (
        lambda: torch.ones(2).sum(1.5),
        ArgumentError,
        "sum got dim=1.5\n  dim must be an integer\n  try: dim=0",
    ),
    (
        lambda: torch.ones(2).sum(1),
        IndexingError,
        "sum got dim=1 for a tensor with 1 axis\n  dim must lie in [-1, 0]\n  try: dim=0",
    ),
    (
        lambda: torch.ones(2, 3).sum(-3),
        IndexingError,
        "sum got dim=-3 for a tensor with 2 axes\n  dim must lie in [-2, 1]\n  try: dim=-2",
    ),
    (
        lambda: torch.tensor(1.0).sum(1),
        IndexingError,
        "sum got dim=1 for a tensor with 0 axes\n  dim must lie in [-1, 0]\n  try: dim=0",
    ),
    (
        lambda: torch.ones(2, 3).sum((1, -1)),
        ArgumentError,
        "sum got dim=(1, -1)\n  each axis may appear once\n  try: dim=(1,)",
    ),
    (
        lambda: torch.tensor(1.0).split(1),
        IndexingError,
        "split got dim=0 for a 0-d tensor\n  it needs at least one axis\n  try: x.reshape(1)",
    ),
    (
        lambda: torch.tensor(1.0).roll(1, 0),
        IndexingError,
        "roll got dim=0 for a 0-d tensor\n  it needs at least one axis\n  try: x.reshape(1)",
    ),
    (
        lambda: torch.ones(2).reshape(1.5),
        ArgumentError,
        "reshape got (1.5,)\n  sizes must be integers\n  try: reshape(2, 3) or reshape((2, 3))",
    ),
    (
        lambda: torch.zeros(2, -1),
        ShapeError,
        "creating a tensor got shape (2, -1)\n  no size may be negative",
    ),
    (
        lambda: torch.ones(6).reshape(-1, -1),
        ShapeError,
        "reshape got shape (-1, -1)\n  only one size may be -1 (found from the others)",
    ),
    (
        lambda: torch.ones(6).reshape(-2, 3),
        ShapeError,
        "reshape got shape (-2, 3)\n  no size may be negative, except one -1",
    ),
    (
        lambda: torch.ones(6).reshape(-1, 4),
        ShapeError,
        "reshape got shape (-1, 4) for a tensor (6,) of 6 elements\n"
        "  6 must be divisible by the product of the other sizes, 4",
    ),
    (
        lambda: torch.ones(0).reshape(-1, 0),
        ShapeError,
        "reshape got shape (-1, 0) for a tensor (0,) of 0 elements\n"
        "  -1 cannot be found when another size is 0",
    ),
    (
        lambda: torch.ones(2, 3).reshape(4, 2),
        ShapeError,
        "reshape got shape (4, 2) for a tensor (2, 3)\n"
        "  the number of elements must stay 6; (4, 2) has 8\n"
        "  try: -1 for one of the sizes, to have it computed",
    ),
    (lambda: torch.ones(2) + torch.ones(3), ShapeError, mismatch((2,), (3,))),
]


@pytest.mark.parametrize(
    ("action", "kind", "text"), MESSAGES, ids=[m[2].partition("\n")[0] for m in MESSAGES]
)
def test_messages(action: Callable[[], Any], kind: type[ChainruleError], text: str) -> None:
    with pytest.raises(kind) as caught:
        action()
    assert caught.value.summary == text


def test_no_message_is_without_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    assert untested([Path(shapes.__file__)], [m[0] for m in MESSAGES], monkeypatch) == []
