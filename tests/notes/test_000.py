"""Course notes, document 000: sums over rows and columns, linear regression, softmax and cross-entropy.

The code stands as in the notes, with `import chainrule as torch` for `import torch`; what the notes print is
asserted to be what we print. Where the notes slip, the comment says how, and the test asserts what is right.
"""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

import chainrule as torch

# A small regression problem for the statements on linear regression: 6 samples, 2 features.
X6 = torch.tensor(
    [[1.0, 2.0], [0.5, -1.0], [-1.5, 0.3], [2.0, 1.0], [0.0, -0.7], [-0.4, 1.2]], dtype=torch.float64
)
Y6 = torch.tensor([3.1, 0.2, -1.9, 5.0, 0.4, 0.8], dtype=torch.float64)


def with_ones(x: torch.Tensor) -> torch.Tensor:
    """X <- [X, 1]: the bias becomes the weight of a column of ones."""
    return torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], dim=1)


# Basic operations -------------------------------------------------------------------------------------------


def test_sums_over_columns_and_rows_print_as_in_the_notes() -> None:
    X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert repr(X.sum(0, keepdim=True)) == "tensor([[5., 7., 9.]])"
    assert repr(X.sum(1, keepdim=True)) == "tensor([[ 6.],\n        [15.]])"


def test_dot_is_for_vectors_and_the_elementwise_product_is_the_star() -> None:
    # Slip: "`.dot()`: multiplies matrices element by element". `dot` multiplies two vectors and adds up; the
    # elementwise (Hadamard) product is `*`.
    A = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert repr(A * A) == "tensor([[ 1.,  4.],\n        [ 9., 16.]])"
    u, v = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    assert repr(u.dot(v)) == "tensor(11.)"
    with pytest.raises(RuntimeError, match="2"):
        A.dot(A)


def test_mv_is_a_product_with_a_sum_and_not_a_broadcast() -> None:
    # Slip: "`.mv()` is like broadcasting". A broadcast product keeps the shape of the matrix; `mv` is that
    # product summed over the columns.
    A, x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), torch.tensor([1.0, 0.0, -1.0])
    assert (A * x).shape == (2, 3)
    assert repr(A.mv(x)) == "tensor([-2., -2.])"
    assert torch.equal(A.mv(x), (A * x).sum(1))


# Linear regression ------------------------------------------------------------------------------------------


def test_training_loss_is_the_squared_norm_of_the_residual() -> None:
    # Slip: the notes end in ‖y − Xw − b‖ / 2n; the square is missing.
    w, b, n = torch.tensor([1.5, 0.5], dtype=torch.float64), 0.3, len(Y6)
    one_by_one = sum((Y6[i] - torch.dot(X6[i], w) - b) ** 2 for i in range(n)) / (2 * n)
    residual = Y6 - X6 @ w - b
    assert_allclose(residual.norm() ** 2 / (2 * n), one_by_one)
    assert abs(residual.norm() / (2 * n) - one_by_one) > 0.01


def test_gradient_of_the_training_loss_has_a_minus_sign() -> None:
    # Slip: the notes write (y − Xw)ᵀX / n. The inner derivative of −Xw gives a minus sign.
    X, n = with_ones(X6), len(Y6)
    w = torch.tensor([1.5, 0.5, 0.3], dtype=torch.float64, requires_grad=True)
    loss = (Y6 - X @ w).norm() ** 2 / (2 * n)
    loss.backward()
    with torch.no_grad():
        right = -(Y6 - X @ w) @ X / n
    assert_allclose(w.grad, right)
    assert (w.grad + right).norm() > 0.1
    # The gradient has to be subtracted: a small step against it lowers the loss.
    with torch.no_grad():
        assert (Y6 - X @ (w - 0.01 * w.grad)).norm() ** 2 / (2 * n) < loss


def test_normal_equations_need_the_transpose() -> None:
    # Slip: "w* = (XᵀX)⁻¹Xy". X is (n, d) and y is (n,), so Xy does not even exist unless n = d; it is Xᵀy.
    X = with_ones(X6)
    with pytest.raises(RuntimeError):
        torch.linalg.inv(X.T @ X) @ (X @ Y6)
    w = torch.linalg.inv(X.T @ X) @ (X.T @ Y6)
    assert_allclose(w, torch.linalg.lstsq(X, Y6.reshape(-1, 1)).solution.reshape(-1))
    # At the optimum the gradient is zero, and every other w is worse.
    assert_allclose((Y6 - X @ w) @ X, [0.0, 0.0, 0.0], atol=1e-12)
    for i in range(3):
        step = torch.zeros(3, dtype=torch.float64)
        step[i] = 0.1
        assert (Y6 - X @ (w + step)).norm() > (Y6 - X @ w).norm()
        assert (Y6 - X @ (w - step)).norm() > (Y6 - X @ w).norm()


def test_gradient_descent_reaches_the_closed_form() -> None:
    X, n = with_ones(X6), len(Y6)
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    for _ in range(1000):
        loss = (Y6 - X @ w).norm() ** 2 / (2 * n)
        loss.backward()
        with torch.no_grad():
            w -= 0.3 * w.grad
            w.grad.zero_()
    assert_allclose(w.detach(), torch.linalg.solve(X.T @ X, X.T @ Y6))


def test_a_mini_batch_is_an_unbiased_sample_of_the_loss() -> None:
    # The mean of the losses of all batches of two is the loss of the whole set: on average a batch is right.
    w = torch.tensor([1.5, 0.5], dtype=torch.float64)
    losses = (Y6 - X6 @ w) ** 2 / 2
    pairs = [(losses[i] + losses[j]) / 2 for i in range(6) for j in range(i)]
    assert_allclose(torch.stack(pairs).mean(), losses.mean())


# Classification ---------------------------------------------------------------------------------------------


def test_one_hot_labels_and_the_largest_output() -> None:
    o = torch.tensor([0.1, 2.0, -1.0])
    y = torch.zeros(3)
    y[1] = 1
    assert repr(y) == "tensor([0., 1., 0.])"
    assert o.argmax() == y.argmax() == 1
    # The margin o_y − o_i of the right class over the others, as the notes ask for.
    assert bool((o[1] - o[[0, 2]] >= 1.5).all())


def test_softmax_is_a_distribution_in_the_order_of_the_outputs() -> None:
    o = torch.tensor([0.1, 2.0, -1.0], dtype=torch.float64)
    y_hat = torch.softmax(o, dim=0)
    assert_allclose(y_hat, torch.exp(o) / torch.exp(o).sum())
    assert_allclose(y_hat.sum(), 1.0)
    assert torch.equal(y_hat.argsort(), o.argsort())


def test_cross_entropy_closes_its_brackets() -> None:
    # Slip: "H(p, q = Σ −p_i log q_i)" and the same in the loss: the bracket closes after the arguments,
    # H(p, q) = −Σ p_i log q_i. It is smallest at q = p, where it is the entropy of p.
    p = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    q = torch.tensor([0.4, 0.4, 0.2], dtype=torch.float64)

    def H(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return -(p * torch.log(q)).sum()

    assert_allclose(torch.nn.functional.cross_entropy(torch.log(q).reshape(1, 3), p.reshape(1, 3)), H(p, q))
    assert H(p, q) > H(p, p) > 0


def test_gradient_of_softmax_with_cross_entropy_is_the_difference_of_probabilities() -> None:
    o = torch.tensor([0.1, 2.0, -1.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    loss = -(y * torch.log(torch.softmax(o, dim=0))).sum()
    loss.backward()
    assert_allclose(o.grad, torch.softmax(o.detach(), dim=0) - y)
