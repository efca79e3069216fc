"""The doctor gives everything back exactly: values, gradients, statistics, modes, streams, hooks,
optimizer."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import eager, nn
from chainrule.nn import functional as F
from chainrule.ops.primitive import levels

from .patients import classes


class Patient(nn.Module):
    """Something of everything that a pass changes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(20, 32), nn.BatchNorm1d(32), nn.ReLU(inplace=True), nn.Dropout(0.5)
        )
        self.frozen = nn.BatchNorm1d(32).eval()
        self.head = nn.Linear(32, 5)
        self.calls = 0
        self.last: Any = None
        self.noise = cr.Generator().manual_seed(3)
        self.register_buffer("total", cr.zeros(32))

    def forward(self, x: cr.Tensor) -> cr.Tensor:
        self.calls += 1
        h = self.frozen(self.body(x)) + random.random() * 1e-3 + float(np.random.rand()) * 1e-3
        h = h + 1e-3 * cr.randn(32, generator=self.noise)
        self.total += h.detach().mean(0)
        self.extra = h
        self.last = h
        return self.head(h)


def everything(model: Patient, optimizer: Any) -> dict[str, Any]:
    """All that can be seen of a model, its optimizer and the streams, as plain values."""
    found: dict[str, Any] = {f"value {name}": x.tolist() for name, x in model.state_dict().items()}
    for name, p in model.named_parameters():
        found[f"memory {name}"] = p.data_ptr()
        found[f"version {name}"] = p._version
        found[f"grad {name}"] = None if p.grad is None else (id(p.grad), p.grad.tolist())
    found |= {f"buffer version {name}": b._version for name, b in model.named_buffers()}
    found |= {f"mode {path}": module.training for path, module in model.named_modules()}
    found |= {f"attributes {path}": sorted(vars(module)) for path, module in model.named_modules()}
    found["calls"], found["last"] = model.calls, model.last
    found["streams"] = (cr.get_rng_state().tolist(), model.noise.get_state().tolist(), random.getstate())
    found["numpy"] = repr(np.random.get_state())
    found["options"] = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    found["state"] = {
        name: {key: v.tolist() if isinstance(v, cr.Tensor) else v for key, v in optimizer.state[p].items()}
        for name, p in model.named_parameters()
        if p in optimizer.state
    }
    found["stepped"] = optimizer._has_stepped
    return found


def patient() -> tuple[Patient, tuple[cr.Tensor, cr.Tensor], Any]:
    batch = classes(0)
    model = Patient()
    return model, batch, cr.optim.Adam(model.parameters(), lr=1e-3)


@pytest.mark.parametrize("steps", [0, 2])
def test_everything_is_given_back(steps: int) -> None:
    model, (x, y), optimizer = patient()
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.head.weight.grad = cr.ones_like(model.head.weight)
    before, batch = everything(model, optimizer), (x.tolist(), y.tolist())
    last, state = model.last, optimizer.state
    report = cr.doctor(model, (x, y), nn.CrossEntropyLoss(), optimizer)
    assert len(report.trial.losses) == 11
    assert everything(model, optimizer) == before
    assert (x.tolist(), y.tolist()) == batch
    assert model.last is last
    assert optimizer.state is state


def test_training_goes_on_as_if_nothing_had_been() -> None:
    losses = []
    for look in (False, True):
        model, (x, y), optimizer = patient()
        random.seed(0)
        np.random.seed(0)
        cr.manual_seed(1)
        for step in range(4):
            if look and step in (0, 2):
                cr.doctor(model, (x, y), nn.CrossEntropyLoss(), optimizer)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[:4] == losses[4:]


def test_everything_is_given_back_after_an_error() -> None:
    model, (x, y), optimizer = patient()
    before = everything(model, optimizer)
    seen = []

    def loss(output: cr.Tensor, y: cr.Tensor) -> cr.Tensor:
        seen.append(output)
        if len(seen) > 8:  # in the middle of the trial steps
            raise RuntimeError("no more")
        return F.cross_entropy(output, y)

    with pytest.raises(RuntimeError, match="no more"):
        cr.doctor(model, (x, y), loss, optimizer, hessian=False)
    assert everything(model, optimizer) == before


def test_a_loss_recorded_before_can_still_go_backward() -> None:
    model, (x, y), optimizer = patient()
    model.body[2] = nn.ReLU()
    waiting = F.cross_entropy(model(x), y)
    cr.doctor(model, (x, y), nn.CrossEntropyLoss(), optimizer)
    waiting.backward()
    assert model.body[0].weight.grad is not None


def test_hooks_of_the_user_are_kept_and_ours_are_gone() -> None:
    model, (x, y), _ = patient()
    calls = []
    model.head.register_forward_hook(lambda module, args, output: calls.append(output.shape))
    cr.doctor(model, (x, y), nn.CrossEntropyLoss(), hessian=False)
    assert len(calls) > 0
    calls.clear()
    model(x)
    assert len(calls) == 1
    assert all(module._hooks is None for module in model.modules() if module is not model.head)


def test_a_compiled_model_needs_no_new_program() -> None:
    batch = classes(0)
    model = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 5))
    optimizer = cr.optim.SGD(model.parameters(), lr=0.1)

    @cr.compile
    def step(x: cr.Tensor, y: cr.Tensor) -> cr.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    twin = copy.deepcopy(model)
    step(*batch)
    traces = step.traces
    cr.doctor(model, batch, nn.CrossEntropyLoss(), optimizer)
    step(*batch)
    assert step.traces == traces
    other = cr.optim.SGD(twin.parameters(), lr=0.1)
    for _ in range(2):
        other.zero_grad()
        F.cross_entropy(twin(batch[0]), batch[1]).backward()
        other.step()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.detach(), q.detach(), rtol=1e-5, atol=1e-7)


def test_nothing_is_watched_afterwards() -> None:
    model, batch, optimizer = patient()
    cr.doctor(model, batch, nn.CrossEntropyLoss(), optimizer)
    assert (eager.special, levels.stack) == (0, ())
    assert not cr.is_anomaly_enabled()
    with cr.no_grad():
        cr.doctor(model, batch, nn.CrossEntropyLoss(), optimizer, hessian=False)
        assert not cr.is_grad_enabled()
