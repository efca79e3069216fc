"""Anomaly detection: the first NaN or infinity is an error with the operation and the user's line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, GradError, eager
from tests.sites import line


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor([float(v) for v in values], requires_grad=True)


@pytest.fixture(autouse=True)
def _off_at_the_end() -> Iterator[None]:
    yield
    assert not torch.is_anomaly_enabled()
    assert eager.special == 0  # so that the short path is taken again


# -- forward -----------------------------------------------------------------------------------------


def test_first_infinity_in_forward() -> None:
    x = torch.tensor([1.0, 0.0])
    with torch.autograd.detect_anomaly(), pytest.raises(GradError) as err:
        torch.log(x)
    assert str(err.value) == (
        "log(x) got (2,), and its result (2,) has an infinity\n"
        "  anomaly detection is on, and this is the first value that is not finite\n"
        "  try: look for log or division at 0, an overflow, or a learning rate that is too large\n"
        f"  at {line(5)}"
    )


def test_first_nan_in_forward() -> None:
    x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0], [0.0]])
    with torch.autograd.detect_anomaly(), pytest.raises(GradError) as err:
        x / y
    assert err.value.summary == (
        "x / y got (1, 2) and (2, 1), and its result (2, 2) has NaN\n"
        "  anomaly detection is on, and this is the first value that is not finite\n"
        "  try: look for log or division at 0, an overflow, or a learning rate that is too large"
    )


def test_a_number_is_shown() -> None:
    with torch.autograd.detect_anomaly(), pytest.raises(GradError, match=r"x / y got \(2,\) and 0\.0, and"):
        torch.ones(2) / 0


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.log_(),
        lambda x: x.div_(0),
        lambda x: x.__itruediv__(torch.zeros(2)),
        lambda x: x @ torch.full((2, 2), 3e38),
        lambda x: x.half() * 60000,
        lambda x: torch.exp(x * 1000),
    ],
)
def test_other_ways_to_get_there(call: Any) -> None:
    x = torch.tensor([3.0, 0.0])
    call(x.clone())  # silent without
    with torch.autograd.detect_anomaly(), pytest.raises(GradError, match="anomaly detection is on"):
        call(x)


def test_who_only_passes_it_on_is_not_blamed() -> None:
    bad = torch.tensor([float("inf"), float("nan")])
    with torch.autograd.detect_anomaly():
        assert (bad * 2 + 1).isnan().tolist() == [False, True]
        assert bad.sum().isnan()


def test_infinities_that_were_asked_for_are_not_anomalies() -> None:
    # Attention masks its scores with minus infinity; so do padding and limits.
    scores, mask = torch.ones(2, 2), torch.tensor([[False, True], [False, False]])
    with torch.autograd.detect_anomaly():
        masked = scores.masked_fill(mask, float("-inf"))
        assert torch.softmax(masked, 1)[0].tolist() == [1, 0]
        assert torch.where(mask, float("inf"), scores)[0, 1] == float("inf")
        assert (scores * float("inf")).isinf().all()
        assert torch.full((2,), float("nan")).isnan().all()
        scores.fill_(float("inf"))


def test_integers_have_no_anomalies() -> None:
    with torch.autograd.detect_anomaly():
        assert (torch.tensor([2**62]) * 4).tolist() == [0]


# -- backward ----------------------------------------------------------------------------------------


def test_first_infinity_in_backward() -> None:
    x = leaf(4, 0)
    with torch.autograd.detect_anomaly():
        y = torch.sqrt(x)
        recorded = line(1)
        loss = (y * 2).sum()
        with pytest.raises(GradError) as err:
            loss.backward()
    assert str(err.value) == (
        f"backward of sqrt(x) (recorded at {recorded}) got a finite gradient and made one (2,) for input x "
        "that has an infinity\n"
        "  anomaly detection is on, and this is the first value that is not finite\n"
        "  try: keep the inputs away from where the derivative is infinite or undefined"
    )


def test_first_nan_in_backward() -> None:
    x = leaf(0, 1)
    with torch.autograd.detect_anomaly(), pytest.raises(GradError) as err:
        torch.where(x > 0, torch.sqrt(x), 0.0).sum().backward()  # 0 * inf, the classic
    assert err.value.summary.startswith(f"backward of sqrt(x) (recorded at {line(1)}) got a finite gradient")
    assert "has NaN" in err.value.summary


def test_a_gradient_to_start_with() -> None:
    x = leaf(1, 2)
    with torch.autograd.detect_anomaly(), pytest.raises(GradError) as err:
        (x * 2).backward(torch.tensor([1.0, float("nan")]))
    assert err.value.summary == (
        "backward got a gradient (2,) to start with that has NaN\n"
        "  anomaly detection is on, and this is the first value that is not finite"
    )


def test_a_hook_that_makes_it() -> None:
    x = leaf(1, 2)
    with torch.autograd.detect_anomaly():
        y = x * x
        recorded = line(1)
        y.register_hook(lambda g: g.new_full((2,), float("inf")))
        with pytest.raises(GradError) as err:
            y.sum().backward()
    assert str(err.value) == (
        f"a hook on the gradient of x * y (recorded at {recorded}) got a finite gradient and returned one "
        "(2,) that has an infinity\n"
        "  anomaly detection is on, and this is the first value that is not finite"
    )


def test_a_rule_may_pass_through_an_infinity() -> None:
    # Inside a rule or a user's backward only what comes out counts.
    class Careful(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return torch.where(g > 0, g * 2, g / 0)

    x = leaf(1, 2)
    with torch.autograd.detect_anomaly():
        Careful.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_a_users_function() -> None:
    class Hidden(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return torch.from_numpy(x.detach().numpy() * np.float32("inf"))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return torch.from_numpy(g.numpy() * np.float32("nan"))

    x = leaf(1, 2)
    with torch.autograd.detect_anomaly(), pytest.raises(GradError) as err:
        Hidden.apply(x)
    assert err.value.summary.startswith("Hidden got (2,), and its result (2,) has an infinity\n")
    y = Hidden.apply(x)
    recorded = line(1)
    with torch.autograd.detect_anomaly(), pytest.raises(GradError) as err:
        y.backward(torch.ones(2))
    assert err.value.summary.startswith(
        f"backward of Hidden (recorded at {recorded}) got a finite gradient and made one (2,) for input 0 "
        "that has NaN\n"
    )


def test_state_after_an_error_in_backward() -> None:
    x = leaf(0)
    with torch.autograd.detect_anomaly():
        with pytest.raises(GradError):
            torch.sqrt(x).sum().backward()
        assert torch.is_grad_enabled()
        with pytest.raises(GradError, match="log"):  # forward checks are on again
            torch.log(x)


def test_without_it_backward_is_silent() -> None:
    x = leaf(4, 0)
    torch.sqrt(x).sum().backward()
    assert x.grad.tolist() == [0.25, float("inf")]


# -- the switch --------------------------------------------------------------------------------------


def test_switch_as_a_function() -> None:
    torch.autograd.set_detect_anomaly(True)
    assert torch.is_anomaly_enabled()
    assert torch.autograd.is_anomaly_enabled()
    torch.autograd.set_detect_anomaly(True)
    torch.autograd.set_detect_anomaly(False)
    assert not torch.is_anomaly_enabled()


def test_nested_contexts() -> None:
    with torch.autograd.set_detect_anomaly(True):
        with torch.autograd.set_detect_anomaly(False):
            torch.log(torch.zeros(1))
            with torch.autograd.detect_anomaly():
                assert torch.is_anomaly_enabled()
            assert not torch.is_anomaly_enabled()
        assert torch.is_anomaly_enabled()


def test_state_comes_back_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), torch.autograd.detect_anomaly():
        raise ZeroDivisionError
    assert not torch.is_anomaly_enabled()


def test_off_costs_nothing() -> None:
    # The operators ask one module-level number, and nothing else, whether somebody watches.
    assert eager.special == 0
    with torch.autograd.detect_anomaly():
        assert eager.special == 1
        with torch.autograd.detect_anomaly():
            assert eager.special == 1
    assert eager.special == 0


def test_check_nan_cannot_be_switched_off() -> None:
    with pytest.raises(ArgumentError) as err:
        torch.autograd.set_detect_anomaly(True, check_nan=False)
    assert err.value.summary == (
        "set_detect_anomaly got check_nan=False\n"
        "  looking for NaN and infinity is all that it does\n"
        "  try: set_detect_anomaly(False)"
    )  # fmt: skip
