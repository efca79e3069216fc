"""Course notes, document 003: tensors again, autograd, perceptron and XOR, weight decay, dropout, stability.

The code stands as in the notes, with `import chainrule as torch` for `import torch`; what the notes print is
asserted to be what we print. Where the notes slip, the comment says how, and the test asserts what is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule import nn


def gradient(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """∇f(x) by one backward pass."""
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(f(x), x)[0]


# Broadcasting and ids ---------------------------------------------------------------------------------------


def test_broadcasting_example() -> None:
    a = torch.arange(3).reshape((3, 1))
    b = torch.arange(2).reshape((1, 2))
    assert repr(a + b) == "tensor([[0, 1],\n        [1, 2],\n        [2, 3]])"
    assert repr(a.expand(3, 2)) == "tensor([[0, 0],\n        [1, 1],\n        [2, 2]])"
    assert repr(b.expand(3, 2)) == "tensor([[0, 1],\n        [0, 1],\n        [0, 1]])"
    with pytest.raises(RuntimeError, match=r"(?s)\(3, 2\).*\(3, 3\)"):
        torch.ones(3, 2) + torch.ones(3, 3)


def test_ids() -> None:
    a = torch.arange(3).reshape((3, 1))
    b = torch.arange(2).reshape((1, 2))
    before = id(a)
    old = a  # keeps the old tensor alive, so that its id cannot be given to the new one
    a = a + b
    assert (id(a) == before) is False
    assert a is not old
    z = torch.zeros_like(a)
    before = id(z)
    z[:] = a + b
    assert id(z) == before
    assert torch.equal(z, a + b)


def test_an_integer_index_removes_one_axis(capsys: pytest.CaptureFixture[str]) -> None:
    z = torch.arange(24).reshape((2, 3, 4))
    print(z)
    assert capsys.readouterr().out == (
        "tensor([[[ 0,  1,  2,  3],\n         [ 4,  5,  6,  7],\n         [ 8,  9, 10, 11]],\n\n"
        "        [[12, 13, 14, 15],\n         [16, 17, 18, 19],\n         [20, 21, 22, 23]]])\n"
    )
    assert repr(z[:, 1, :]) == "tensor([[ 4,  5,  6,  7],\n        [16, 17, 18, 19]])"
    # Slip: "y has only one dimension". The result is z[:, 1, :], and of its three axes two are left.
    assert z[:, 1, :].shape == (2, 4)
    assert z[:, 1:2, :].shape == (2, 1, 4)


# Linear algebra ---------------------------------------------------------------------------------------------


def test_a_scalar_has_no_axes() -> None:
    # Slip: the notes show `tensor([3.0])` as a scalar. That is a vector with one element.
    x = torch.tensor([3.0])
    assert (x.ndim, x.shape) == (1, (1,))
    assert torch.tensor(3.0).ndim == 0


def test_a_vector() -> None:
    x = torch.arange(4)
    assert repr(x[3]) == "tensor(3)"
    assert len(x) == 4
    assert repr(x.shape) == "torch.Size([4])"


def test_a_matrix_and_its_transpose() -> None:
    A = torch.arange(20).reshape(5, 4)
    assert repr(A.T) == (
        "tensor([[ 0,  4,  8, 12, 16],\n        [ 1,  5,  9, 13, 17],\n"
        "        [ 2,  6, 10, 14, 18],\n        [ 3,  7, 11, 15, 19]])"
    )
    B = A.clone()
    assert torch.equal(A * B, A**2)


def test_sums() -> None:
    x = torch.arange(4)
    # Slip: `x.sum` without brackets is the method itself; and with an axis a sum is no scalar.
    assert callable(x.sum)
    assert repr(x.sum()) == "tensor(6)"
    A = torch.arange(20).reshape(5, 4)
    assert repr(A.sum(axis=0)) == "tensor([40, 45, 50, 55])"
    assert repr(A.sum(axis=0, keepdims=True)) == "tensor([[40, 45, 50, 55]])"
    assert repr(A.float().mean(axis=0)) == "tensor([ 8.,  9., 10., 11.])"


def test_dot_product() -> None:
    x = torch.arange(4, dtype=torch.float32)
    y = torch.ones(4)
    assert repr((x, y, torch.dot(x, y))) == "(tensor([0., 1., 2., 3.]), tensor([1., 1., 1., 1.]), tensor(6.))"


def test_matrix_vector_product() -> None:
    A = torch.arange(20).reshape(5, 4)
    x = torch.arange(4, dtype=torch.float32)
    # Slip: A is int64 and x is float32, which `mv` does not take.
    with pytest.raises(RuntimeError, match=r"(?s)(?=.*int64)(?=.*float32)"):
        torch.mv(A, x)
    A = A.float()
    assert repr(torch.mv(A, x)) == "tensor([ 14.,  38.,  62.,  86., 110.])"
    assert torch.equal(torch.mv(A, x), torch.stack([torch.dot(row, x) for row in A]))


def test_norms() -> None:
    u = torch.tensor([3.0, -4.0])
    assert repr(torch.norm(u)) == "tensor(5.)"
    assert repr(torch.norm(u, 1)) == "tensor(7.)"


def test_matrix_calculus() -> None:
    x = torch.tensor([1.0, -1.0, 2.0])
    f = gradient(lambda x: x[0] ** 2 + 2 * x[1] ** 2 + 3 * x[2] ** 2, x)
    assert torch.equal(f, torch.stack([2 * x[0], 4 * x[1], 6 * x[2]]))
    # A vector by a scalar: a column, one derivative for each component.
    t = torch.tensor(0.5)
    column = [gradient(lambda t, k=k: t**k, t).item() for k in (1, 2, 3)]
    assert column == [1.0, 1.0, 0.75]
    # A vector by a vector: (m, n), row i is the gradient of component i.
    A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    rows = [gradient(lambda x, i=i: (A @ x)[i], x) for i in range(2)]
    assert torch.equal(torch.stack(rows), A)


def test_gradients_accumulate_unless_zeroed() -> None:
    x = torch.arange(4.0, requires_grad=True)
    if x.grad is not None:
        x.grad.zero_()
    y = x.sum()
    y.backward()
    assert repr(x.grad) == "tensor([1., 1., 1., 1.])"
    x.sum().backward()
    assert repr(x.grad) == "tensor([2., 2., 2., 2.])"
    x.grad.zero_()
    x.sum().backward()
    assert repr(x.grad) == "tensor([1., 1., 1., 1.])"


def test_softmax_of_each_row() -> None:
    z = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.0, 5.0]], dtype=torch.float64)
    rows = [[math.exp(v) / sum(map(math.exp, row)) for v in row] for row in z.tolist()]
    assert_allclose(torch.softmax(z, dim=1), rows)


# The perceptron ---------------------------------------------------------------------------------------------


def train_perceptron(
    X: torch.Tensor, y: torch.Tensor, epochs: int
) -> tuple[torch.Tensor, torch.Tensor, bool]:
    """The rule of the notes: where y(wᵀx + b) ≤ 0, add yx to w and y to b. Last result: did it converge?"""
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    for _ in range(epochs):
        wrong = 0
        for xi, yi in zip(X, y, strict=True):
            if yi * (torch.dot(w, xi) + b) <= 0:
                w = w + xi * yi
                b = b + yi
                wrong += 1
        if wrong == 0:
            return w, b, True
    return w, b, False


def separable() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    X = torch.randn(100, 2)
    distance = X @ torch.tensor([1.0, -2.0]) + 0.5
    X = X[distance.abs() > 0.2]
    return X, torch.where(X @ torch.tensor([1.0, -2.0]) + 0.5 > 0, 1.0, -1.0)


def test_perceptron_converges_where_a_line_separates() -> None:
    X, y = separable()
    w, b, converged = train_perceptron(X, y, epochs=1000)
    assert converged
    assert torch.equal(torch.where(X @ w + b > 0, 1.0, -1.0), y)


def test_the_training_rule_needs_labels_of_plus_and_minus_one() -> None:
    # Slip: the perceptron of the notes answers 1 or 0, but its training rule multiplies by the label. With
    # labels 0 the product is never positive, and such a sample never changes anything: it cannot converge.
    X, y = separable()
    _, _, converged = train_perceptron(X, (y + 1) / 2, epochs=50)
    assert not converged


# The four points of the notes: 1 and 4 are one class, 2 and 3 the other.
XOR = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
CLASS = torch.tensor([1.0, -1.0, -1.0, 1.0])


def test_xor_is_the_product_of_the_coordinates() -> None:
    assert torch.equal(XOR[:, 0] * XOR[:, 1], CLASS)


def test_perceptron_cannot_learn_xor() -> None:
    w, b, converged = train_perceptron(XOR, CLASS, epochs=200)
    assert not converged
    assert bool((CLASS * (XOR @ w + b) <= 0).any())
    # No line can: for any w and b, the outputs of the two points of a class add up to 2b in both classes.
    for seed in range(5):
        torch.manual_seed(seed)
        w, b = torch.randn(2), torch.randn(1)
        o = XOR @ w + b
        assert_allclose((o * CLASS).sum(), 0.0, atol=1e-6)


def train_hidden_layer(activation: nn.Module) -> torch.Tensor:
    """h = σ(XW₁ + b₁), o = hW₂ + b₂ on XOR, trained by gradient descent; the outputs at the end."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 8), activation, nn.Linear(8, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        loss = ((net(XOR).reshape(4) - CLASS) ** 2).mean()
        loss.backward()
        optimizer.step()
    return net(XOR).reshape(4).detach()


def test_one_hidden_layer_learns_xor() -> None:
    assert bool((train_hidden_layer(nn.Tanh()) * CLASS > 0.5).all())


def test_a_hidden_layer_without_activation_does_not_learn_xor() -> None:
    # The best linear answer to XOR is 0 everywhere.
    assert float(train_hidden_layer(nn.Identity()).abs().max()) < 0.01


def test_a_solution_of_xor_by_hand() -> None:
    # o = relu(x₁ + x₂) + relu(−x₁ − x₂) − 1 is 1 on the diagonal and −1 off it.
    W1, W2 = torch.tensor([[1.0, -1.0], [1.0, -1.0]]), torch.tensor([1.0, 1.0])
    h = torch.relu(XOR @ W1)  # (4, 2) @ (2, 2) -> (4, 2)
    assert torch.equal(h @ W2 - 1, CLASS)


def test_activations_and_their_ranges() -> None:
    x = torch.linspace(-4, 4, 41, dtype=torch.float64)
    assert_allclose(torch.sigmoid(x), 1 / (1 + torch.exp(-x)))
    assert_allclose(torch.tanh(x), (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)))
    assert torch.equal(torch.relu(x), torch.where(x > 0, x, 0.0))
    assert 0 < torch.sigmoid(x).min() < torch.sigmoid(x).max() < 1
    assert -1 < torch.tanh(x).min() < torch.tanh(x).max() < 1


def test_multiclass_perceptron_ends_in_probabilities() -> None:
    torch.manual_seed(0)
    X = torch.randn(5, 4)
    W1, b1, W2, b2 = torch.randn(4, 3), torch.randn(3), torch.randn(3, 2), torch.randn(2)
    h = torch.sigmoid(X @ W1 + b1)  # (5, 4) @ (4, 3) -> (5, 3)
    o = h @ W2 + b2  # (5, 3) @ (3, 2) -> (5, 2)
    y = torch.softmax(o, dim=1)
    assert y.shape == (5, 2)
    assert_allclose(y.sum(axis=1), np.ones(5), rtol=1e-6)


# Weight decay and dropout -----------------------------------------------------------------------------------


def test_gradient_of_the_penalty() -> None:
    # Slip: "|w|²: the L2 norm of w (sum of squares)". The penalty is λ/2 times the square of that norm; only
    # so is its gradient λw.
    w, lam = torch.tensor([0.5, -2.0, 1.0], dtype=torch.float64), 0.1
    assert_allclose(gradient(lambda w: lam / 2 * torch.norm(w) ** 2, w), lam * w)
    assert_allclose(gradient(lambda w: lam / 2 * torch.norm(w), w), lam / 2 * w / torch.norm(w))


def test_weight_decay_shrinks_before_each_step() -> None:
    # w ← (1 − ηλ)w − η ∂l/∂w, written out, as a penalty in the loss, and as the optimizer's option.
    eta, lam = 0.1, 0.3
    start, x = torch.tensor([0.5, -2.0, 1.0], dtype=torch.float64), torch.tensor([1.0, 2.0, -1.0]).double()

    def loss(w: torch.Tensor) -> torch.Tensor:
        return (torch.dot(w, x) - 1) ** 2

    by_hand = (1 - eta * lam) * start - eta * gradient(loss, start)
    by_penalty = start - eta * gradient(lambda w: loss(w) + lam / 2 * torch.norm(w) ** 2, start)
    w = start.clone().requires_grad_(True)
    optimizer = torch.optim.SGD([w], lr=eta, weight_decay=lam)
    loss(w).backward()
    optimizer.step()
    assert_allclose(by_penalty, by_hand)
    assert_allclose(w.detach(), by_hand)


def test_a_larger_penalty_is_a_tighter_limit_on_the_weights() -> None:
    # Slip: the second heading, "as a hard limit", is the soft one; and its minimum is over w and b, where the
    # notes write θ. For each limit θ there is a λ: the larger λ, the smaller the norm of the solution.
    torch.manual_seed(0)
    X, y = torch.randn(20, 3, dtype=torch.float64), torch.randn(20, dtype=torch.float64)
    identity = torch.eye(3, dtype=torch.float64)
    norms = [float(torch.linalg.solve(X.T @ X + lam * identity, X.T @ y).norm()) for lam in (0, 1, 10, 100)]
    assert norms == sorted(norms, reverse=True)
    assert norms[-1] < norms[0] / 4


def test_dropout_keeps_the_expectation() -> None:
    torch.manual_seed(0)
    x, p = torch.tensor([1.0, -2.0, 0.5]), 0.3
    draws = nn.functional.dropout(x.expand(100_000, 3), p=p, training=True)
    # Each entry is 0 or x / (1 − p), and zero with probability p; the mean is x, to 5 standard errors.
    kept = draws != 0
    assert_allclose(draws[kept], (x / (1 - p)).expand(100_000, 3)[kept], rtol=1e-6)
    assert_allclose((~kept).float().mean(), p, atol=5 * math.sqrt(p * (1 - p) / 300_000))
    error = 5 * x.abs() * math.sqrt(p / (1 - p) / 100_000)
    assert bool(((draws.mean(0) - x).abs() < error).all())


def test_dropout_is_part_of_training_only() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2))
    X = torch.randn(3, 4)
    net.train()
    assert not torch.equal(net(X), net(X))
    net.eval()
    assert torch.equal(net(X), net(X))
    h = net[:2](X)
    assert torch.equal(net[2](h), h)


# Numerical stability ----------------------------------------------------------------------------------------


def test_gradient_of_a_deep_network_is_a_product_of_matrices() -> None:
    # Slip: "d − 1 matrix products". Between h^t and h^d lie d − t Jacobians ∂hⁱ⁺¹/∂hⁱ.
    torch.manual_seed(0)
    d, t = 6, 2
    W = [torch.randn(3, 3, dtype=torch.float64) for _ in range(d)]  # W[i] leads from hⁱ to hⁱ⁺¹
    h = [torch.randn(3, dtype=torch.float64)]
    for i in range(d):
        h.append(torch.tanh(W[i] @ h[i]))
    jacobians = [torch.diag(1 - h[i + 1] ** 2) @ W[i] for i in range(t, d)]
    assert len(jacobians) == d - t

    def loss(ht: torch.Tensor) -> torch.Tensor:
        for i in range(t, d):
            ht = torch.tanh(W[i] @ ht)
        return (ht**2).sum()

    g = 2 * h[d]  # ∂l/∂h^d
    for J in reversed(jacobians):
        g = g @ J
    assert_allclose(gradient(loss, h[t]), g)


def test_clipping_the_gradient_keeps_its_direction() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    (torch.tensor([300.0, -400.0]) * w).sum().backward()
    before = nn.utils.clip_grad_norm_([w], max_norm=1.0)
    assert before == 500.0
    assert_allclose(w.grad, [0.6, -0.8], rtol=1e-5)


def test_products_become_sums_under_the_logarithm() -> None:
    # The likelihood of 1,000 samples is too small for a float; its logarithm is not.
    p = torch.full((1000,), 0.1)
    assert p.prod() == 0.0
    assert_allclose(torch.log(p).sum(), 1000 * math.log(0.1), rtol=1e-5)


def test_weights_that_keep_the_variance() -> None:
    # Outputs and gradients keep their variance when that of the weights is 2 / (inputs + outputs) (Xavier).
    torch.manual_seed(0)
    X, W = torch.randn(400, 500), torch.empty(500, 500)
    nn.init.xavier_normal_(W)
    assert_allclose(W.var(), 1 / 500, rtol=0.02)
    assert_allclose((X @ W).var(), X.var(), rtol=0.05)
    assert_allclose((X @ W.T).var(), X.var(), rtol=0.05)
