"""Tables: the rules of probability against sums written out, Bayes' rule against known answers, messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats as st
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule.core.errors import ChainruleError
from chainrule.statistics import Table, bayes
from tests.messages import untested

A = np.random.default_rng(0).dirichlet(np.ones(24)).reshape(2, 3, 4)


@pytest.fixture
def three() -> Table:
    return Table(torch.tensor(A), "a b c", outcomes={"b": ["x", "y", "z"]})


def test_marginals(three: Table) -> None:
    assert_allclose(three.marginal("b").values, A.sum((0, 2)))
    assert_allclose(three.marginal("c", "a").values, A.sum(1).T)
    assert three.marginal("c", "b").of == ("c", "b")
    assert three.marginal("b").outcomes == {"b": ("x", "y", "z")}


def test_conditionals(three: Table) -> None:
    t = three.conditional("b", given="c a")
    assert (t.of, t.given) == (("b",), ("c", "a"))
    assert_allclose(t.values, (A / A.sum(1, keepdims=True)).transpose(1, 2, 0))
    assert_allclose(t.p(b="y", c=3, a=1), A[1, 1, 3] / A[1, :, 3].sum())
    assert_allclose(three.conditional("a b", given="c").marginal("a").values, A.sum(1) / A.sum((0, 1)))


def test_a_condition_that_cannot_be_is_nan() -> None:
    t = Table([[0.5, 0.0], [0.5, 0.0]], "a b").conditional("a", given="b")
    assert t.p(a=0, b=0).item() == 0.5
    assert np.isnan(t.p(a=0, b=1).item())


def test_what_is_known(three: Table) -> None:
    t = three.where(b="y")
    assert_allclose(t.values, A[:, 1] / A[:, 1].sum())
    assert_allclose(t.where(a=0).values, A[0, 1] / A[0, 1].sum())
    assert repr(t.where(a=0)).startswith("P(c | b=y, a=0):  0 ")
    known = three.conditional("a b", given="c").where(c=2)
    assert_allclose(known.values, A[:, :, 2] / A[:, :, 2].sum())
    assert known.given == ()


def test_probabilities(three: Table) -> None:
    assert_allclose(three.p(a=0, b="z", c=1), A[0, 2, 1])
    assert_allclose(three.p(b="z"), A[:, 2].sum())
    assert_allclose(three.p(), 1)
    assert_allclose(three.p(a=np.int64(1)), A[1].sum())


def test_joint_is_prior_times_likelihood(three: Table) -> None:
    again = Table.joint(three.marginal("c", "a"), three.conditional("b", given="a c"))
    assert again.of == ("b", "a", "c")
    assert_allclose(again.marginal("a", "b", "c").values, A, rtol=1e-12)


def test_bayes_with_two_tests() -> None:
    # The book's example: a rare disease, a test with one false alarm in a hundred, and a second, poorer one.
    sick = Table(torch.tensor([0.9985, 0.0015], dtype=torch.float64), "sick")
    first = Table(torch.tensor([[0.99, 0.0], [0.01, 1.0]], dtype=torch.float64), "first", given="sick")
    after = bayes(sick, first)
    assert (after.of, after.given) == (("sick",), ("first",))
    assert_allclose(after.p(sick=1, first=1), 0.0015 / (0.0015 + 0.01 * 0.9985), rtol=1e-12)
    second = Table(torch.tensor([[0.97, 0.02], [0.03, 0.98]], dtype=torch.float64), "second", given="sick")
    again = bayes(after.where(first=1), second)
    assert repr(again.where(second=1)).startswith("P(sick | first=1, second=1):  0 ")
    both = 0.0015 * 0.98
    assert_allclose(again.p(sick=1, second=1), both / (both + 0.01 * 0.03 * 0.9985), rtol=1e-12)


def test_information(three: Table) -> None:
    h = {"a": A.sum((1, 2)), "ab": A.sum(2), "abc": A, "c": A.sum((0, 1)), "bc": A.sum(0), "b": A.sum((0, 2))}
    h = {k: st.entropy(v.ravel()) for k, v in h.items()}
    assert_allclose(three.entropy(), h["abc"])
    assert_allclose(three.entropy("b", "a"), h["ab"])
    assert_allclose(three.entropy("a", unit="bits"), h["a"] / np.log(2))
    assert_allclose(three.entropy("a", "b", given="c"), h["abc"] - h["c"])
    assert_allclose(three.entropy(given="c"), h["abc"] - h["c"])
    assert_allclose(three.entropy("a", given="b c"), h["abc"] - h["bc"])
    assert_allclose(three.mutual_information("b", "c"), h["b"] + h["c"] - h["bc"], rtol=1e-10)


def test_gradients_reach_the_probabilities() -> None:
    prior = torch.tensor([0.4, 0.6], dtype=torch.float64, requires_grad=True)
    likelihood = Table(torch.tensor([[0.9, 0.2], [0.1, 0.8]], dtype=torch.float64), "b", given="a")
    bayes(Table(prior, "a"), likelihood).p(a=1, b=1).backward()
    # posterior = 0.8 y / (0.1 x + 0.8 y)
    total = (0.1 * 0.4 + 0.8 * 0.6) ** 2
    assert_allclose(prior.grad, [-0.8 * 0.6 * 0.1 / total, 0.8 * 0.1 * 0.4 / total], rtol=1e-12)


def test_counts() -> None:
    t = Table.from_counts(torch.tensor([[1, 2], [3, 4]]), "a b", outcomes={"a": ["no", "yes"]})
    assert_allclose(t.values, np.array([[0.1, 0.2], [0.3, 0.4]]), rtol=1e-6)


def test_what_is_printed(three: Table) -> None:
    t = Table([[0.3, 0.1], [0.2, 0.4]], "sky wet", outcomes={"sky": ["sun", "rain"]})
    assert repr(t) == "P(sky, wet)   wet=0   wet=1\nsky=sun      0.3000  0.1000\nsky=rain     0.2000  0.4000"
    assert repr(t.conditional("sky", given="wet")) == (
        "P(sky | wet)   wet=0   wet=1\nsky=sun       0.6000  0.2000\nsky=rain      0.4000  0.8000"
    )
    assert repr(t.marginal("sky")) == "P(sky):  sun 0.4000  rain 0.6000"
    assert repr(three) == "P(a, b, c), 2 × 3 × 4 probabilities"


def _two() -> Table:
    return Table([[0.3, 0.1], [0.2, 0.4]], "sky wet", outcomes={"sky": ["sun", "rain"]})


COUNTS = "\n  try: Table.from_counts(...), if these are counts"
CASES: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: Table([[0.5, 0.5]], "a a"),
        "Table got the names 'a', 'a'\n  each variable must have its own name",
    ),
    (
        lambda: Table([0.5, 0.5], "a b"),
        "Table got values (2,) for 'a', 'b'\n  values must have one axis for each variable",
    ),
    (
        lambda: Table([0.5, 0.5], "a", outcomes={"a": ["x"]}),
        "Table got 1 outcomes of 'a' for an axis of 2\n  each outcome must have its name",
    ),
    (
        lambda: Table([0.5, 0.5], "sky", outcomes={"sk": ["x", "y"]}),
        "Table got the variable 'sk' (did you mean 'sky'?)\n  the table has the variables 'sky'",
    ),
    (
        lambda: Table([1, 2], "a"),
        "Table got values of type torch.int64\n  probabilities are floating-point numbers" + COUNTS,
    ),
    (
        lambda: Table([0.5, 0.6], "a"),
        "Table got values (2,) with the sum 1.1\n"
        "  the probabilities of 'a' must be at least 0 and sum to 1" + COUNTS,
    ),
    (
        lambda: Table([1.5, -0.5], "a"),
        "Table got values (2,) with a negative number\n"
        "  the probabilities of 'a' must be at least 0 and sum to 1" + COUNTS,
    ),
    (
        lambda: Table([[0.5, 0.5], [0.25, 0.25]], "a", given="b"),
        "Table got values (2, 2) with sums from 0.75 to 0.75\n"
        "  the probabilities of 'a' must be at least 0 and sum to 1 for each outcome of 'b'" + COUNTS,
    ),
    (
        lambda: _two().marginal("rain"),
        "Table.marginal got the variable 'rain'\n  the table has the variables 'sky', 'wet'",
    ),
    (
        lambda: _two().marginal(),
        "Table.marginal got no variable\n  each variable that stays must be named once",
    ),
    (
        lambda: _two().marginal("sky", "sky"),
        "Table.marginal got the variables 'sky', 'sky'\n  each variable that stays must be named once",
    ),
    (
        lambda: _two().conditional("sky", "wet").marginal("wet"),
        "Table.marginal got the variable 'wet', which is given\n  P(sky | wet) has probabilities of 'sky'",
    ),
    (
        lambda: _two().conditional("sky", "wet").conditional("sky", "wet"),
        "Table.conditional got a table of P(sky | wet)\n"
        "  it must be a joint table: nothing may be given yet\n"
        "  try: Table.joint(prior, table)",
    ),
    (
        lambda: _two().conditional("sky", "wet").entropy(),
        "Table.entropy got a table of P(sky | wet)\n"
        "  it needs a joint table: how likely the conditions are is not in this one\n"
        "  try: Table.joint(prior, table)",
    ),
    (
        lambda: _two().where(sky="sun", wet=1),
        "Table.where got the outcomes of 'sky', 'wet'\n"
        "  it must be said of some of the variables 'sky', 'wet', and not of all\n"
        "  try: t.p(sky=...), for a probability",
    ),
    (
        lambda: _two().where(),
        "Table.where got no outcome\n"
        "  it must be said of some of the variables 'sky', 'wet', and not of all\n"
        "  try: t.p(sky=...), for a probability",
    ),
    (
        lambda: _two().p(sky="rian"),
        "Table.p got sky='rian' (did you mean 'rain'?)\n  the outcomes of 'sky' are 'sun', 'rain'",
    ),
    (lambda: _two().p(wet=2), "Table.p got wet=2\n  the outcomes of 'wet' are '0', '1'"),
    (
        lambda: _two().conditional("sky", "wet").p(sky="sun"),
        "Table.p got no outcome of 'wet'\n  P(sky | wet) needs an outcome of each variable that is given",
    ),
    (
        lambda: bayes(_two().marginal("sky"), _two().conditional("sky", "wet")),
        "Table.joint got P(sky) and P(sky | wet)\n"
        "  the prior must be the joint table of what the likelihood has given\n"
        "  try: Table.joint(P(a), P(b | a))",
    ),
    (
        lambda: bayes(Table([0.5, 0.5], "sky"), _two().conditional("wet", "sky")),
        "Table.joint got the outcomes '0', '1' and 'sun', 'rain' of 'sky'\n"
        "  a variable must have the same outcomes in both tables",
    ),
]


@pytest.mark.parametrize(("action", "text"), CASES)
def test_messages(action: Callable[[], Any], text: str) -> None:
    with pytest.raises(ChainruleError) as info:
        action()
    assert info.value.summary == text


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule import statistics

    file = Path(statistics.__file__).parent / "table.py"
    assert untested([file], [action for action, _ in CASES], monkeypatch) == []
