"""What `explain` does around the derivation: inputs, side effects, messages, checks, cost, parts."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.explain import explain
from chainrule.func import grad
from chainrule.nn import functional as F

# -- the forms of the notes -------------------------------------------------------------------------------


def example(x: Any, w: Any, y: Any) -> Any:
    a = x @ w
    b = a - y
    z = b**2
    return z  # noqa: RET504


def inner_product(layout: str) -> Any:
    x, w = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.1, 0.2, 0.3], requires_grad=True)
    return explain(example, x, w, torch.tensor(2.0), layout=layout)


@pytest.mark.parametrize(
    ("layout", "a_by_w", "z_by_w", "shape"),
    [("numerator", "x.T", "2*b*x.T", (1, 3)), ("denominator", "x", "2*b*x", (3,))],
)
def test_the_linear_regression_of_the_notes(layout: str, a_by_w: str, z_by_w: str, shape: Any) -> None:
    d = inner_product(layout)
    found = {row.name: (str(row.formula), row.shape) for row in d.locals}
    assert found == {"∂a/∂w": (a_by_w, shape), "∂b/∂a": ("1", ()), "∂z/∂b": ("2*b", ())}
    (row,) = d.matrix
    assert (row.name, str(row.formula), row.shape) == ("∂z/∂w", z_by_w, shape)
    assert row.rule == (
        f"chain rule; {'∂⟨x, y⟩/∂y = xᵀ' if layout == 'numerator' else '∂⟨x, y⟩/∂y = x'}; "
        "difference rule; power rule"
    )


A, B = torch.tensor([[1.0, 2.0], [3.0, 5.0]]), torch.tensor([[2.0, 7.0], [1.0, 8.0]])
Y = torch.tensor([1.0, -1.0])


def least_squares(X: Any, w: Any, y: Any) -> Any:
    r = X @ w - y
    return (r * r).sum() / (2 * len(y))


@pytest.mark.parametrize(
    ("fn", "inputs", "by", "numerator", "denominator"),
    [
        (lambda A, y: y @ (A @ y), (A, Y), "y", "y.T @ A + y.T @ A.T", "A.T @ y + A @ y"),
        (lambda A, y: y @ (A @ y), (A, Y), "A", "outer(y, y)", "outer(y, y)"),
        (lambda y: y @ y, (Y,), "y", "2*y.T", "2*y"),
        (lambda y: (y**2).sum(), (Y,), "y", "2*y.T", "2*y"),
        (lambda A, X: torch.trace(A @ X), (A, B), "X", "A", "A.T"),
        (lambda A, X: torch.trace(A @ X), (A, B), "A", "X", "X.T"),
        (lambda A, X: torch.trace(X.T @ X), (A, B), "X", "2*X.T", "2*X"),
        (least_squares, (A, Y, Y), "w", "1/2*(r.T @ X)", "1/2*(X.T @ r)"),
        (lambda y: torch.exp(y).sum(), (Y,), "y", "exp(y).T", "exp(y)"),
        (
            lambda o: F.cross_entropy(o, torch.tensor([0, 1])),
            (B,),
            "o",
            "1/2*(softmax(o, dim=1).T - one_hot(c, 2).T)",
            "1/2*(softmax(o, dim=1) - one_hot(c, 2))",
        ),
    ],
)
def test_identities_of_matrix_calculus(
    fn: Any, inputs: Any, by: str, numerator: str, denominator: str
) -> None:
    for layout, wanted in (("numerator", numerator), ("denominator", denominator)):
        d = explain(fn, *inputs, layout=layout)
        assert d.agree
        (found,) = [str(row.formula) for row in d.matrix if row.of.name == by]
        assert found == wanted


def test_matrix_times_vector() -> None:
    for layout, by_y, rule in (("numerator", "A", "∂Ay/∂y = A"), ("denominator", "A.T", "∂Ay/∂y = Aᵀ")):
        d = explain(lambda A, y: A @ y, A, Y.clone().requires_grad_(), layout=layout)
        (row,) = d.locals
        assert (row.name, str(row.formula), row.shape, row.rule) == ("∂f/∂y", by_y, (2, 2), rule)


def test_a_vector_is_differentiated_as_the_sum_of_its_elements() -> None:
    d = explain(lambda x: x * x, torch.tensor([1.0, 2.0]))
    assert d.target == "Σf"
    assert d.gradient["x"].tolist() == [2.0, 4.0]
    assert (
        "f has several elements: what is differentiated is their sum, Σf, as f.sum().backward() does."
        in str(d)
    )


# -- what happens around it -------------------------------------------------------------------------------


def test_the_function_runs_as_if_once() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
    x = torch.randn(4, 3)
    torch.manual_seed(4)
    before = [p.clone() for p in net.parameters()]
    explain(net, x)
    mean, state = net[1].running_mean.clone(), torch.get_rng_state()
    assert net[1].num_batches_tracked.item() == 1
    assert all(torch.equal(p, q) and p.grad is None for p, q in zip(net.parameters(), before, strict=True))
    net[1].reset_running_stats()
    torch.manual_seed(4)
    net(x)
    assert torch.equal(mean, net[1].running_mean)
    assert torch.equal(state, torch.get_rng_state())


def test_state_is_clean_after_an_error_in_the_function() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        raise KeyError(str(y.shape))

    with pytest.raises(KeyError):
        explain(f, 1.0)
    assert explain(lambda x: x * 2, 1.0).gradient["x"].item() == 2


def test_which_inputs_are_differentiated() -> None:
    x, w = torch.ones(2), torch.ones(2, requires_grad=True)
    assert list(explain(lambda x, w: (x * w).sum(), x, w).gradient) == ["w"]
    assert list(explain(lambda x: (x * w).sum(), x).gradient) == ["w"]
    assert list(explain(lambda x, n: (x * n).sum(), x, torch.tensor(2)).gradient) == ["x"]
    assert list(explain(lambda x, n: (x**n).sum(), x, 3).gradient) == ["x"]
    assert explain(lambda a, b: a * 2, 1.0, 5.0).gradient["b"].item() == 0


def test_one_tensor_given_twice_is_two_variables() -> None:
    x = torch.tensor([1.0, 2.0])
    d = explain(lambda a, b: (a * a * b).sum(), x, x)
    assert d.gradient["a"].tolist() == [2.0, 8.0]
    assert d.gradient["b"].tolist() == [1.0, 4.0]
    assert d.agree


def test_gradients_inside_of_the_function() -> None:
    def f(x: Any) -> Any:
        y = (x**3).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        return g.sum()

    for d in (
        explain(f, torch.tensor([1.0, 2.0])),
        explain(lambda x: grad(lambda u: (u**3).sum())(x).sum(), Y),
    ):
        (check,) = d.checks
        assert check.agree
        assert check.differences is not None
    assert explain(f, torch.tensor([1.0, 2.0])).gradient["x"].tolist() == [6.0, 12.0]


def test_a_kink_is_told_with_its_convention() -> None:
    d = explain(lambda x: torch.relu(x), 0.0)
    assert not d.agree
    assert (
        "The modes and the differences disagree. Where the function has a kink, a convention holds: "
        "max(x, 0): 0 at x = 0." in d.text(width=200)
    )


@pytest.mark.parametrize(
    ("fn", "why"),
    [
        (lambda x: torch.log(-x), "the value is not finite here"),
        (lambda x: x * Counter.next(), "the function gives another value when it runs again"),
        (
            lambda x: checked(x, x.item() == 2),
            "the function fails beside this point: AssertionError: no other x",
        ),
        (
            lambda x: x.detach() * x,
            "the function holds values constant (detach or no_grad), and differences would move them",
        ),
    ],
)
def test_why_there_are_no_differences(fn: Any, why: str) -> None:
    d = explain(fn, 2.0)
    assert d.unchecked == why
    assert f"Central differences were not taken: {why}." in d.text(width=200)
    assert d.agree


def checked(x: Any, holds: bool) -> Any:
    assert holds, "no other x"
    return x * x


def test_a_function_for_one_type_is_run_in_that_type() -> None:
    def f(x: Any) -> Any:
        if x.dtype is not torch.float32:
            raise ValueError("float32 only")
        return (x * x).sum()

    d = explain(f, torch.tensor([1.0, 2.0]))
    assert d.unchecked == ""
    assert d.agree


def test_arrays_are_tensors() -> None:
    d = explain(lambda x: (x * x).sum(), np.array([1.0, 2.0]))
    assert d.gradient["x"].tolist() == [2.0, 4.0]


class Counter:
    n = 0

    @classmethod
    def next(cls) -> int:
        cls.n += 1
        return cls.n


# -- cost -------------------------------------------------------------------------------------------------


def test_cost_of_many_inputs() -> None:
    cost = explain(lambda x: (x * x).sum(), torch.ones(10, dtype=torch.float64)).cost
    assert cost is not None
    assert (cost.inputs, cost.outputs, cost.value) == (10, 1, 20)
    assert cost.suits == "reverse"
    assert cost.kept == 0
    assert cost.sentence == (
        "10 inputs, 1 output: forward mode needs 10 passes (one per input), reverse mode 1 pass (one per "
        f"output): {10 * cost.forward} against {cost.reverse} operations. Reverse mode suits; all that it "
        "has to keep is what goes in."
    )


def test_cost_of_many_outputs_and_what_is_kept() -> None:
    cost = explain(lambda t: torch.exp(t * torch.ones(8, dtype=torch.float64)), 1.0).cost
    assert cost is not None
    assert (cost.inputs, cost.outputs, cost.suits, cost.kept) == (1, 8, "forward", 64)
    assert cost.sentence.endswith(
        "Forward mode suits; it keeps nothing for later (reverse mode would keep 64 B)."
    )


# -- parts ------------------------------------------------------------------------------------------------


def deep() -> Any:
    torch.manual_seed(0)
    net = nn.Sequential()
    for i in range(4):
        net.add_module(f"block{i}", nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8), nn.Sigmoid()))
    return explain(
        lambda X, y: F.cross_entropy(net(X), y), torch.randn(6, 8), torch.tensor([0, 1, 2, 3, 4, 5])
    )


def test_layers_are_folded_and_opened_by_name() -> None:
    d = deep()
    assert [row.name for row in d.values if d.fold_of(row.of)] == [f"v{6 * (i + 1)}" for i in range(4)]
    text = d.text()
    assert "[block1] v6 → v12: 6 steps" in text
    assert "Inside of block1: 4 parameters, norm of the gradient" in text
    assert "∂f/∂block1.0.weight" not in text
    part = d["block1"]
    assert [step.out.name for step in part.steps] == [f"v{n}" for n in range(7, 13)]
    assert "∂f/∂block1.0.weight" in [row.name for row in part.reverse]
    assert [step.out.name for step in d["block1.2"].steps] == ["v10", "v11"]
    assert d.agree


def test_many_numbers_are_summarised() -> None:
    text = explain(lambda x: (x @ x).sum(), torch.randn(50, 50)).text()
    assert max(map(len, text.splitlines())) <= 130
    assert "direction 1" in text


def test_rounds_of_a_loop_are_folded() -> None:
    def f(a: Any) -> Any:
        b = a * 2
        for _ in range(60):  # long enough for Python to speed up its instructions halfway
            b = torch.sin(b) + 1
        return b

    d = explain(f, 0.5)
    assert [row.name for row in d.values] == ["a", "b1", "v1", "b2", "b60", "v60", "b61"]
    assert "[loop1] b2 → b60: 116 steps, 58 more rounds of line" in d.text()
    assert len(d["loop1"].steps) == 116
    assert d["b7"].reverse[0].name == "∂b61/∂b7"
    assert d.agree


def test_parts_of_a_short_derivation() -> None:
    d = explain(lambda x1, x2: torch.log(x1) + x1 * x2, 2.0, 5.0)
    assert [row.name for row in d["x1"].reverse] == ["∂f/∂x1"]
    assert [row.name for row in d["v2"].values] == ["x1", "x2", "v2", "f"]
    assert "v1" in d
    assert "w" not in d
    with pytest.raises(torch.ArgumentError) as err:
        d["v3"]
    assert err.value.summary == (
        "derivation['v3']\n  there is no value, layer or loop of this name\n  try: one of x1, x2, v1, v2, f"
    )


# -- messages ---------------------------------------------------------------------------------------------


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


X3 = torch.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: explain(lambda x: (x, x), X3),
            "explain got a function that returns a tuple of 2\n  it must return one tensor\n"
            "  try: explain(lambda *xs: fn(*xs)[0], ...) for one of several results",
        ),
        (
            lambda: explain(lambda x: x.sum().item(), X3),
            "explain got a function that returns float\n  it must return one tensor\n"
            "  try: return the tensor itself, without .item(), float() or numpy()",
        ),
        (
            lambda: explain(lambda x: {"loss": x.sum()}, X3),
            "explain got a function that returns dict\n  it must return one tensor\n"
            "  try: explain(lambda *xs: fn(*xs)['loss'], ...) for one of several results",
        ),
        (
            lambda: explain(lambda x: x.sum().backward(), X3),
            "explain got a function that returns nothing\n  it must return one tensor\n"
            "  try: a return at its end; and no backward() inside, which explain does by itself",
        ),
        (
            lambda: explain("x**2", 3.0),  # type: ignore[arg-type]
            "explain got str\n  it takes a function and its inputs\n"
            "  try: chainrule.explain.expression.Expression('x**2'), which reads a formula",
        ),
        (
            lambda: explain(lambda x: x.detach() * 2, X3),
            "explain got a result (3,) that no derivative by x goes into\n"
            "  it is a constant: made of detached values, under no_grad, or of whole numbers\n"
            "  try: look for .detach(), .item(), torch.tensor(...) of a tensor, argmax or comparisons on the "
            "way",
        ),
        (
            lambda: explain(lambda x: x * 2, torch.tensor([1, 2])),
            "explain got x (2,), and no input that can be differentiated\n"
            "  an input, or a parameter that the function uses, must be a tensor of floats\n"
            "  try: x.float(): whole numbers have no derivative",
        ),
        (
            lambda: explain(lambda: torch.ones(2)),
            "explain got no tensor, and no input that can be differentiated\n"
            "  an input, or a parameter that the function uses, must be a tensor of floats\n"
            "  try: explain(fn, tensor(2.0))",
        ),
        (
            lambda: explain(X3),
            "explain got Tensor\n  it takes a function and its inputs\n"
            "  try: y.explain() for a result that is there already",
        ),
        (lambda: explain(3), "explain got int\n  it takes a function and its inputs"),  # type: ignore[arg-type]
        (
            lambda: explain(torch.sin, X3, mode="revers"),
            "explain got mode='revers'\n"
            "  the mode must be 'both', 'forward' or 'reverse' (did you mean 'reverse'?)",
        ),
        (
            lambda: explain(torch.sin, X3, layout="denom"),
            "explain got layout='denom'\n"
            "  the layout must be 'numerator' or 'denominator' (did you mean 'denominator'?)",
        ),
        (
            lambda: explain(lambda x: Square.apply(x * 2).sum(), X3),
            "explain got a value made by Square, which does not run op by op\n"
            "  a derivation is made of the primitives that run; those inside of an autograd.Function or of a "
            "compiled function are not seen\n"
            "  try: explain the function without them: with the formula itself, and before compile",
        ),
        (
            lambda: explain(torch.sin, 1.0).save("x.pdf"),
            "save got 'x.pdf'\n  the name must end in .html, .md or .txt",
        ),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises(torch.ChainruleError) as err:
        call()
    assert err.value.summary == message


@pytest.mark.parametrize("what", ["explain", "y.explain()"])
def test_inside_of_a_trace(what: str) -> None:
    def f(x: Any) -> Any:
        return explain(torch.sin, x).output if what == "explain" else (x * x).explain().output

    with pytest.raises(torch.ArgumentError) as err:
        torch.compile(f)(torch.ones(3, requires_grad=True))
    assert err.value.summary == (
        f"{what} got a call inside of a function that is being traced\n"
        "  it shows values, and a trace has none\n"
        "  try: explain the function outside of compile and trace"
    )


def test_float32_and_float16_agree_within_their_digits() -> None:
    rng = np.random.default_rng(0)
    for kind in (torch.float32, torch.float16):
        x = torch.tensor(rng.standard_normal((4, 4)), dtype=kind)
        assert explain(lambda x: (torch.tanh(x @ x) * x).mean(), x).agree


# -- programs that a gradient alone does not tell everything about ---------------------------------------


def test_a_number_that_was_read_out_is_named_where_the_differences_disagree() -> None:
    d = explain(lambda x: x * x.item(), 3.0)
    assert not d.agree
    assert (
        "The modes and the differences disagree. A number that leaves the tensors by item() or float(), and "
        "comes back, is a constant for both modes, but the differences move it."
    ) in d.text(width=400)


def test_hooks_are_not_applied_and_this_is_said() -> None:
    def f(x: Any) -> Any:
        h = x * 3
        h.register_hook(lambda g: g * 10)
        return h * h

    x = torch.tensor(2.0, requires_grad=True)
    note = "Backward applies hooks that are left out here, on the gradient of "
    place = f"x * y ({os.path.relpath(__file__)}:{f.__code__.co_firstlineno + 1})"
    for d in (explain(f, x), f(x).explain()):
        assert d.gradient["x"].item() == 36
        assert d.hooked == [place]
        assert note + place + "." in d.text(width=400)
    f(x).backward()
    assert x.grad is not None
    assert x.grad.item() == 360  # what the note is about

    y = torch.tensor(2.0, requires_grad=True)
    y.register_hook(lambda g: g * 10)
    assert explain(lambda y: y * y, y).hooked == ["an input"]
    assert explain(lambda y: y * y, 2.0).hooked == []


def test_a_retained_gradient_is_no_change() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    h = x * 3
    h.retain_grad()
    assert (h * h).explain().hooked == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("fn", "at"),
    [
        (torch.log, 0.0),
        (torch.sqrt, 0.0),
        (lambda x: 1 / x, 0.0),
        (torch.log, -1.0),
        (torch.sin, float("nan")),
    ],
)
def test_points_without_a_finite_derivative(fn: Any, at: float) -> None:
    text = str(explain(fn, at))  # warnings are errors
    assert "inf" in text or "nan" in text


def test_a_compiled_module_is_explained_as_it_was_written() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(5, 3)
    plain, compiled = explain(net, x), explain(torch.compile(net), x)
    assert compiled.title == plain.title == "sequential(input)"
    assert [row.name for row in compiled.values] == [row.name for row in plain.values]
    assert all(torch.equal(compiled.gradient[name], g) for name, g in plain.gradient.items())


def test_memory_that_was_never_filled_is_not_shown() -> None:
    """`empty_like` gives whatever lay there; dropout makes its mask in it, and none of that is a value."""
    torch.manual_seed(0)
    x = torch.randn(4, 3)
    d = explain(lambda x: F.dropout(x, 0.5).sum(), x)
    formulas = [str(row.formula) for row in d.values if row.formula is not None]
    assert formulas == ["c < 0.5", "v1.to(float32)", "v2*2", "x*v3", "sum(v4)"]
    assert d.agree

    def copied(x: Any) -> Any:
        y = torch.empty(3)
        y.copy_(x * 2)
        y[0] = 1.0
        return y * y

    d = explain(copied, torch.tensor([1.0, 2.0, 3.0]))
    assert [str(row.formula) for row in d.values][1:] == ["x*2", "y1 with y1[0] = 1.0", "y2*y2"]
    assert d.gradient["x"].tolist() == [0, 16, 24]
    assert d.agree


def test_the_derivative_of_a_sum_of_several_elements_is_written_out() -> None:
    X, w = torch.ones(5, 3), torch.zeros(3)
    (row,) = explain(lambda w: X @ w, w).matrix
    assert str(row.formula) == "ones((5,)).T @ X"
    assert row.value.tolist() == [5, 5, 5]
    (row,) = explain(lambda x: x * 2, w, layout="denominator").matrix
    assert str(row.formula) == "2*ones((3,))"


def test_a_product_names_the_rule_of_the_operand() -> None:
    A = torch.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    x = torch.tensor([1.0, -1.0], requires_grad=True)
    rules = {row.name: row.rule for row in explain(lambda A, x: A @ x, A, x).locals}
    assert rules == {"∂f/∂A": "product rule for matrices", "∂f/∂x": "∂Ay/∂y = A"}
    rules = {row.name: row.rule for row in explain(lambda A, x: x @ A, A, x, layout="denominator").locals}
    assert rules == {"∂f/∂x": "∂xᵀA/∂x = A", "∂f/∂A": "product rule for matrices"}
    y = torch.tensor([2.0, 3.0], requires_grad=True)
    rules = {row.name: row.rule for row in explain(lambda x, y: x @ y, x, y).locals}
    assert rules == {"∂f/∂x": "∂⟨x, y⟩/∂x = yᵀ", "∂f/∂y": "∂⟨x, y⟩/∂y = xᵀ"}


def test_inputs_beyond_the_columns() -> None:
    text = explain(lambda *xs: sum(x * x for x in xs), *range(1, 6)).text(width=400)
    assert "more input" in text
    assert str(explain(lambda x: x.sum(), torch.zeros(0))).count("more input") == 0


def test_negative_numbers_look_the_same_in_the_title() -> None:
    assert explain(lambda x: x * x, -2.0).title == "f(x) at x = −2"


def test_a_function_that_computes_in_fewer_digits_inside() -> None:
    """Its differences are taken with the steps of these digits, not with those of float64."""

    def f(x: Any) -> Any:
        y = torch.zeros(3)
        for i in range(3):
            y[i] = x[i] ** 2
        return y.sum()

    for kind in (torch.float32, torch.float64):
        assert explain(f, torch.tensor([1.0, 2.0, 3.0], dtype=kind)).agree
    assert not explain(lambda x: f(x) * x[0].item(), torch.tensor([1.0, 2.0, 3.0])).agree
