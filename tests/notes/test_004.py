"""Course notes, document 004: norms, linear regression from scratch, softmax regression, cross-entropy.

The code stands as in the notes, with `import chainrule as torch` for `import torch`; what the notes print is
asserted to be what we print. Where the notes slip, the comment says how, and the test asserts what is right.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose

import chainrule as torch

# Norms ------------------------------------------------------------------------------------------------------


def test_norms() -> None:
    u = torch.tensor([3.0, -4.0])
    assert repr(torch.norm(u)) == "tensor(5.)"
    assert repr(torch.norm(u, 1)) == "tensor(7.)"
    x = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    for p in (1, 2, 3, 2.5):
        assert_allclose(torch.norm(x, p), sum(abs(v) ** p for v in x.tolist()) ** (1 / p))


def test_norms_are_distances() -> None:
    # Not negative, zero for zero alone, scaling, and the triangle inequality.
    x, y = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([-0.5, 0.3, 1.0])
    for p in (1, 2, 3, math.inf):
        assert torch.norm(torch.zeros(3), p) == 0 < torch.norm(x, p)
        assert_allclose(torch.norm(-2 * x, p), 2 * torch.norm(x, p), rtol=1e-6)
        assert torch.norm(x + y, p) <= torch.norm(x, p) + torch.norm(y, p)


def test_frobenius_norm_runs_over_rows_and_columns() -> None:
    # Slip: X is n × d, and the sums run to m and n; they run over the n rows and the d columns.
    X = torch.tensor([[1.0, 2.0, -2.0], [4.0, 0.0, 0.0]])
    n, d = X.shape
    total = sum(X[i, j].item() ** 2 for i in range(n) for j in range(d))
    assert torch.norm(X).item() == math.sqrt(total) == 5.0


# Linear regression ------------------------------------------------------------------------------------------


def test_model_for_one_sample_and_for_all() -> None:
    X, w, b = torch.arange(6.0).reshape(3, 2), torch.tensor([0.5, -1.0]), 2.0
    y_hat = X @ w + b
    assert y_hat.shape == (3,)
    assert torch.equal(y_hat, torch.stack([torch.dot(w, x) + b for x in X]))


def normal(x: np.ndarray | float, mu: float, sigma: float) -> np.ndarray:
    # Slip: in the notes the body is not indented, which is a SyntaxError.
    p = 1 / math.sqrt(2 * math.pi * sigma**2)
    return p * np.exp(-0.5 / sigma**2 * (x - mu) ** 2)


def test_the_function_of_the_notes_needs_its_indentation() -> None:
    with pytest.raises(SyntaxError):
        compile("def normal(x, mu, sigma):\np = 1\nreturn p\n", "notes", "exec")
    with pytest.raises(SyntaxError):
        compile('def sgd(params, lr):\n"""text"""\n    for param in params:\n        pass\n', "notes", "exec")


def test_normal_density() -> None:
    x = np.arange(-7, 7, 0.01)
    for mu, sigma in ((0, 1), (0, 2), (3, 1)):
        density = normal(x, mu, sigma)
        assert_allclose(x[density.argmax()], mu, atol=1e-9)
        assert_allclose(density.max(), 1 / math.sqrt(2 * math.pi * sigma**2))
    # The area is 1, and the tensor formula gives the same numbers.
    assert_allclose(normal(x, 0, 1).sum() * 0.01, 1.0, rtol=1e-9)
    t = torch.from_numpy(x)
    assert_allclose(1 / math.sqrt(2 * math.pi) * torch.exp(-0.5 * t**2), normal(x, 0, 1))


def test_normal_draws_have_the_normal_density() -> None:
    torch.manual_seed(0)
    draws = torch.normal(3, 2, (200_000,))
    counts, edges = np.histogram(draws.numpy(), bins=np.arange(-3, 9.5, 0.5))
    expected = normal((edges[1:] + edges[:-1]) / 2, 3, 2) * 0.5 * 200_000
    assert_allclose(counts, expected, atol=6 * math.sqrt(expected.max()))


def test_negative_log_likelihood() -> None:
    # −log P(y | X) = Σ ½ log(2πσ²) + (y − wᵀx − b)² / (2σ²), with both terms under the sum (the notes leave
    # out that bracket, and the index of the samples).
    torch.manual_seed(0)
    X, w, b, sigma = torch.randn(8, 2).double(), torch.tensor([2.0, -3.4]).double(), 4.2, 0.7
    y = X @ w + b + sigma * torch.randn(8).double()
    residual = y - X @ w - b
    P = math.prod(normal(r, 0, sigma) for r in residual.tolist())
    terms = 0.5 * math.log(2 * math.pi * sigma**2) + residual**2 / (2 * sigma**2)
    assert_allclose(terms.sum(), -math.log(P))
    # Least squares has its minimum at the same place: the losses differ by a constant and a factor.
    assert_allclose(
        terms.sum() - 8 * 0.5 * math.log(2 * math.pi * sigma**2), (residual**2).sum() / (2 * sigma**2)
    )


def squared_loss(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Squared loss."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def test_squared_loss_has_the_residual_as_derivative() -> None:
    y_hat = torch.tensor([[1.0], [2.0], [4.0]], requires_grad=True)
    y = torch.tensor([1.5, 2.0, 1.0])
    loss = squared_loss(y_hat, y)
    assert repr(loss.detach()) == "tensor([[0.1250],\n        [0.0000],\n        [4.5000]])"
    loss.sum().backward()
    assert torch.equal(y_hat.grad, y_hat.detach() - y.reshape(3, 1))


def sgd(params: list[torch.Tensor], lr: float, batch_size: int) -> None:
    """Mini-batch stochastic gradient descent."""
    # Slip: in the notes this docstring stands at the margin, which is an IndentationError.
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def test_one_step_of_sgd() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    before = id(w)
    (3 * w).sum().backward()
    sgd([w], lr=0.1, batch_size=2)
    assert id(w) == before
    assert w.requires_grad
    assert_allclose(w.detach(), [0.85, 1.85], rtol=1e-6)
    assert w.grad.tolist() == [0.0, 0.0]


def test_linear_regression_from_scratch_finds_the_true_parameters() -> None:
    # The pieces of the notes together, as in the book: 1,000 samples, batches of 10, 3 epochs.
    def synthetic_data(w: torch.Tensor, b: float, num_examples: int) -> tuple[torch.Tensor, torch.Tensor]:
        X = torch.normal(0, 1, (num_examples, len(w)))
        y = torch.matmul(X, w) + b
        y += torch.normal(0, 0.01, y.shape)
        return X, y.reshape((-1, 1))

    def data_iter(
        batch_size: int, features: torch.Tensor, labels: torch.Tensor
    ) -> Iterator[tuple[torch.Tensor, ...]]:
        num_examples = len(features)
        indices = list(range(num_examples))
        shuffle.shuffle(indices)
        for i in range(0, num_examples, batch_size):
            batch_indices = torch.tensor(indices[i : min(i + batch_size, num_examples)])
            yield features[batch_indices], labels[batch_indices]

    def linreg(X: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.matmul(X, w) + b

    torch.manual_seed(0)
    shuffle = random.Random(0)
    true_w, true_b = torch.tensor([2, -3.4]), 4.2
    features, labels = synthetic_data(true_w, true_b, 1000)
    w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    lr, batch_size, losses = 0.03, 10, []
    for _ in range(3):
        for X, y in data_iter(batch_size, features, labels):
            squared_loss(linreg(X, w, b), y).sum().backward()
            sgd([w, b], lr, batch_size)
        with torch.no_grad():
            losses.append(float(squared_loss(linreg(features, w, b), labels).mean()))
    assert losses[0] > losses[1] > losses[2]
    # The noise has standard deviation 0.01, so the best possible loss is 0.00005.
    assert 4e-5 < losses[2] < 1e-4
    assert_allclose(w.detach().reshape(2), true_w, atol=0.005)
    assert_allclose(b.detach(), [true_b], atol=0.005)


# Softmax regression -----------------------------------------------------------------------------------------


def test_softmax_is_not_negative_adds_up_to_one_and_has_a_gradient() -> None:
    o = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    y_hat = torch.softmax(o, dim=0)
    assert bool((y_hat > 0).all())
    assert_allclose(y_hat.sum().detach(), 1.0)
    y_hat[0].backward()
    s = y_hat.detach()
    assert_allclose(o.grad, s[0] * (torch.tensor([1.0, 0.0, 0.0]) - s))


def test_shapes_of_softmax_regression() -> None:
    # Slip: W is n × d in the notes. O = XW + b has n rows and q columns, so W is d × q.
    n, d, q = 5, 4, 3
    X, W, b = torch.ones(n, d), torch.ones(d, q), torch.zeros(1, q)
    outputs = X @ W + b
    assert outputs.shape == (n, q)
    assert_allclose(torch.softmax(outputs, dim=1).sum(axis=1), np.ones(n), rtol=1e-6)
    with pytest.raises(RuntimeError, match=r"(?s)\(5, 4\).*\(5, 4\)"):
        X @ torch.ones(n, d)


def test_cross_entropy_of_softmax_in_two_forms() -> None:
    o = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    y = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    by_probabilities = -(y * torch.log(torch.softmax(o, dim=0))).sum()
    by_outputs = torch.log(torch.exp(o).sum()) - (y * o).sum()
    assert_allclose(by_outputs, by_probabilities)
    loss = torch.nn.functional.cross_entropy(o.reshape(1, 3), torch.tensor([1]))
    assert_allclose(loss, by_outputs)


def test_derivative_of_the_cross_entropy_subtracts_the_label() -> None:
    # Slip: in the middle of the notes' equation −y_j is missing: ∂l/∂o_j = exp(o_j) / Σ exp(o_k) − y_j.
    y = torch.tensor([0.2, 0.7, 0.1], dtype=torch.float64)
    o = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    loss = torch.log(torch.exp(o).sum()) - (y * o).sum()
    loss.backward()
    s = torch.exp(o.detach()) / torch.exp(o.detach()).sum()
    assert_allclose(o.grad, s - y)
    assert_allclose(o.grad.sum(), 0.0, atol=1e-15)


def test_entropy_and_cross_entropy() -> None:
    # H[P] = −Σ P log P; expecting Q where P is true costs more.
    def H(P: torch.Tensor, Q: torch.Tensor) -> torch.Tensor:
        return -(P * torch.log(Q)).sum()

    P = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    Q = torch.tensor([0.25, 0.25, 0.5], dtype=torch.float64)
    assert_allclose(H(P, P) / math.log(2), 1.5)  # in bits
    assert_allclose(H(P, Q) / math.log(2), 1.75)


def test_softmin_is_the_softmax_of_the_negative() -> None:
    # The question the notes end with.
    o = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    softmin = torch.softmax(-o, dim=0)
    assert_allclose(softmin, torch.exp(-o) / torch.exp(-o).sum())
    assert softmin.argmax() == o.argmin() == 1
