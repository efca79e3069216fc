"""Every optimizer in every combination of its options, against PyTorch's, from the same start."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

import chainrule
from chainrule.optim import Optimizer

TOLERANCE = 1e-12  # rounding of 50 float64 steps; values are of order 1


def options(**choices) -> list[dict]:
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


COMMON = {"weight_decay": [0, 0.1], "maximize": [False, True]}
METHODS = {
    "SGD": [
        o
        for o in options(momentum=[0, 0.9], dampening=[0, 0.3], nesterov=[False, True], **COMMON)
        if not (o["nesterov"] and (o["momentum"] == 0 or o["dampening"] != 0))
    ],
    "Adam": options(amsgrad=[False, True], decoupled_weight_decay=[False, True], **COMMON),
    "AdamW": options(amsgrad=[False, True], betas=[(0.9, 0.999), (0.5, 0.75)], **COMMON),
    "RMSprop": options(momentum=[0, 0.9], centered=[False, True], alpha=[0.99, 0.6], **COMMON),
    "Adagrad": options(lr_decay=[0, 0.1], initial_accumulator_value=[0, 0.2], eps=[1e-10, 0.1], **COMMON),
}
CASES = [(name, o) for name, many in METHODS.items() for o in many]


def name_of(case) -> str:
    return case if isinstance(case, str) else "-".join(f"{k}={v}" for k, v in case.items())


def optimizer_of(lib, method: str, opts: dict, dtype: str = "float64"):
    """Three parameters from fixed numbers, in two groups with different rates."""
    rng = np.random.default_rng(0)
    params = [
        lib.tensor(rng.standard_normal(shape).tolist(), dtype=getattr(lib, dtype)).requires_grad_()
        for shape in [(3, 4), (4,), ()]
    ]
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 0.03}]
    return params, getattr(lib.optim, method)(groups, lr=0.01, **opts)


def take_steps(lib, params, optimizer, steps) -> None:
    """Steps with gradients that are the same numbers in both libraries, whatever the parameters are: what is
    compared is the optimizer, not how a loss amplifies the rounding of its functions."""
    for step in steps:
        rng = np.random.default_rng(step)
        for p in params:
            p.grad = lib.tensor(rng.standard_normal(tuple(p.shape)).tolist(), dtype=p.dtype)
        optimizer.step()


def assert_close(ours, theirs, tolerance: float) -> None:
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("method", "opts"), CASES, ids=name_of)
def test_fifty_steps_agree_to_rounding(method, opts):
    ours, our_optimizer = optimizer_of(chainrule, method, opts)
    theirs, their_optimizer = optimizer_of(torch, method, opts)
    take_steps(chainrule, ours, our_optimizer, range(50))
    take_steps(torch, theirs, their_optimizer, range(50))
    for p, q in zip(ours, theirs, strict=True):
        assert_close(p, q, TOLERANCE)

    our_state, their_state = our_optimizer.state_dict(), their_optimizer.state_dict()
    assert our_state["param_groups"] == their_state["param_groups"]
    assert our_state["state"].keys() == their_state["state"].keys()
    for number, values in their_state["state"].items():
        assert list(our_state["state"][number]) == list(values)
        for name, value in values.items():
            assert_close(our_state["state"][number][name], value, TOLERANCE)


@pytest.mark.parametrize("method", METHODS)
def test_float32_agrees_to_its_rounding(method):
    ours, theirs = optimizer_of(chainrule, method, {}, "float32"), optimizer_of(torch, method, {}, "float32")
    take_steps(chainrule, *ours, range(10))
    take_steps(torch, *theirs, range(10))
    for p, q in zip(ours[0], theirs[0], strict=True):
        assert_close(p, q, 1e-6)  # ten roundings of values of order 1


@pytest.mark.parametrize("method", METHODS)
def test_pytorch_goes_on_from_our_state(method):
    whole, optimizer = optimizer_of(torch, method, {})
    take_steps(torch, whole, optimizer, range(6))

    ours, our_optimizer = optimizer_of(chainrule, method, {})
    take_steps(chainrule, ours, our_optimizer, range(3))
    saved = our_optimizer.state_dict()
    saved["state"] = {
        number: {name: torch.from_numpy(v.numpy().copy()) for name, v in values.items()}
        for number, values in saved["state"].items()
    }
    resumed, optimizer = optimizer_of(torch, method, {})
    with torch.no_grad():
        for p, q in zip(resumed, ours, strict=True):
            p.copy_(torch.from_numpy(q.detach().numpy()))
    optimizer.load_state_dict(saved)
    take_steps(torch, resumed, optimizer, range(3, 6))
    for p, q in zip(resumed, whole, strict=True):
        assert_close(p, q, TOLERANCE)


@pytest.mark.parametrize("method", METHODS)
def test_the_text_is_the_same(method):
    assert repr(optimizer_of(chainrule, method, {})[1]) == repr(optimizer_of(torch, method, {})[1])


def refusals(lib):
    def leaf():
        return lib.ones(2).requires_grad_()

    def named():
        return lib.optim.SGD([("a", leaf())], lr=0.1)

    shared, sgd, adam = leaf(), lib.optim.SGD, lib.optim.Adam
    return {
        "no parameters": lambda: sgd([], lr=0.1),
        "a tensor": lambda: sgd(leaf(), lr=0.1),
        "a set": lambda: sgd([{"params": {leaf()}}], lr=0.1),
        "numbers": lambda: sgd([1.0], lr=0.1),
        "computed": lambda: sgd([leaf() * 2], lr=0.1),
        "in two groups": lambda: sgd([{"params": [shared]}, {"params": [shared]}], lr=0.1),
        "names in one group": lambda: named().add_param_group({"params": [leaf()]}),
        "some names": lambda: sgd([("a", leaf()), leaf()], lr=0.1),
        "negative rate": lambda: sgd([leaf()], lr=-0.1),
        "rate of two": lambda: sgd([leaf()], lr=lib.ones(2)),
        "nesterov alone": lambda: sgd([leaf()], lr=0.1, nesterov=True),
        "negative momentum": lambda: sgd([leaf()], lr=0.1, momentum=-1),
        "beta of 1": lambda: adam([leaf()], betas=(0.9, 1.0)),
        "negative eps": lambda: adam([leaf()], eps=-1.0),
        "other groups": lambda: sgd([leaf()], lr=0.1).load_state_dict(
            sgd([{"params": [leaf()]}, {"params": [leaf()]}], lr=0.1).state_dict()
        ),
        "group of another size": lambda: sgd([leaf()], lr=0.1).load_state_dict(
            sgd([leaf(), leaf()], lr=0.1).state_dict()
        ),
    }


@pytest.mark.parametrize("what", refusals(torch))
def test_what_pytorch_refuses_is_refused_with_a_kind_of_the_same_error(what):
    with pytest.raises(Exception) as theirs:  # which error it is, is PyTorch's to say
        refusals(torch)[what]()
    with pytest.raises(theirs.type):
        refusals(chainrule)[what]()


def test_our_optimizers_are_ours():
    assert issubclass(chainrule.optim.SGD, Optimizer)
    assert not issubclass(chainrule.optim.SGD, torch.optim.Optimizer)
