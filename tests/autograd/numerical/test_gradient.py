"""`numerical_grad` against closed forms and against backward, and the messages it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.autograd import numerical_grad
from chainrule.base import wrap
from chainrule.core.errors import ArgumentError, DTypeError, GradError
from chainrule.ops import TABLE
from tests.ops.cases import cases, is_float, run, tensors
from tests.sites import line

METHODS = {"forward": 1e-7, "central": 1e-9, "complex": 1e-14, "richardson": 1e-11}


def double(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("method", METHODS)
def test_gradient_of_a_number_is_the_closed_form(method: str) -> None:
    x = double(0.5, 2.0, -3.0)
    g = numerical_grad(lambda x: (x**3 + x.sin()).sum(), x, method)
    a = x.numpy()
    np.testing.assert_allclose(g, 3 * a**2 + np.cos(a), rtol=METHODS[method])
    assert g.dtype == torch.float64


@pytest.mark.parametrize("method", METHODS)
def test_jacobian_has_the_shape_of_the_output_then_of_the_input(method: str) -> None:
    w = double(1.0, 2.0, 3.0, 4.0, 5.0, 6.0).reshape(2, 3)
    x = double(0.5, -1.0, 2.0)
    (by_w, by_x), (of_sum, _) = numerical_grad(lambda w, x: (w @ x, w.sum()), (w, x), method)
    assert tuple(by_w.shape) == (2, 2, 3)
    np.testing.assert_allclose(by_x, w.numpy(), rtol=1e-6)
    np.testing.assert_allclose(by_w, np.einsum("ij,k->ijk", np.eye(2), x.numpy()), atol=1e-6)
    np.testing.assert_allclose(of_sum, np.ones((2, 3)), rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("method", METHODS)
def test_smaller_types_keep_as_many_digits_as_theory_says(method: str, dtype: Any) -> None:
    x = torch.tensor([0.7, 1.3], dtype=dtype)
    if (method, dtype) == ("complex", torch.float16):
        with pytest.raises(ArgumentError) as info:
            numerical_grad(lambda x: x.exp().sum(), x, method)
        assert info.value.summary == (
            "the complex step got an input of type float16\n"
            "  there are complex numbers of two sizes, for float32 and float64\n"
            "  try: x.float()"
        )
        return
    g = numerical_grad(lambda x: x.exp().sum(), x, method)
    assert g.dtype == dtype
    eps = torch.finfo(dtype).eps
    np.testing.assert_allclose(g, np.exp([0.7, 1.3]), rtol=8 * eps ** (1 / 2))


def test_richardson_knows_how_far_it_may_be_off() -> None:
    x = double(0.3, 1.0, 4.0)
    g, error = numerical_grad(lambda x: x.log().sum(), x, "richardson", return_error=True)
    assert (np.abs(g.numpy() - 1 / x.numpy()) <= 10 * error.numpy() + 1e-15).all()
    assert (error.numpy() < 1e-9).all()


def test_richardson_comes_back_from_steps_outside_the_domain() -> None:
    g = numerical_grad(lambda x: x.log(), double(0.02), "richardson")  # the first steps reach below 0
    np.testing.assert_allclose(g, [[50.0]], rtol=1e-7)


def test_random_numbers_are_the_same_in_all_evaluations() -> None:
    torch.manual_seed(3)
    g = numerical_grad(lambda x: (x * torch.rand(3)).sum(), torch.ones(3).double())
    torch.manual_seed(3)
    np.testing.assert_allclose(g, torch.rand(3), rtol=1e-6)


def test_complex_step_follows_writes_views_and_branches() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        y[0] += x[1] ** 2  # through a view
        z = torch.zeros(2, dtype=torch.float64)
        z[1] = y[0] * x[0] if float(x[0]) > 0 else x[0]
        return z.sum() + y.detach().exp()[1]

    x = double(0.5, 1.5)
    # z = (2a + b²) a, and exp(2b): detach stops no numerical derivative
    exact = [4 * 0.5 + 1.5**2, 2 * 1.5 * 0.5 + 2 * np.exp(3.0)]
    np.testing.assert_allclose(numerical_grad(f, x, "complex"), exact, rtol=1e-13)
    np.testing.assert_allclose(numerical_grad(f, x, "central"), exact, rtol=1e-8)


@pytest.mark.parametrize("name", [op.name for op in TABLE.values() if op.differentiable])
def test_complex_step_is_right_or_refused_for_every_op(name: str) -> None:
    for case in cases(TABLE[name]):
        arrays = case.arrays()
        settings = case.sample.settings_for(arrays)
        for i, a in enumerate(arrays):
            xs = tensors(arrays)

            def f(x: Any, i: int = i, xs: Any = xs, case: Any = case, settings: Any = settings) -> Any:
                return run(case, [*xs[:i], x, *xs[i + 1 :]], settings)

            x = wrap(np.array(a))
            if not is_float(a) or not f(x).is_floating_point():
                continue
            refused = []
            try:
                found = numerical_grad(f, x, "complex")
            except GradError as err:
                refused.append(str(err))
            if refused:
                assert "must be analytic" in refused[0]
            else:
                real = numerical_grad(f, x, "richardson")
                np.testing.assert_allclose(found, real, rtol=1e-6, atol=1e-7)


ANALYTIC = (
    "exp log sqrt sin tanh asinh sigmoid relu maximum mul div pow matmul logsumexp softmax sum cumsum reshape"
)


@pytest.mark.parametrize("name", [n for n in ANALYTIC.split() if n in TABLE])
def test_complex_step_is_possible_for_analytic_ops(name: str) -> None:
    case = cases(TABLE[name])[0]
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    xs = tensors(arrays)
    numerical_grad(lambda x: run(case, [x, *xs[1:]], settings), xs[0], "complex")


def test_absolute_value_has_no_complex_step() -> None:
    with pytest.raises(GradError) as info:
        here = line(-1)
        numerical_grad(lambda x: x.abs(), double(0.5), "complex")
    assert str(info.value) == (
        "the complex step got a function that uses |x|\n"
        "  every operation must be analytic at the point, but this one is not: at element 0 of its result it "
        "changes by 1 along the real axis, and by 0 along the imaginary one\n"
        '  try: method="central" or "richardson", which need real numbers only\n'
        f"  at {here}"
    )


def test_a_rule_without_complex_numbers_is_refused() -> None:
    with pytest.raises(GradError, match="its NumPy rule has no meaning for complex numbers"):
        numerical_grad(lambda x: torch.erf(x), double(0.5), "complex")


def test_a_value_that_leaves_the_tensors_is_found() -> None:
    with pytest.raises(GradError) as info:
        numerical_grad(lambda x: x * x.item(), torch.tensor(2.0, dtype=torch.float64), "complex")
    assert "it follows tensors only, so a value that leaves them, by item(), float() or numpy(), is a" in str(
        info.value
    )


def test_a_lost_step_is_an_error() -> None:
    with pytest.raises(ArgumentError) as info:
        here = line(-1)
        numerical_grad(lambda x: x.sin(), torch.tensor([1.0]), "forward", 2**-32)
    assert str(info.value) == (
        "numerical_grad got a step of 2.33e-10 at x = 1 in float32\n"
        "  x + h is x: numbers of this type are too far apart there, so nothing would move\n"
        "  try: a step of at least 1.2e-07, or none for the best one\n"
        f"  at {here}"
    )


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: numerical_grad(torch.sin, torch.ones(1), "centrel"),
            ArgumentError,
            "numerical_grad got method='centrel' (did you mean 'central'?)\n"
            "  it is one of central, forward, complex, richardson",
        ),
        (
            lambda: numerical_grad(torch.sin, torch.ones(1), step=0.0),
            ArgumentError,
            "numerical_grad got step=0.0\n  a step is a positive number",
        ),
        (
            lambda: numerical_grad(torch.sin, torch.ones(1), return_error=True),
            ArgumentError,
            'numerical_grad got return_error=True and method="central"\n'
            "  only an extrapolation knows how far it may be off\n"
            '  try: method="richardson"',
        ),
        (
            lambda: numerical_grad(torch.sin, [1.0]),
            ArgumentError,
            "numerical_grad got float as input 0\n  inputs are tensors\n  try: torch.tensor(...) of it",
        ),
        (
            lambda: numerical_grad(torch.sin, torch.ones(1).long()),
            DTypeError,
            "numerical_grad got input 0 of type int64\n"
            "  only a number that can move by a small step has a derivative\n"
            "  try: x.double()",
        ),
        (
            lambda: numerical_grad(lambda x: x.item(), torch.ones(1)),
            ArgumentError,
            "numerical_grad got a function that returns float\n"
            "  it must return a tensor or a tuple of tensors\n"
            "  try: the tensor itself, without item() or float()",
        ),
        (
            lambda: numerical_grad(lambda x: x > 0, torch.ones(1)),
            DTypeError,
            "numerical_grad got a function with results of type bool\n"
            "  only a number that can change a little has a derivative\n"
            "  try: y.double()",
        ),
    ],
)
def test_messages(call: Any, kind: Any, text: str) -> None:
    with pytest.raises(kind) as info:
        call()
    assert info.value.summary == text
