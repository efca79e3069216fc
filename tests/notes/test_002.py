"""Course notes, document 002: tensors, norms, gradients, probability, regression, regularisation, stability.

The document is mostly prose and formulas; each statement that can be computed is computed here with
`import chainrule as torch`. Where the notes slip, the comment says how, and the test asserts what is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule import nn
from chainrule.distributions import multinomial


def gradient(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """∇f(x) by one backward pass."""
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(f(x), x)[0]


def jacobian(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """∂f/∂x, (m, n): row i is the gradient of output i."""
    return torch.stack([gradient(lambda x, i=i: f(x)[i], x) for i in range(len(f(x)))])


# Tensors ----------------------------------------------------------------------------------------------------


def test_operations_that_keep_the_shape() -> None:
    x, y = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, 2.0, 2.0])
    assert repr((x + y, x - y)) == "(tensor([3., 4., 6.]), tensor([-1.,  0.,  2.]))"
    assert repr((x * y, x / y, x**y)) == (
        "(tensor([2., 4., 8.]), tensor([0.5000, 1.0000, 2.0000]), tensor([ 1.,  4., 16.]))"
    )
    assert_allclose(torch.exp(x), [math.e, math.e**2, math.e**4], rtol=1e-6)
    assert repr(x < y) == "tensor([ True, False, False])"
    assert (x == y).dtype == torch.bool


def test_operations_that_change_the_shape() -> None:
    x, y = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, 2.0, 2.0])
    assert repr(x @ y) == repr(torch.dot(x, y)) == "tensor(14.)"
    A, B = torch.zeros(3, 4), torch.ones(3, 5)
    assert (A.T @ B).shape == (4, 5)
    assert torch.cat((A, B), dim=1).shape == (3, 9)
    assert B.sum().shape == ()
    assert (A + torch.arange(3.0).reshape(3, 1)).shape == (3, 4)


def test_slices_are_closed_on_the_left_and_open_on_the_right() -> None:
    X = torch.arange(12).reshape(3, 4)
    assert repr(X[0:2, :]) == "tensor([[0, 1, 2, 3],\n        [4, 5, 6, 7]])"


def test_numbers_of_axes() -> None:
    A = torch.ones(2, 3)
    assert [torch.tensor(3.0).ndim, A[0].ndim, A.ndim] == [0, 1, 2]
    assert [A.sum().ndim, A.sum(0).ndim, A.sum(0, keepdim=True).ndim] == [0, 1, 2]


def test_matrix_product_is_made_of_matrix_vector_products() -> None:
    A, B = torch.arange(6.0).reshape(2, 3), torch.arange(12.0).reshape(3, 4)
    columns = [torch.mv(A, B[:, j]) for j in range(4)]
    assert torch.equal(A @ B, torch.stack(columns, dim=1))
    with pytest.raises(RuntimeError, match=r"(?s)\(2, 3\).*\(2, 3\)"):
        A @ A


# Norms and gradients ----------------------------------------------------------------------------------------


def test_norms_of_a_vector() -> None:
    x = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)
    assert torch.norm(x, 1).item() == 5.0
    assert torch.norm(x).item() == torch.norm(x, 2).item() == 3.0
    for p in (1.5, 3, 4):
        assert_allclose(torch.norm(x, p), (x.abs() ** p).sum() ** (1 / p), rtol=1e-12)


def test_the_l2_norm_is_pythagoras_and_not_the_triangle_inequality() -> None:
    # Slip: "like the triangle inequality". The length of the longest side comes from Pythagoras; the triangle
    # inequality says that it is at most the sum of the others.
    u, v = torch.tensor([3.0, 0.0]), torch.tensor([0.0, -4.0])
    assert torch.norm(u + v).item() == math.hypot(3, 4)
    assert torch.norm(u + v) < torch.norm(u) + torch.norm(v)


def test_derivative_is_the_limit_of_difference_quotients() -> None:
    x = torch.tensor([0.7], dtype=torch.float64)
    exact = gradient(lambda x: torch.sin(x).sum(), x)
    assert_allclose(exact, torch.cos(x))
    errors = [abs(float((torch.sin(x + h) - torch.sin(x)) / h - exact)) for h in (1e-1, 1e-3, 1e-5)]
    assert errors[0] > 50 * errors[1] > 2500 * errors[2]


def test_partial_derivatives_make_the_gradient() -> None:
    x, h = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64), 1e-6

    def f(x: torch.Tensor) -> torch.Tensor:
        return x[0] ** 2 * torch.exp(x[1]) + torch.sin(x[2])

    partial = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in torch.eye(3, dtype=torch.float64)]
    assert_allclose(gradient(f, x), torch.stack(partial), rtol=1e-8)


def test_gradients_of_matrix_vector_products() -> None:
    # Slip: the notes take ∇ₓAx for "the expression of the product". It is its gradient: Aᵀ (in denominator
    # layout; the Jacobian is A), and ∇ₓxᵀA = A. Also, in xᵀA the vector has length m, not n.
    A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])  # (m, n) = (2, 3)
    x, z = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([1.0, -2.0])
    assert torch.equal(jacobian(lambda x: A @ x, x).T, A.T)
    assert torch.equal(jacobian(lambda z: z @ A, z).T, A)
    with pytest.raises(RuntimeError, match=r"(?s)\(3,\).*\(2, 3\)"):
        x @ A


def test_gradient_of_the_squared_norm_has_components() -> None:
    # Slip: ∇‖x‖² is written [2x₁ + 2x₂ + … + 2xₙ]ᵀ, one number; it is the vector [2x₁, 2x₂, …, 2xₙ]ᵀ.
    x = torch.tensor([1.0, -2.0, 3.0])
    assert torch.equal(gradient(lambda x: (x**2).sum(), x), 2 * x)
    assert_allclose(gradient(lambda x: torch.norm(x) ** 2, x), 2 * x, rtol=1e-6)


def test_gradient_of_the_squared_frobenius_norm() -> None:
    # Slip: "‖x‖_p means the Frobenius norm". That one is ‖X‖_F, the vector norm with p = 2 of all entries;
    # for p = 1 already they differ.
    X = torch.tensor([[1.0, -2.0], [3.0, 0.5]])
    assert_allclose(gradient(lambda X: torch.norm(X) ** 2, X), 2 * X, rtol=1e-6)
    assert torch.norm(X) == torch.norm(X.reshape(-1), 2)
    assert torch.norm(X) < torch.norm(X.reshape(-1), 1)


# Automatic differentiation ----------------------------------------------------------------------------------


def test_the_step_of_a_numerical_derivative_has_a_lower_limit() -> None:
    # Slip: "the smallest step in float32 is 2⁻³²". Near 1 the numbers of float32 lie 2⁻²³ apart, so
    # x + 2⁻³² is x, and the quotient is 0. (The smallest positive float32 is far smaller, 2⁻¹⁴⁹.)
    x = torch.tensor(1.0)
    assert x + 2**-32 == x
    assert (torch.sin(x + 2**-32) - torch.sin(x)) / 2**-32 == 0.0
    assert np.finfo(np.float32).eps == 2**-23
    # A much larger step is good to about half of the digits, as the notes say: enough to check a gradient.
    quotient = (torch.sin(x + 2**-8) - torch.sin(x - 2**-8)) / 2**-7
    assert_allclose(quotient, math.cos(1.0), rtol=1e-4)


def test_requires_grad_keeps_no_memory_for_the_gradient() -> None:
    # Slip: "requires_grad reserves fixed memory for the gradient". `grad` is None until the first backward;
    # after that, further ones add to the same memory.
    x = torch.arange(4.0, requires_grad=True)
    assert x.grad is None
    x.sum().backward()
    memory = x.grad.data_ptr()
    x.sum().backward()
    assert x.grad.data_ptr() == memory
    assert repr(x.grad) == "tensor([2., 2., 2., 2.])"


def test_steepest_descent_goes_against_the_whole_gradient() -> None:
    # Slip: "against the direction of the largest partial derivative". That is one axis; a step of the same
    # length against the gradient goes down further.
    A = torch.tensor([[3.0, 1.0], [1.0, 2.0]])
    x = torch.tensor([1.0, 1.0])
    g = gradient(lambda x: x @ A @ x, x)
    along_axis = torch.tensor([float(g[0].sign()), 0.0])
    assert g.abs().argmax() == 0
    down, axis = x - 0.01 * g / g.norm(), x - 0.01 * along_axis
    assert down @ A @ down < axis @ A @ axis < x @ A @ x


def test_backward_gives_numbers_at_a_point() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**3
    with pytest.raises(RuntimeError, match=r"\(2,\)"):
        y.backward()
    y.sum().backward()
    assert repr(x.grad) == "tensor([ 3., 12.])"


# Probability ------------------------------------------------------------------------------------------------


def test_sampling_from_a_fair_die() -> None:
    torch.manual_seed(0)
    fair_probs = torch.ones([6]) / 6
    counts = multinomial.Multinomial(10, fair_probs).sample()
    # As the notes print it, tensor([0., 1., 2., 4., 2., 1.]): six counts, as floats, that add up to 10.
    assert (counts.shape, counts.dtype, counts.sum().item()) == ((6,), torch.float32, 10.0)
    assert bool((counts == counts.round()).all())
    # Many throws: each frequency is within 5 standard errors of 1/6.
    many = multinomial.Multinomial(60_000, fair_probs).sample() / 60_000
    assert_allclose(many, np.full(6, 1 / 6), atol=5 * math.sqrt(5 / 36 / 60_000))


def test_bayes_on_a_table_of_joint_probabilities() -> None:
    P = torch.tensor([[0.10, 0.25], [0.35, 0.30]], dtype=torch.float64)  # P(A = i, B = j)
    P_A, P_B = P.sum(axis=1), P.sum(axis=0)
    B_given_A = P / P_A.reshape(2, 1)
    A_given_B = P / P_B
    assert_allclose(B_given_A * P_A.reshape(2, 1), A_given_B * P_B)
    assert_allclose(A_given_B, B_given_A * P_A.reshape(2, 1) / P_B)


def test_variance_is_the_expected_squared_deviation() -> None:
    x = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    mean = (p * x).sum()
    variance = (p * (x - mean) ** 2).sum()
    assert_allclose(variance, (p * x**2).sum() - mean**2)
    assert_allclose(x.std(unbiased=False) ** 2, x.var(unbiased=False))


# Linear regression ------------------------------------------------------------------------------------------


def regression() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    X = torch.randn(30, 2, dtype=torch.float64)
    y = X @ torch.tensor([2.0, -3.4], dtype=torch.float64) + 4.2 + 0.5 * torch.randn(30, dtype=torch.float64)
    return X, y


def test_the_bias_as_a_weight_of_a_column_of_ones() -> None:
    # Slip: "s is w with an element 1 added". X gets the column of ones; what is added to w is b. (And X and y
    # are the training set, which the notes call the test set: no closed form can do without them.)
    X, y = regression()
    w, b = torch.tensor([0.5, -1.0], dtype=torch.float64), 0.75
    ones = torch.cat([X, torch.ones(30, 1, dtype=torch.float64)], dim=1)
    assert_allclose(ones @ torch.cat([w, torch.tensor([b], dtype=torch.float64)]), X @ w + b)
    s = torch.linalg.inv(ones.T @ ones) @ ones.T @ y
    assert_allclose(gradient(lambda s: ((ones @ s - y) ** 2).sum(), s), np.zeros(3), atol=1e-10)
    # Slip: "v = 0 is the minimum". Zero is a lower bound; with noise the minimum is above it.
    assert ((ones @ s - y) ** 2).sum() > 1


def test_maximum_likelihood_is_least_squares() -> None:
    X, y = regression()
    ones = torch.cat([X, torch.ones(30, 1, dtype=torch.float64)], dim=1)
    s = torch.linalg.solve(ones.T @ ones, ones.T @ y)
    sigma = 0.5

    def likelihoods(s: torch.Tensor) -> torch.Tensor:
        return 1 / math.sqrt(2 * math.pi * sigma**2) * torch.exp(-((y - ones @ s) ** 2) / (2 * sigma**2))

    # At the least-squares solution the log-likelihood has no slope, and anywhere else the product is smaller.
    assert_allclose(gradient(lambda s: torch.log(likelihoods(s)).sum(), s), np.zeros(3), atol=1e-9)
    for e in torch.eye(3, dtype=torch.float64):
        assert likelihoods(s + 0.1 * e).prod() < likelihoods(s).prod()
        assert likelihoods(s - 0.1 * e).prod() < likelihoods(s).prod()


# Softmax regression and information -------------------------------------------------------------------------


def test_softmax_of_the_chicken_the_dog_and_the_duck() -> None:
    # Slip: the notes get 0.9 / (0.9 + 0.03 + 0.3) = 0.73 for the chicken. That divides the outputs; softmax
    # divides their exponentials, which also makes negative outputs into probabilities.
    o = torch.tensor([0.9, 0.03, 0.3])
    assert repr(torch.softmax(o, dim=0)) == "tensor([0.5082, 0.2129, 0.2789])"
    assert round(float(o[0] / o.sum()), 2) == 0.73
    assert_allclose(torch.softmax(o, dim=0)[0], math.exp(0.9) / sum(math.exp(v) for v in (0.9, 0.03, 0.3)))


def test_parameters_of_a_linear_layer() -> None:
    # Slip: "inputs times outputs" leaves out the biases, one for each output.
    layer = nn.Linear(4, 3)
    assert sum(p.numel() for p in layer.parameters()) == 4 * 3 + 3


def test_entropy_is_not_the_sum_of_the_probabilities() -> None:
    # Slip: "the entropy is the sum of the probabilities, 1, to which Shannon added −log P". The entropy is
    # H[P] = −Σ P(j) log P(j): 0 when one outcome is certain, at most log n.
    P = torch.softmax(torch.tensor([0.9, 0.03, 0.3], dtype=torch.float64), dim=0)
    H = -(P * torch.log(P)).sum()
    assert_allclose(P.sum(), 1.0)
    assert_allclose(H, -sum(p * math.log(p) for p in P.tolist()))
    assert 0 < H < math.log(3)
    uniform = torch.ones(3, dtype=torch.float64) / 3
    assert_allclose(-(uniform * torch.log(uniform)).sum(), math.log(3))


def test_training_lowers_the_cross_entropy_and_not_the_entropy() -> None:
    # Slip: "the Shannon entropy has to be made small". A classifier that is sure and wrong has no entropy
    # either. Maximum likelihood lowers the cross-entropy H(P, Q) = H(P) + KL(P‖Q) with the labels P.
    P = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    Q = torch.tensor([0.01, 0.01, 0.98], dtype=torch.float64)

    def H(P: torch.Tensor, Q: torch.Tensor) -> torch.Tensor:
        return -(P * torch.log(Q)).sum()

    assert H(Q, Q) < H(P, P) < H(P, Q)
    divergence = nn.functional.kl_div(torch.log(Q), P, reduction="sum")
    assert_allclose(H(P, Q), H(P, P) + divergence)


# Multilayer perceptron --------------------------------------------------------------------------------------


def test_shapes_of_a_hidden_layer() -> None:
    # Slip: "h input units, the output of the layer is h × q". h is the number of hidden units, each gives one
    # number, so n samples give (n, h); d·h weights and h biases.
    n, d, h, q = 5, 4, 3, 2
    net = nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, q))
    X = torch.ones(n, d)
    assert net[0](X).shape == (n, h)
    assert net(X).shape == (n, q)
    assert sum(p.numel() for p in net[0].parameters()) == d * h + h
    assert_allclose(torch.softmax(net(X), dim=1).sum(axis=1).detach(), np.ones(n), rtol=1e-6)


def test_linear_layers_alone_are_one_linear_layer() -> None:
    torch.manual_seed(0)
    first, second = nn.Linear(4, 8).double(), nn.Linear(8, 2).double()
    X = torch.randn(5, 4, dtype=torch.float64)
    W = second.weight @ first.weight
    b = second.weight @ first.bias + second.bias
    assert_allclose(second(first(X)).detach(), (X @ W.T + b).detach())
    assert not np.allclose(second(torch.relu(first(X))).detach(), (X @ W.T + b).detach())


# Regularisation ---------------------------------------------------------------------------------------------


def test_what_l1_and_l2_make_of_one_large_weight() -> None:
    # Slip: the notes call 3.11 the squared L1 norm; it is the L1 norm. And the squared L2 norm is 9.0101.
    w = torch.tensor([0.1, 0.01, 3.0], dtype=torch.float64)
    assert_allclose(torch.norm(w, 1), 3.11)
    assert_allclose(torch.norm(w, 2) ** 2, 9.0101)
    # The pull on a weight: with L2 it grows with the weight, with L1 it is the same for all.
    assert_allclose(gradient(lambda w: (w**2).sum() / 2, w), w)
    assert gradient(lambda w: torch.norm(w, 1), w).tolist() == [1.0, 1.0, 1.0]


def test_dropping_half_of_the_nodes_doubles_the_others() -> None:
    torch.manual_seed(0)
    x = torch.arange(1.0, 1001.0)
    y = nn.functional.dropout(x, p=0.5, training=True)
    kept = y != 0
    assert torch.equal(y[kept], 2 * x[kept])
    assert 400 < int(kept.sum()) < 600


# Backpropagation and stability ------------------------------------------------------------------------------


def test_chain_rule_of_two_layers() -> None:
    # ∂Z/∂X = ∂Z/∂Y · ∂Y/∂X, in this order, for Jacobians in numerator layout. (The notes count Z as the last
    # layer and Y as the last but none; Y is the last but one, X the last but two.)
    torch.manual_seed(0)
    A, B = torch.randn(4, 3, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    X = torch.randn(3, dtype=torch.float64)
    Y = torch.tanh(A @ X)
    whole = jacobian(lambda X: B @ torch.tanh(A @ X), X)
    assert_allclose(whole, jacobian(lambda Y: B @ Y, Y) @ jacobian(lambda X: torch.tanh(A @ X), X))


def test_the_forward_pass_keeps_values_and_not_derivatives() -> None:
    # Slip: "the derivatives have been computed in the forward pass". It keeps values, from which backward
    # computes derivatives; so a value changed in between is an error. Here exp keeps its result.
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.exp(x)
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"version|in-?place"):
        y.sum().backward()


def test_sigmoid_loses_the_gradient_and_relu_only_where_it_is_off() -> None:
    # Slip: "the derivative of ReLU is always 1". It is 1 for positive inputs and 0 for negative ones (as the
    # notes add in brackets); at 0, where there is none, the convention is 0.
    x = torch.tensor([-20.0, -1.0, 0.0, 1.0, 20.0])
    assert repr(gradient(lambda x: torch.relu(x).sum(), x)) == "tensor([0., 0., 0., 1., 1.])"
    slope = gradient(lambda x: torch.sigmoid(x).sum(), x)
    assert slope.max() == slope[2] == 0.25
    assert float(slope[[0, 4]].max()) < 1e-8


def test_gradients_vanish_through_many_sigmoids_and_explode_through_many_products() -> None:
    x = torch.tensor(0.5, dtype=torch.float64)

    def deep(x: torch.Tensor, layer: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        for _ in range(100):
            x = layer(x)
        return x

    assert gradient(lambda x: deep(x, torch.sigmoid), x) < 0.25**100 * 1.0001
    assert_allclose(gradient(lambda x: deep(x, lambda x: 3 * x), x), 3.0**100)
    assert gradient(lambda x: deep(x, torch.relu), x) == 1


def test_initial_weights_of_the_book_have_standard_deviation_a_hundredth() -> None:
    # Slip: "variance 0.01". `normal(0, 0.01, …)` takes the standard deviation; the variance is 0.0001.
    torch.manual_seed(0)
    w = torch.normal(0, 0.01, (100, 1000))
    assert_allclose(w.std(), 0.01, rtol=0.02)
    assert_allclose(w.var(), 0.0001, rtol=0.04)
