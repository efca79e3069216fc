"""Compiled programs and the number of threads, beside PyTorch: the same code, the same weights at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import chainrule


def trained(T: Any, compile_: Any, optimizer: str, **options: Any) -> tuple[list[Any], list[float]]:
    """Weights and losses of ten compiled steps; both sides start from the same numbers."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s).astype(np.float32) for s in ((32, 5), (16, 5), (16,), (3, 16), (3,))]
    x = T.from_numpy(arrays[0])
    w1, b1, w2, b2 = (T.from_numpy(a * 0.3).requires_grad_() for a in arrays[1:])
    y = T.from_numpy(rng.integers(0, 3, 32))
    opt = getattr(T.optim, optimizer)([w1, b1, w2, b2], **options)

    def step() -> Any:
        opt.zero_grad()
        hidden = T.tanh(T.nn.functional.linear(x, w1, b1))
        loss = T.nn.functional.cross_entropy(T.nn.functional.linear(hidden, w2, b2), y)
        loss.backward()
        opt.step()
        return loss.detach()

    step = compile_(step)
    losses = [step().item() for _ in range(10)]
    return [w.detach().numpy() for w in (w1, b1, w2, b2)], losses


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ("Adam", {"lr": 0.01}),
        ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
        ("RMSprop", {"lr": 0.01, "momentum": 0.5}),
        ("Adagrad", {"lr": 0.1}),
    ],
)
def test_ten_compiled_steps_end_at_pytorch_s_weights(optimizer: str, options: dict[str, Any]) -> None:
    ours, our_losses = trained(chainrule, chainrule.compile, optimizer, **options)
    theirs, their_losses = trained(torch, lambda f: f, optimizer, **options)
    np.testing.assert_allclose(our_losses, their_losses, rtol=2e-5)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_compile_takes_functions_as_pytorch_s_does() -> None:
    x = np.linspace(-1, 1, 7, dtype=np.float32)
    results = []
    for T, options in ((chainrule, {}), (torch, {"backend": "eager"})):
        plain = T.compile(lambda t, T=T: T.sin(t) * 2, **options)
        decorated = T.compile(**options)(lambda t, T=T: T.sin(t) * 2)
        results.append([f(T.from_numpy(x)).numpy() for f in (plain, decorated)])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


def test_threads_are_counted_as_pytorch_counts_them() -> None:
    for T in (chainrule, torch):
        before = T.get_num_threads()
        try:
            T.set_num_threads(3)
            assert T.get_num_threads() == 3
        finally:
            T.set_num_threads(before)
        with pytest.raises(RuntimeError):
            T.set_num_threads(0)
