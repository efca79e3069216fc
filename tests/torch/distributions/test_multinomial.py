"""The multinomial distribution beside PyTorch's: moments, log-probabilities and their gradients, shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import chainrule


@pytest.mark.parametrize("by", ["probs", "logits"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 3)])
def test_agrees_with_pytorch(by: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 1.0, shape)
    value = rng.multinomial(9, [0.2, 0.3, 0.5], shape[:-1]).astype(float)
    results = []
    for side in (chainrule, torch):
        parameter = side.tensor(x, requires_grad=True)
        d = side.distributions.Multinomial(9, **{by: parameter})
        log_prob = d.log_prob(side.tensor(value))
        log_prob.sum().backward()
        sample = d.sample((4,))
        values = [t.detach().numpy() for t in (d.mean, d.variance, log_prob, parameter.grad)]
        results.append(
            (values, tuple(d.batch_shape), tuple(d.event_shape), tuple(sample.shape), str(sample.dtype))
        )
    (ours, *our_facts), (theirs, *their_facts) = results
    assert our_facts == their_facts
    for a, b in zip(ours, theirs, strict=True):
        assert_allclose(a, b, rtol=1e-10)
