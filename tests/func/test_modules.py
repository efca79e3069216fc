"""Modules as functions of their parameters."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.func import functional_call, grad, jvp, stack_module_state


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(2, 2, bias=False)
        self.two = nn.Linear(2, 2, bias=False)
        self.two.weight = self.one.weight

    def forward(self, x: Any) -> Any:
        return self.two(self.one(x))


def state(model: nn.Module) -> dict[str, Any]:
    return {name: p.detach() for name, p in model.named_parameters()}


def test_other_parameters_take_their_place_for_one_call() -> None:
    model = nn.Linear(2, 1)
    own = model.weight
    out = functional_call(
        model, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, torch.tensor([3.0, 4.0])
    )
    assert out.tolist() == [7]
    assert model.weight is own
    assert functional_call(model, {}, (torch.zeros(2),)).tolist() == model.bias.tolist()
    assert functional_call(model, {"bias": torch.ones(1)}, kwargs={"input": torch.zeros(2)}).tolist() == [1]


def test_gradients_by_parameters() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(5, 3)
    g = grad(lambda p: functional_call(model, p, x).square().mean())(state(model))
    model(x).square().mean().backward()
    for name, p in model.named_parameters():
        assert torch.allclose(g[name], p.grad)
        assert not g[name].requires_grad


def test_buffers_are_written_where_they_were_given() -> None:
    model = nn.BatchNorm1d(2)
    mine = {"running_mean": torch.zeros(2), "running_var": torch.ones(2)}
    functional_call(model, [state(model), mine], torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert mine["running_mean"].tolist() == pytest.approx([0.2, 0.4])
    assert model.running_mean.tolist() == [0, 0]


def test_the_module_has_its_own_tensors_again_after_an_error() -> None:
    model = nn.Linear(2, 1)
    own = model.weight
    with pytest.raises(torch.ShapeError):
        functional_call(model, {"weight": torch.ones(1, 2)}, torch.ones(5))
    assert model.weight is own


def test_tied_weights() -> None:
    model, x = Tied(), torch.tensor([1.0, 0.0])
    twice = 2 * torch.eye(2)
    assert functional_call(model, {"one.weight": twice}, x).tolist() == [4, 0]
    with torch.no_grad():
        model.one.weight.copy_(torch.eye(2))
    assert functional_call(model, {"one.weight": twice}, x, tie_weights=False).tolist() == [2, 0]


def test_forward_mode_by_parameters() -> None:
    model, x = nn.Linear(2, 1), torch.tensor([3.0, 4.0])
    along = {"weight": torch.ones(1, 2), "bias": torch.ones(1)}
    moves = jvp(lambda p: functional_call(model, p, x), (state(model),), (along,))[1]
    assert moves.tolist() == [8]


def test_compiled() -> None:
    model, x = nn.Linear(2, 1), torch.tensor([3.0, 4.0])
    step = torch.compile(lambda p: grad(lambda p: functional_call(model, p, x).sum())(p))
    assert step(state(model))["weight"].tolist() == [[3, 4]]
    assert step(state(model))["weight"].tolist() == [[3, 4]]
    assert step.traces == 1


def test_states_of_several_models() -> None:
    models = [nn.BatchNorm1d(2) for _ in range(3)]
    parameters, buffers = stack_module_state(models)
    assert {name: tuple(p.shape) for name, p in parameters.items()} == {"weight": (3, 2), "bias": (3, 2)}
    assert all(p.is_leaf and p.requires_grad for p in parameters.values())
    assert tuple(buffers["num_batches_tracked"].shape) == (3,)
    assert not buffers["running_mean"].requires_grad


REFUSALS = [
    (
        lambda: functional_call(nn.Linear(2, 1), {"wieght": torch.ones(1, 2)}, torch.ones(2)),
        "functional_call got 'wieght' (did you mean 'weight'?)\n"
        "  the module has the parameters and buffers 'weight', 'bias'",
    ),
    (
        lambda: functional_call(nn.Linear(2, 1), [{"bias": torch.ones(1)}] * 2, torch.ones(2)),
        "functional_call got 'bias' in two dicts\n  each tensor is given once",
    ),
    (
        lambda: functional_call(nn.Linear(2, 1), {"bias": 1.0}, torch.ones(2)),
        "functional_call got float for 'bias'\n  it must be a tensor",
    ),
    (
        lambda: functional_call(nn.Linear(2, 1), {"bias": torch.ones(1)}, torch.ones(2), strict=True),
        "functional_call got strict=True, and nothing for 'weight'\n"
        "  with strict every parameter and buffer is given",
    ),
    (
        lambda: stack_module_state([]),
        "stack_module_state got no models\n  there must be at least one model, and all of one kind",
    ),
    (
        lambda: stack_module_state([nn.ReLU(), nn.Linear(1, 1)]),
        "stack_module_state got models of the kinds Linear, ReLU\n"
        "  there must be at least one model, and all of one kind",
    ),
    (
        lambda: stack_module_state([nn.Linear(1, 1), nn.Linear(2, 1)]),
        "stack_module_state got models with {'weight': (1, 1), 'bias': (1,)} and "
        "{'weight': (1, 2), 'bias': (1,)}\n"
        "  all models must have the same parameters, of the same shapes",
    ),
]


@pytest.mark.parametrize(("action", "text"), REFUSALS)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(torch.ChainruleError) as err:
        action()
    assert err.value.summary == text
