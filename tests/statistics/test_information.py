"""Entropies and divergences against SciPy's and scikit-learn's, their identities, gradients and messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats as st
from numpy.testing import assert_allclose
from sklearn.metrics import mutual_info_score

import chainrule as torch
from chainrule import statistics as S
from chainrule.core.errors import ChainruleError
from tests.messages import untested

RNG = np.random.default_rng(0)
P = RNG.dirichlet(np.ones(5), size=3)
P[0, 2] = 0
P[0] /= P[0].sum()
Q = RNG.dirichlet(np.ones(5), size=3)
JOINT = RNG.dirichlet(np.ones(12)).reshape(3, 4)
BASE = {"nats": None, "bits": 2}


def _t(a: Any) -> Any:
    return torch.tensor(a, dtype=torch.float64)


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_entropies_and_divergences(unit: str) -> None:
    base = BASE[unit]
    assert_allclose(S.entropy(_t(P), unit=unit), st.entropy(P, axis=1, base=base), rtol=1e-12)
    assert_allclose(S.kl_divergence(_t(P), _t(Q), unit=unit), st.entropy(P, Q, axis=1, base=base), rtol=1e-12)
    both = st.entropy(P, axis=1, base=base) + st.entropy(P, Q, axis=1, base=base)
    assert_allclose(S.cross_entropy(_t(P), _t(Q), unit=unit), both, rtol=1e-12)
    assert_allclose(S.entropy(_t(P.T), dim=0, unit=unit), st.entropy(P, axis=1, base=base), rtol=1e-12)
    assert_allclose(S.entropy(_t(JOINT), None, unit), st.entropy(JOINT.ravel(), base=base), rtol=1e-12)
    assert_allclose(S.entropy(_t([JOINT, JOINT]), (-2, -1), unit), [st.entropy(JOINT.ravel(), base=base)] * 2)


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_two_variables(unit: str) -> None:
    base = BASE[unit]
    whole = st.entropy(JOINT.ravel(), base=base)
    x, y = st.entropy(JOINT.sum(1), base=base), st.entropy(JOINT.sum(0), base=base)
    t = _t(JOINT)
    assert_allclose(S.conditional_entropy(t, unit=unit), whole - x, rtol=1e-12)
    assert_allclose(S.conditional_entropy(t, given=0, unit=unit), whole - x, rtol=1e-12)
    assert_allclose(S.conditional_entropy(t, given=1, unit=unit), whole - y, rtol=1e-12)
    assert_allclose(S.conditional_entropy(t, given=-1, unit=unit), whole - y, rtol=1e-12)
    assert_allclose(S.mutual_information(t, unit=unit), x + y - whole, rtol=1e-10)
    assert_allclose(S.mutual_information(_t([JOINT] * 2), unit=unit), [x + y - whole] * 2, rtol=1e-10)


def test_mutual_information_of_counts_is_that_of_scikit_learn() -> None:
    counts = np.array([[5, 0, 3], [1, 7, 2]])
    labels = [(i, j) for (i, j), n in np.ndenumerate(counts) for _ in range(n)]
    wanted = mutual_info_score(*zip(*labels, strict=True))
    assert_allclose(S.mutual_information(_t(counts / counts.sum())), wanted, rtol=1e-12)


def test_independent_variables_say_nothing() -> None:
    t = _t(np.outer([0.2, 0.8], [0.5, 0.3, 0.2]))
    assert S.mutual_information(t).item() == pytest.approx(0, abs=1e-15)


def test_perplexity_is_the_number_of_equal_outcomes() -> None:
    assert_allclose(S.perplexity(_t(np.full((2, 7), 1 / 7))), [7, 7])
    assert_allclose(S.perplexity(_t(P), _t(Q)), np.exp(S.cross_entropy(_t(P), _t(Q))))


def test_impossible_outcomes() -> None:
    inf = float("inf")
    assert S.entropy(_t([1.0, 0.0])).item() == 0
    assert str(S.entropy(_t([1.0, 0.0])).item()) == "0.0"  # not -0.0
    assert S.kl_divergence(_t([0.5, 0.5]), _t([1.0, 0.0])).item() == inf
    assert S.cross_entropy(_t([0.5, 0.5]), _t([1.0, 0.0])).item() == inf
    assert S.kl_divergence(_t([1.0, 0.0]), _t([0.5, 0.5]), unit="bits").item() == pytest.approx(1)
    assert S.self_information(_t([0.0, 1.0])).tolist() == [inf, 0.0]
    assert S.conditional_entropy(_t([[0.5, 0.5], [0.0, 0.0]]), unit="bits").item() == pytest.approx(1)


def test_gradients() -> None:
    # d/dp of -p log p is -log p - 1; of p log(p/q), log(p/q) + 1 and -p/q.
    p, q = _t(P[1]).requires_grad_(), _t(Q[1]).requires_grad_()
    S.entropy(p).backward()
    assert_allclose(p.grad, -np.log(P[1]) - 1, rtol=1e-12)
    p.grad = None
    S.kl_divergence(p, q).backward()
    assert_allclose(p.grad, np.log(P[1] / Q[1]) + 1, rtol=1e-10)
    assert_allclose(q.grad, -P[1] / Q[1], rtol=1e-12)
    scores = _t([[0.3, -1.0, 2.0]])
    assert torch.autograd.gradcheck(lambda s: S.perplexity(torch.softmax(s, -1)), (scores.requires_grad_(),))


def test_by_row_and_compiled() -> None:
    wanted = S.entropy(_t(P))
    assert_allclose(torch.func.vmap(S.entropy)(_t(P)), wanted, rtol=1e-12)
    assert_allclose(torch.compile(lambda p, q: S.kl_divergence(p, q))(_t(P), _t(Q)), st.entropy(P, Q, axis=1))


HINT = "\n  try: p / p.sum(), if these are counts; torch.softmax(p, -1), if they are scores"
CASES: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: S.entropy(_t([1.0, 2.0])),
        "entropy got p (2,) with the sum 3\n"
        "  p must hold probabilities: numbers from 0 up that sum to 1 over dim=-1" + HINT,
    ),
    (
        lambda: S.entropy(_t([[0.5, 0.5], [0.5, 0.4]])),
        "entropy got p (2, 2) with the sum 0.9\n"
        "  p must hold probabilities: numbers from 0 up that sum to 1 over dim=-1" + HINT,
    ),
    (
        lambda: S.entropy(_t([1.5, -0.5])),
        "entropy got p (2,) with a negative number\n"
        "  p must hold probabilities: numbers from 0 up that sum to 1 over dim=-1" + HINT,
    ),
    (
        lambda: S.entropy(torch.tensor([1, 2])),
        "entropy got p of type torch.int64\n"
        "  p must be a floating-point Tensor of probabilities\n"
        "  try: p / p.sum(), if these are counts",
    ),
    (
        lambda: S.entropy([0.5, 0.5]),  # type: ignore[arg-type]
        "entropy got p of type list\n"
        "  p must be a floating-point Tensor of probabilities\n"
        "  try: torch.tensor(...)",
    ),
    (
        lambda: S.entropy(_t([0.5, 0.5]), unit="shannons"),
        "entropy got unit='shannons'\n  the unit of information must be 'nats' or 'bits'",
    ),
    (
        lambda: S.self_information(_t([0.5, 1.5])),
        "self_information got p (2,) with values from 0.5 to 1.5\n"
        "  p must hold probabilities, between 0 and 1",
    ),
    (
        lambda: S.kl_divergence(_t([0.5, 0.5]), _t([0.5, 0.25, 0.25])),
        "kl_divergence got p (2,) and q (3,)\n  both must be over the same outcomes",
    ),
    (
        lambda: S.mutual_information(_t([0.5, 0.5])),
        "mutual_information got joint (2,)\n"
        "  a joint table has an axis for each of the two variables, the last two",
    ),
    (
        lambda: S.conditional_entropy(_t(JOINT[None]), given=0),
        "conditional_entropy got given=0 for a table (1, 3, 4)\n"
        "  given must be one of the last two axes: that of the variable which is known\n"
        "  try: given=-2, for rows",
    ),
]


@pytest.mark.parametrize(("action", "text"), CASES)
def test_messages(action: Callable[[], Any], text: str) -> None:
    with pytest.raises(ChainruleError) as info:
        action()
    assert info.value.summary == text


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(S.__file__).parent / "information.py"
    assert untested([file], [action for action, _ in CASES], monkeypatch) == []


def test_gradients_where_a_probability_is_0() -> None:
    p = _t([0.5, 0.0, 0.5]).requires_grad_()
    (S.entropy(p) + S.cross_entropy(p, _t([0.25, 0.25, 0.5]))).backward()
    assert_allclose(
        p.grad[[0, 2]], [-np.log(0.5) - 1 - np.log(0.25), -np.log(0.5) - 1 - np.log(0.5)], rtol=1e-12
    )
    assert np.isfinite(p.grad).all()
    joint = _t([[0.5, 0.5], [0.0, 0.0]]).requires_grad_()
    (S.mutual_information(joint) + S.conditional_entropy(joint)).backward()
    assert np.isfinite(joint.grad).all()
