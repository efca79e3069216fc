"""Course notes, document 001: tensors, preparing a table, linear algebra, autograd, linear regression.

The code stands as in the notes, with `import chainrule as torch` for `import torch`; what the notes print is
asserted to be what we print. Where the notes slip, the comment says how, and the test asserts what is right.
The plotting and d2l lines are left out, and so are the two MXNet snippets.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import chainrule as torch


def both(*words: str) -> str:
    """A pattern for a message that names all of `words`, in any order."""
    return "(?s)" + "".join(f"(?=.*{re.escape(word)})" for word in words)


# Working with data: first steps -----------------------------------------------------------------------------


def test_creating_tensors() -> None:
    x = torch.arange(12)
    assert repr(x) == "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11])"
    assert repr(x.shape) == "torch.Size([12])"
    assert x.numel() == 12
    assert repr(x.reshape(4, 3)) == (
        "tensor([[ 0,  1,  2],\n        [ 3,  4,  5],\n        [ 6,  7,  8],\n        [ 9, 10, 11]])"
    )
    assert (
        repr(torch.zeros(4, 3))
        == "tensor([[0., 0., 0.],\n" + "        [0., 0., 0.],\n" * 2 + "        [0., 0., 0.]])"
    )
    assert torch.ones(4, 3).sum() == 12
    assert torch.ones(2, 3, 4).shape == (2, 3, 4)
    assert torch.randn(3, 4).shape == (3, 4)
    assert repr(torch.tensor([[1, 2, 3], [4, 5, 6]])) == "tensor([[1, 2, 3],\n        [4, 5, 6]])"


def test_randn_draws_from_the_standard_normal_distribution() -> None:
    torch.manual_seed(0)
    x = torch.randn(200, 500)
    # 100,000 draws: the mean is within 5 standard errors, 5/√n, and the variance within 5·√(2/n).
    assert abs(float(x.mean())) < 0.016
    assert abs(float(x.var()) - 1) < 0.023


def test_reshape_shares_memory_under_two_ids() -> None:
    # Slip: the notes write `a = arange(12)`; the name lives in torch.
    a = torch.arange(12)
    b = a.reshape(3, 4)
    b[:] = 2
    assert repr(a) == "tensor([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])"
    # Two Python objects, hence two ids, over one piece of memory.
    assert id(a) != id(b)
    assert a.data_ptr() == b.data_ptr()


def test_clone_has_its_own_memory() -> None:
    A = torch.arange(20).reshape(5, 4)
    B = A.clone()
    B[:] = 0
    assert A.data_ptr() != B.data_ptr()
    assert A.sum() == 190


# Operators --------------------------------------------------------------------------------------------------


def test_elementwise_operators_print_as_in_the_notes() -> None:
    x = torch.tensor([1, 2, 3])
    y = torch.tensor([4, 5, 6])
    printed = """
    (tensor([5, 7, 9]),
    tensor([-3, -3, -3]),
    tensor([ 4, 10, 18]),
    tensor([0.2500, 0.4000, 0.5000]),
    tensor([  1,  32, 729]),
    tensor([4, 2, 2]))
    """
    result = repr((x + y, x - y, x * y, x / y, x**y, y // x))
    assert result == " ".join(line.strip() for line in printed.strip().splitlines())
    assert x.dtype == torch.int64


def test_two_ways_to_make_a_float_tensor() -> None:
    by_value = torch.tensor([1.0, 2, 3, 4])
    by_dtype = torch.tensor([1, 2, 3, 4], dtype=torch.float32)
    assert repr(by_value) == repr(by_dtype) == "tensor([1., 2., 3., 4.])"
    assert by_value.dtype == by_dtype.dtype == torch.float32


def test_cat_along_rows_and_columns_promotes_the_integers() -> None:
    X = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    Y = torch.tensor([[0, 0, 1, 0], [2, 0, 3, 0], [1, 2, 3, 4]])
    by_rows, by_columns = torch.cat((X, Y), dim=0), torch.cat((X, Y), dim=1)
    assert (by_rows.shape, by_columns.shape) == ((6, 4), (3, 8))
    # X is float32 and Y is int64: the result is float32.
    assert by_rows.dtype == by_columns.dtype == torch.float32
    assert repr(by_columns) == (
        "tensor([[ 0.,  1.,  2.,  3.,  0.,  0.,  1.,  0.],\n"
        "        [ 4.,  5.,  6.,  7.,  2.,  0.,  3.,  0.],\n"
        "        [ 8.,  9., 10., 11.,  1.,  2.,  3.,  4.]])"
    )


def test_comparison_and_sum() -> None:
    x, y = torch.tensor([1, 2, 3]), torch.tensor([1, 5, 3])
    assert repr(x == y) == "tensor([ True, False,  True])"
    assert repr(x.sum()) == "tensor(6)"


def test_broadcasting_also_adds_missing_axes() -> None:
    # Slip: "broadcasting happens only if one tensor has a dimension of 1". A missing dimension broadcasts
    # too, and a 0-d tensor with everything. What never fits are two different sizes, neither of them 1.
    assert (torch.ones(3, 1) + torch.ones(1, 2)).shape == (3, 2)
    assert (torch.ones(2, 3) + torch.ones(3)).shape == (2, 3)
    assert (torch.ones(2, 3) + torch.tensor(1.0)).shape == (2, 3)
    # Nor does a tensor copy itself: the expanded one is the same memory, read again and again.
    x = torch.ones(3, 1)
    assert x.expand(3, 2).data_ptr() == x.data_ptr()
    with pytest.raises(RuntimeError, match=both("(2, 3)", "(2,)")):
        torch.ones(2, 3) + torch.ones(2)


def test_indexing_and_slices() -> None:
    X = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    assert repr(X[-1]) == "tensor([ 8.,  9., 10., 11.])"
    assert repr(X[1:3]) == "tensor([[ 4.,  5.,  6.,  7.],\n        [ 8.,  9., 10., 11.]])"


def test_saving_memory() -> None:
    X = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    Y = torch.tensor([[0, 0, 1, 0], [2, 0, 3, 0], [1, 2, 3, 4]])
    Z = torch.zeros_like(X)
    before, memory = id(Z), Z.data_ptr()
    Z[:] = X + Y
    assert (id(Z), Z.data_ptr()) == (before, memory)
    assert torch.equal(Z, X + Y)
    before, memory = id(X), X.data_ptr()
    X[:] = X + Y
    assert torch.equal(X, Z)
    X += Y
    assert (id(X), X.data_ptr()) == (before, memory)
    assert torch.equal(X, Z + Y)
    # The other way round the result, float32, does not fit into the integers of Y.
    with pytest.raises(RuntimeError, match=both("float32", "int64")):
        Y += X


def test_conversion_to_numpy_and_to_python_numbers() -> None:
    X = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    A = X.numpy()
    B = torch.tensor(A)
    assert (type(A), type(B)) == (np.ndarray, torch.Tensor)
    # `numpy()` shares memory, `tensor()` copies.
    X[0, 0] = 100
    assert A[0, 0] == 100
    assert B[0, 0] == 0
    a = torch.tensor([1.2])
    assert repr((a, a.item(), float(a))) == "(tensor([1.2000]), 1.2000000476837158, 1.2000000476837158)"


# Preparing a table ------------------------------------------------------------------------------------------


def test_house_tiny_from_csv_to_tensors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.makedirs(os.path.join(tmp_path, "..", "data"), exist_ok=True)
    data_file = os.path.join(tmp_path, "..", "data", "house_tiny.csv")
    with open(data_file, "w") as f:
        f.write("NumRooms,Alley,Price\n")
        f.write("NA,Pave,127500\n")
        f.write("2,NA,106000\n")
        f.write("4,NA,178100\n")
        f.write("NA,NA,140000\n")
    data = pd.read_csv(data_file)

    inputs, outputs = data.iloc[:, 0:2], data.iloc[:, 2]
    inputs = inputs.fillna(inputs.mean(numeric_only=True))
    assert inputs["NumRooms"].tolist() == [3.0, 2.0, 4.0, 3.0]
    inputs = pd.get_dummies(inputs, dummy_na=True) * 1
    assert list(inputs.columns) == ["NumRooms", "Alley_Pave", "Alley_nan"]

    X = torch.tensor(inputs.to_numpy(dtype=float))
    y = torch.tensor(outputs.to_numpy(dtype=float))
    A = torch.tensor(inputs.values)
    print((X, y, A))
    rows = ",\n        ".join(["[3., 1., 0.]", "[2., 0., 1.]", "[4., 0., 1.]", "[3., 0., 1.]"])
    table = f"tensor([{rows}], dtype=torch.float64)"
    prices = "tensor([127500., 106000., 178100., 140000.], dtype=torch.float64)"
    assert capsys.readouterr().out == f"({table}, {prices}, {table})\n"


# Linear algebra ---------------------------------------------------------------------------------------------


FOUR_DIMENSIONS = """\
tensor([[[[  0,   1,   2,   3,   4],
          [  5,   6,   7,   8,   9],
          [ 10,  11,  12,  13,  14],
          [ 15,  16,  17,  18,  19]],

         [[ 20,  21,  22,  23,  24],
          [ 25,  26,  27,  28,  29],
          [ 30,  31,  32,  33,  34],
          [ 35,  36,  37,  38,  39]],

         [[ 40,  41,  42,  43,  44],
          [ 45,  46,  47,  48,  49],
          [ 50,  51,  52,  53,  54],
          [ 55,  56,  57,  58,  59]]],


        [[[ 60,  61,  62,  63,  64],
          [ 65,  66,  67,  68,  69],
          [ 70,  71,  72,  73,  74],
          [ 75,  76,  77,  78,  79]],

         [[ 80,  81,  82,  83,  84],
          [ 85,  86,  87,  88,  89],
          [ 90,  91,  92,  93,  94],
          [ 95,  96,  97,  98,  99]],

         [[100, 101, 102, 103, 104],
          [105, 106, 107, 108, 109],
          [110, 111, 112, 113, 114],
          [115, 116, 117, 118, 119]]]])"""


def test_a_four_dimensional_tensor_prints_as_in_the_notes() -> None:
    # In the notes each matrix row lost three spaces when the text was indented; everything else is theirs.
    X = torch.arange(120).reshape(2, 3, 4, 5)
    assert repr(X) == FOUR_DIMENSIONS


def test_hadamard_product() -> None:
    A = torch.arange(20, dtype=torch.float32).reshape(5, 4)
    B = A.clone()
    assert torch.equal(A * B, A**2)


def test_sums_over_axes() -> None:
    X = torch.arange(20, dtype=torch.float32)
    X.reshape(4, 5)
    # Slip: `reshape` returns its result, it does not change X. X still has one axis, so axis 1 is an error.
    assert X.shape == (20,)
    with pytest.raises(IndexError, match="1"):
        X.sum(axis=1)
    X = X.reshape(4, 5)
    assert repr(X.sum()) == "tensor(190.)"
    assert repr(X.sum(axis=0)) == "tensor([30., 34., 38., 42., 46.])"
    assert repr(X.sum(axis=1)) == "tensor([10., 35., 60., 85.])"
    assert torch.equal(X.sum(axis=[0, 1]), X.sum())
    # `keepdim` is PyTorch's word, `keepdims` NumPy's; both are understood, and both keep broadcasting simple.
    assert (
        repr(X.sum(axis=1, keepdim=True)) == "tensor([[10.],\n        [35.],\n        [60.],\n        [85.]])"
    )
    assert torch.equal(X.sum(axis=1, keepdims=True), X.sum(axis=1, keepdim=True))
    assert_allclose((X / X.sum(axis=1, keepdim=True)).sum(axis=1), np.ones(4), rtol=1e-6)


def test_mean_and_cumulative_sum() -> None:
    A = torch.arange(20, dtype=torch.float32).reshape(5, 4)
    assert repr(A.mean(axis=1)) == "tensor([ 1.5000,  5.5000,  9.5000, 13.5000, 17.5000])"
    assert repr(A.cumsum(axis=0)) == (
        "tensor([[ 0.,  1.,  2.,  3.],\n        [ 4.,  6.,  8., 10.],\n        [12., 15., 18., 21.],\n"
        "        [24., 28., 32., 36.],\n        [40., 45., 50., 55.]])"
    )
    assert repr((A.mean(), A.sum() / A.numel())) == "(tensor(9.5000), tensor(9.5000))"


def test_dot_product_wants_one_dtype() -> None:
    # Slip: `arange(4)` is int64 and `ones(4)` is float32. `dot` does not promote: it is an error.
    x = torch.arange(4)
    y = torch.ones(4)
    with pytest.raises(RuntimeError, match=both("int64", "float32")):
        torch.dot(x, y)
    x = torch.arange(4, dtype=torch.float32)
    assert repr((x, y, torch.dot(x, y))) == "(tensor([0., 1., 2., 3.]), tensor([1., 1., 1., 1.]), tensor(6.))"


def test_matrix_vector_product_wants_one_dtype() -> None:
    # Slip: here A is int64 and x is float32. `mv` does not promote either.
    A = torch.arange(20).reshape(5, 4)
    x = torch.arange(4, dtype=torch.float32)
    with pytest.raises(RuntimeError, match=both("int64", "float32")):
        torch.mv(A, x)
    A = torch.arange(20, dtype=torch.float32).reshape(5, 4)
    assert repr((A.shape, x.shape, torch.mv(A, x))) == (
        "(torch.Size([5, 4]), torch.Size([4]), tensor([ 14.,  38.,  62.,  86., 110.]))"
    )


def test_matrix_product_wants_fitting_shapes() -> None:
    # Slip: A and B are both (5, 4). The columns of the first must equal the rows of the second.
    A = torch.arange(20, dtype=torch.float32).reshape(5, 4)
    B = A.clone()
    with pytest.raises(RuntimeError, match=r"(?s)\(5, 4\).*\(5, 4\)"):
        torch.mm(A, B)
    assert torch.mm(A, B.T).shape == (5, 5)
    assert torch.equal(torch.mm(A, B.T).diag(), (A * B).sum(axis=1))


def test_norms() -> None:
    u = torch.tensor([3.0, -4.0])
    assert repr(torch.norm(u)) == "tensor(5.)"
    assert repr(torch.abs(u).sum()) == "tensor(7.)"
    assert repr(torch.norm(torch.ones((4, 9)))) == "tensor(6.)"  # Frobenius: √36


# Calculus: which way a Jacobian lies ------------------------------------------------------------------------


def jacobian(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """∂f/∂x in numerator layout, by reverse mode: one row, so one backward pass, for each output."""
    x = x.detach().requires_grad_(True)
    y = f(x)
    rows = [torch.autograd.grad(y[i], x, retain_graph=True)[0] for i in range(len(y))]
    return torch.stack(rows)  # (m, n)


def test_layouts_are_transposes_of_each_other() -> None:
    # y = Ax has the Jacobian A in numerator layout (m, n), so Aᵀ in denominator layout (n, m).
    A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
    y = torch.tensor([0.5, -1.0, 2.0])
    assert torch.equal(jacobian(lambda y: A @ y, y), A)


def test_gradient_of_a_quadratic_form() -> None:
    # ∂(yᵀAy)/∂y = Ay + Aᵀy, which is 2Ay when A is symmetric. `grad` has the shape of y (denominator layout).
    A = torch.tensor([[1.0, 2.0], [5.0, 3.0]])
    S = A + A.T
    for M, expected in ((A, lambda y: A @ y + A.T @ y), (S, lambda y: 2 * (S @ y))):
        y = torch.tensor([0.5, -1.0], requires_grad=True)
        torch.dot(y, M @ y).backward()
        assert y.grad.shape == y.shape
        assert_allclose(y.grad, expected(y.detach()))


def test_gradient_of_a_scalar_by_a_matrix_has_its_shape() -> None:
    # ∂y/∂X is (k, n) in the table of the notes (numerator layout). `grad` is its transpose, (n, k), like X.
    X = torch.arange(6.0).reshape(2, 3).requires_grad_(True)
    u, v = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0, 3.0])
    torch.dot(u, X @ v).backward()
    assert torch.equal(X.grad, torch.outer(u, v))


def test_chain_rule_of_the_linear_regression_example() -> None:
    # z = (⟨x, w⟩ − y)²:  ∂z/∂w = 2b·1·xᵀ with b = ⟨x, w⟩ − y.
    x, y = torch.tensor([1.0, -2.0, 3.0]), 1.5
    w = torch.tensor([0.5, 0.25, 2.0], requires_grad=True)
    a = torch.dot(x, w)
    b = a - y
    z = b**2
    z.backward()
    assert torch.equal(w.grad, 2 * b.detach() * 1 * x)


# Automatic differentiation: the two modes -------------------------------------------------------------------


def test_implicit_graph_of_the_notes() -> None:
    # The notes show it in MXNet; here nothing has to be recorded by hand.
    a = torch.ones((2, 1), requires_grad=True)
    b = torch.ones((2, 1), requires_grad=True)
    c = 2 * a + b
    c.sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([[2.0], [2.0]], [[1.0], [1.0]])


def test_forward_mode_example() -> None:
    # f(x1, x2) = ln x1 + x1 x2 − sin x2 at (2, 5), one tangent per input, as the notes do it by hand.
    x1, x2 = 2.0, 5.0
    gradient = []
    for d1, d2 in ((1.0, 0.0), (0.0, 1.0)):
        v1, dv1 = math.log(x1), d1 / x1
        v2, dv2 = x1 * x2, x2 * d1 + x1 * d2
        v3, dv3 = math.sin(x2), math.cos(x2) * d2
        v4, dv4 = v1 + v2, dv1 + dv2
        f, df = v4 - v3, dv4 - dv3
        gradient.append(df)
    assert [round(g, 4) for g in gradient] == [5.5, 1.7163]
    # Slip: the notes print f = 11.651, from sin 5 cut off to −0.958; rounded it is 11.652.
    assert round(f, 3) == 11.652
    assert round(v3, 3) == -0.959


def test_reverse_mode_example_ends_where_forward_mode_does() -> None:
    # Slip: the notes end in 2 − (−0.283) = 2.283. cos 5 is +0.2837, so it is 1.7163, as in forward mode.
    x1 = torch.tensor(2.0, requires_grad=True)
    x2 = torch.tensor(5.0, requires_grad=True)
    v1 = torch.log(x1)
    v2 = x1 * x2
    v3 = torch.sin(x2)
    v4 = v1 + v2
    f = v4 - v3
    assert repr(f.detach()) == "tensor(11.6521)"
    backwards = torch.autograd.grad(f, [v4, v3, v2, v1], retain_graph=True)
    assert [g.item() for g in backwards] == [1.0, -1.0, 1.0, 1.0]
    f.backward()
    assert repr((x1.grad, x2.grad)) == "(tensor(5.5000), tensor(1.7163))"
    assert repr(torch.cos(x2.detach())) == "tensor(0.2837)"


def test_vector_jacobian_products() -> None:
    # Slip: the notes form J·v with v = ∂l/∂y and sum v_j to n. J is (m, n) and v has m entries, so that
    # product does not exist unless m = n; reverse mode computes vᵀJ. (J times a vector of n entries, a
    # tangent of the inputs, is what forward mode computes.)
    A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    v = torch.tensor([1.0, -1.0])
    J = jacobian(lambda x: torch.sin(A @ x), x)
    assert J.shape == (2, 3)
    with pytest.raises(RuntimeError):
        J @ v
    torch.sin(A @ x).backward(gradient=v)
    assert_allclose(x.grad, v @ J, rtol=1e-5)


def test_reverse_mode_suits_few_outputs_and_forward_mode_few_inputs() -> None:
    # Slip: the section begins right (forward mode for many outputs, reverse mode for many inputs) and then
    # says that forward mode suits many inputs. One reverse pass gives one row of the Jacobian, so a loss with
    # n parameters takes one pass; one forward pass gives one column, so the same loss takes n of them.
    w = torch.tensor([0.5, -1.0, 2.0, 0.1, 0.7], dtype=torch.float64)
    passes = {"reverse": 0, "forward": 0}

    def loss(w: torch.Tensor) -> torch.Tensor:
        return torch.exp(torch.sin(w).sum())

    def reverse(w: torch.Tensor) -> torch.Tensor:
        passes["reverse"] += 1
        w = w.detach().requires_grad_(True)
        return torch.autograd.grad(loss(w), w)[0]

    def forward(w: torch.Tensor, tangent: torch.Tensor) -> torch.Tensor:
        passes["forward"] += 1
        h = 1e-6  # a directional derivative, here by central differences
        return (loss(w + h * tangent) - loss(w - h * tangent)) / (2 * h)

    columns = [forward(w, tangent) for tangent in torch.eye(5, dtype=torch.float64)]
    assert_allclose(torch.stack(columns), reverse(w), rtol=1e-8)
    assert passes == {"reverse": 1, "forward": 5}


# Automatic differentiation: the code ------------------------------------------------------------------------


def test_a_simple_example(capsys: pytest.CaptureFixture[str]) -> None:
    x = torch.arange(4.0)
    x.requires_grad_(True)
    y = 2 * torch.dot(x, x)
    y.backward()
    print(x.grad)
    print(x.grad == 4 * x)
    x.grad.zero_()
    y = x.sum()
    y.backward()
    print(x.grad)
    assert capsys.readouterr().out == (
        "tensor([ 0.,  4.,  8., 12.])\ntensor([True, True, True, True])\ntensor([1., 1., 1., 1.])\n"
    )


def test_backward_of_a_vector_needs_a_gradient() -> None:
    # Slip: "only scalar inputs have a gradient". It is the output that must be a scalar, unless `backward` is
    # told with which weights to add up the outputs.
    x = torch.arange(4.0, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"\(4,\)"):
        (2 * x * x).backward()
    (2 * x * x).backward(torch.ones(len(x)))
    assert torch.equal(x.grad, 4 * x.detach())


def test_gradients_accumulate_over_parts_of_a_batch() -> None:
    # The question the notes leave open, what accumulation is good for: a batch too large for the memory can
    # be taken in parts, and a weight used in two places collects from both.
    x, y = torch.arange(8.0).reshape(4, 2), torch.tensor([1.0, -1.0, 0.5, 2.0])
    w = torch.tensor([0.5, -0.25], requires_grad=True)
    ((x @ w - y) ** 2).sum().backward()
    whole = w.grad.clone()
    w.grad.zero_()
    for part in (slice(0, 2), slice(2, 4)):
        ((x[part] @ w - y[part]) ** 2).sum().backward()
    assert torch.equal(w.grad, whole)


def test_backward_of_a_non_scalar_by_its_sum() -> None:
    x = torch.arange(4.0, requires_grad=True)
    x.sum().backward()
    x.grad.zero_()
    y = x * x
    y.sum().backward()
    assert repr(x.grad) == "tensor([0., 2., 4., 6.])"
    x.grad.zero_()
    y = x * x
    y.backward(torch.ones(len(x)))
    assert repr(x.grad) == "tensor([0., 2., 4., 6.])"


def test_detached_values_are_constants() -> None:
    x = torch.arange(4.0, requires_grad=True)
    x.sum().backward()
    x.grad.zero_()
    y = x * x
    u = y.detach()
    z = u * x
    z.sum().backward()
    assert repr(x.grad == u) == "tensor([True, True, True, True])"
    # The graph behind y is still there.
    x.grad.zero_()
    y.sum().backward()
    assert torch.equal(x.grad, 2 * x.detach())


@pytest.mark.parametrize("seed", range(6))
def test_gradient_through_python_control_flow(seed: int) -> None:
    def f(a: torch.Tensor) -> torch.Tensor:
        b = a * 2
        while b.norm() < 1000:
            b = b * 2
        if b.sum() > 0:
            c = b
        else:
            c = 100 * b
        return c

    torch.manual_seed(seed)
    a = torch.randn(size=(), requires_grad=True)
    d = f(a)
    d.backward()
    # k is a power of two, times 100 for a < 0: then d is rounded once, and d / a may miss k by a last bit.
    assert torch.allclose(a.grad, (d / a).detach(), rtol=1e-6)
    if a > 0:
        assert repr(a.grad == d / a) == "tensor(True)"
        assert math.log2(a.grad).is_integer()


# Linear regression ------------------------------------------------------------------------------------------


def regression(n: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """X with a last column of ones, (n, 3), and y, (n,), in float64."""
    torch.manual_seed(1)
    X = torch.cat([torch.randn(n, 2, dtype=torch.float64), torch.ones(n, 1, dtype=torch.float64)], dim=1)
    return X, X @ torch.tensor([2.0, -3.4, 4.2], dtype=torch.float64) + 0.1 * torch.randn(
        n, dtype=torch.float64
    )


def test_squared_loss_is_not_the_variance() -> None:
    # Slip: "in fact this is the variance". ½(y − ŷ)² belongs to one sample; and its mean over many is the
    # variance of the errors (halved) only if the errors have mean 0.
    y, y_hat = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, 3.0, 6.0])
    error = y - y_hat
    assert_allclose((error**2).mean(), error.var(unbiased=False) + error.mean() ** 2, rtol=1e-6)
    assert (error**2).mean() > 5 * error.var(unbiased=False)
    # The ½ is there for the derivative.
    x = torch.tensor(2.0, requires_grad=True)
    ((x - 5) ** 2 / 2).backward()
    assert x.grad == -3


def test_loss_and_gradient_of_linear_regression() -> None:
    # Slip: J is written as a sum over i of ‖y_i − Xw‖², and its gradient with (y_i − Xw)ᵀX. Either the sum
    # has the rows x_i in it, or the whole vector stands in the norm without a sum: −(y − Xw)ᵀX / n.
    X, y = regression()
    n = len(y)
    w = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64, requires_grad=True)
    by_rows = sum((y[i] - torch.dot(X[i], w)) ** 2 for i in range(n)) / (2 * n)
    J = (y - X @ w).norm() ** 2 / (2 * n)
    assert_allclose(J.detach(), by_rows.detach())
    J.backward()
    with torch.no_grad():
        assert_allclose(w.grad, -(y - X @ w) @ X / n)


def test_closed_form_of_linear_regression() -> None:
    X, y = regression()
    w = torch.linalg.inv(X.T @ X) @ X.T @ y
    assert_allclose(w, np.linalg.lstsq(X.numpy(), y.numpy(), rcond=None)[0], rtol=1e-10)
    assert_allclose((y - X @ w) @ X / len(y), np.zeros(3), atol=1e-12)


def test_second_derivative_of_linear_regression_may_be_zero() -> None:
    # Slip: "the second derivative of a linear model is certainly greater than zero". It is XᵀX / n, which is
    # never negative; but where columns of X depend on each other it is zero along some direction, and the
    # optimum is not unique.
    X, _ = regression()
    assert bool((torch.linalg.eigh(X.T @ X / len(X))[0] > 0.1).all())
    twice = torch.cat([X, X[:, :1]], dim=1)
    smallest = torch.linalg.eigh(twice.T @ twice / len(X))[0][0]
    assert abs(float(smallest)) < 1e-12


def test_other_models_have_a_closed_form_too() -> None:
    # Slip: "no other model has a closed form". Ridge regression, for one, has: (XᵀX + nλ)⁻¹Xᵀy.
    X, y = regression()
    n, lam = len(y), 0.1
    w = torch.linalg.solve(X.T @ X + n * lam * torch.eye(3, dtype=torch.float64), X.T @ y).requires_grad_(
        True
    )
    loss = (y - X @ w).norm() ** 2 / (2 * n) + lam / 2 * (w**2).sum()
    loss.backward()
    assert_allclose(w.grad, np.zeros(3), atol=1e-12)


def test_learning_rate_neither_too_small_nor_too_large() -> None:
    X, y = regression()
    best = torch.linalg.solve(X.T @ X, X.T @ y)

    def distance(lr: float) -> float:
        w = torch.zeros(3, dtype=torch.float64)
        for _ in range(100):
            w = w + lr * (y - X @ w) @ X / len(y)
        return float((w - best).norm())

    assert distance(0.5) < 1e-6
    assert distance(1e-4) > 1  # hardly moved
    assert distance(5.0) > 1e6  # diverged


def test_mini_batches_average_to_the_gradient() -> None:
    # Slip: the sum in the notes runs over i and its terms have the index i_j; it runs over j = 1, …, b.
    X, y = regression()
    w = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)

    def gradient(rows: slice) -> torch.Tensor:
        return -(y[rows] - X[rows] @ w) @ X[rows] / len(y[rows])

    batches = [gradient(slice(i, i + 5)) for i in range(0, 20, 5)]
    assert_allclose(torch.stack(batches).mean(0), gradient(slice(0, 20)))


def test_synthetic_data(capsys: pytest.CaptureFixture[str]) -> None:
    def synthetic_data(w: torch.Tensor, b: float, num_examples: int) -> tuple[torch.Tensor, torch.Tensor]:
        """y = Xw + b + noise"""
        X = torch.normal(0, 1, (num_examples, len(w)))
        y = torch.matmul(X, w) + b
        y += torch.normal(0, 0.01, y.shape)
        return X, y.reshape((-1, 1))

    torch.manual_seed(0)
    true_w = torch.tensor([2, -3.4])
    true_b = 4.2
    features, labels = synthetic_data(true_w, true_b, 1000)
    print("features:", features[0], "\nlabel:", labels[0])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("features: tensor([")
    assert lines[1].startswith("label: tensor([")
    assert (features.shape, labels.shape, features.dtype) == ((1000, 2), (1000, 1), torch.float32)
    # The arguments of the scatter plot of the notes.
    assert features[:, (1)].detach().numpy().shape == (1000,)
    assert labels.detach().numpy().shape == (1000, 1)
    # What was put in comes out again, to within the noise.
    X = torch.cat([features, torch.ones(1000, 1)], dim=1)
    w = torch.linalg.lstsq(X, labels).solution.reshape(-1)
    assert_allclose(w, [2.0, -3.4, 4.2], atol=0.002)
    assert 0.008 < float((labels - X @ w.reshape(-1, 1)).std()) < 0.012
