"""The same values given to chainrule and to PyTorch, and a comparison of all that comes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import chainrule
from chainrule import nn
from tests.tolerances import value_tolerance

# Here both sides round, through some ten operations and sums of hundreds of terms in another order; the table
# is for one operation against an exact value.
OPERATIONS = 20


def agree(ours: Any, theirs: Any, what: str = "result") -> None:
    """Same shape, element type and, within the tolerance, values."""
    assert tuple(ours.shape) == tuple(theirs.shape), f"{what}: shape"
    assert str(ours.dtype) == str(theirs.dtype), f"{what}: dtype"
    left, right = ours.detach().numpy(), theirs.detach().numpy()
    rtol, atol = value_tolerance(right.dtype)
    np.testing.assert_allclose(left, right, rtol=OPERATIONS * rtol, atol=OPERATIONS * atol, err_msg=what)


def tensors(value: Any, grad: bool = False) -> tuple[Any, Any]:
    """The value as a tensor on both sides; other than arrays it is passed as it is."""
    if not isinstance(value, np.ndarray):
        return value, value
    mine, theirs = chainrule.tensor(value), torch.tensor(value)
    if grad and value.dtype.kind == "f":
        mine.requires_grad_(True)
        theirs.requires_grad_(True)
    return mine, theirs


def compare_function(
    ours: Any, theirs: Any, *arrays: Any, fixed: tuple[int, ...] = (), **settings: Any
) -> None:
    """Outputs and the gradients of all floating-point inputs (but the `fixed` ones) agree."""
    pairs = [tensors(a, grad=i not in fixed) for i, a in enumerate(arrays)]
    both = {k: tensors(v) for k, v in settings.items()}
    mine = ours(*(p[0] for p in pairs), **{k: v[0] for k, v in both.items()})
    its = theirs(*(p[1] for p in pairs), **{k: v[1] for k, v in both.items()})
    agree(mine, its)
    if not its.requires_grad:
        assert not mine.requires_grad
        return
    weights = np.random.default_rng(7).normal(size=tuple(its.shape)).astype(its.detach().numpy().dtype)
    mine.backward(chainrule.tensor(weights))
    its.backward(torch.tensor(weights))
    for i, (a, b) in enumerate(pairs):
        if isinstance(b, torch.Tensor) and b.requires_grad:
            assert a.grad is not None, f"no gradient for input {i}"
            agree(a.grad, b.grad, f"gradient of input {i}")


def twins(name: str, *args: Any, seed: int = 0, **settings: Any) -> tuple[nn.Module, torch.nn.Module]:
    """A layer of each side with the same random values in parameters and float buffers, and the same repr."""
    args, settings = tuple(tensors(a) for a in args), {k: tensors(v) for k, v in settings.items()}
    mine = getattr(nn, name)(*(a[0] for a in args), **{k: v[0] for k, v in settings.items()})
    its = getattr(torch.nn, name)(*(a[1] for a in args), **{k: v[1] for k, v in settings.items()})
    assert repr(mine) == repr(its)
    copy_state(mine, its, seed)
    return mine, its


def copy_state(mine: nn.Module, its: torch.nn.Module, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    state = its.state_dict()
    assert list(mine.state_dict()) == list(state)
    new = {}
    for key, value in state.items():
        assert tuple(mine.state_dict()[key].shape) == tuple(value.shape), key
        assert str(mine.state_dict()[key].dtype) == str(value.dtype), key
        array = (
            rng.uniform(0.5, 1.5, size=tuple(value.shape))
            if "var" in key
            else rng.normal(size=tuple(value.shape))
        )
        new[key] = (
            np.asarray(array).astype(value.numpy().dtype) if value.is_floating_point() else value.numpy()
        )
    mine.load_state_dict({k: chainrule.tensor(v) for k, v in new.items()})
    its.load_state_dict({k: torch.tensor(v) for k, v in new.items()})


def compare_layer(mine: nn.Module, its: torch.nn.Module, *arrays: Any, fixed: tuple[int, ...] = ()) -> None:
    """Outputs, gradients of inputs and parameters, and buffers afterwards agree."""
    compare_function(mine, its, *arrays, fixed=fixed)
    theirs = dict(its.named_parameters())
    assert [name for name, _ in mine.named_parameters()] == list(theirs)
    for name, param in mine.named_parameters():
        if theirs[name].grad is not None:
            assert param.grad is not None, name
            agree(param.grad, theirs[name].grad, f"gradient of {name}")
    for (name, buffer), other in zip(mine.named_buffers(), its.buffers(), strict=True):
        agree(buffer, other, f"buffer {name}")
