"""Functions behind layers against PyTorch, called themselves: shapes and options layers do not reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from chainrule import nn
from tests.torch.nn.both import compare_function

F, TF = nn.functional, torch.nn.functional
RNG = np.random.default_rng(5)


def normal(*shape: int) -> np.ndarray[Any, Any]:
    return np.asarray(RNG.normal(size=shape))


@pytest.mark.parametrize("rows", [(4,), (), (2, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_bilinear(rows: tuple[int, ...], bias: bool) -> None:
    extra = [normal(5)] if bias else []
    compare_function(F.bilinear, TF.bilinear, normal(*rows, 2), normal(*rows, 3), normal(5, 2, 3), *extra)


@pytest.mark.parametrize("indices", [[0, 2, 2, 5], [[1, 1], [0, 3]], 4, []])
@pytest.mark.parametrize("padding", [None, 2, -1])
def test_embedding(indices: Any, padding: int | None) -> None:
    given = np.array(indices, np.int64)
    compare_function(F.embedding, TF.embedding, given, normal(6, 3), padding_idx=padding)


@pytest.mark.parametrize(
    ("shape", "over"), [((4, 3), (3,)), ((3,), (3,)), ((2, 4, 3), (4, 3)), ((0, 3), (3,))]
)
@pytest.mark.parametrize("parameters", [0, 1, 2])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_layer_norm(shape: tuple[int, ...], over: tuple[int, ...], parameters: int, eps: float) -> None:
    extra = [normal(*over) for _ in range(parameters)]

    def ours(x: Any, *affine: Any) -> Any:
        return F.layer_norm(x, over, *affine, eps=eps)

    def theirs(x: Any, *affine: Any) -> Any:
        return TF.layer_norm(x, over, *affine, eps=eps)

    compare_function(ours, theirs, normal(*shape), *extra)


@pytest.mark.parametrize("over", [(4,), (2, 4, 3), ()])
def test_layer_norm_over_other_axes(over: tuple[int, ...]) -> None:
    for side, library in ((F, nn), (TF, torch.nn)):
        x = library.Linear(3, 3).weight
        with pytest.raises(RuntimeError):
            side.layer_norm(x, over)
