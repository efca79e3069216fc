"""Each part of the key: change only that part, expect a new trace, and hear why."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn

Pair = namedtuple("Pair", "x y")


def twice(x: Any) -> Any:
    return x * 2


def compiled(function: Any = twice, **options: Any) -> Any:
    return torch.compile(function, **options)


BEFORE = torch.ones(2, 3)
PARTS = {
    "shape": (BEFORE, torch.ones(2, 4), "x: before float32 (2, 3), now float32 (2, 4)"),
    "0-d": (torch.tensor(1.0), torch.ones(1), "x: before float32 (), now float32 (1,)"),
    "1-d": (torch.ones(1), torch.ones(2), "x: before float32 (1,), now float32 (2,)"),
    "axes": (torch.ones(3), torch.ones(3, 1), "x: before float32 (3,), now float32 (3, 1)"),
    "type": (BEFORE, BEFORE.double(), "x: before float32 (2, 3), now float64 (2, 3)"),
    "type of a scalar": (torch.tensor(1), torch.tensor(1.0), "x: before int64 (), now float32 ()"),
    "layout": (
        BEFORE,
        torch.ones(3, 2).T,
        "x: before float32 (2, 3), now float32 (2, 3), not in row-major order",
    ),
    "gradient": (
        BEFORE,
        torch.ones(2, 3, requires_grad=True),
        "x: before float32 (2, 3), now float32 (2, 3), requires_grad=True",
    ),
    "kind": (BEFORE, 2.0, "x: before float32 (2, 3), now 2.0"),
    "value": (2, 3, "x: before 2, now 3"),
    "type of a value": (2, 2.0, "x: before 2, now 2.0"),
    "sign of zero": (0.0, -0.0, "x: before 0.0, now -0.0"),
    "bool": (True, 1, "x: before True, now 1"),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_key(part: str) -> None:
    before, now, why = PARTS[part]
    f = compiled(lambda x: torch.ones(2) * 1 if not isinstance(x, torch.Tensor) else x * 2)
    for _ in range(3):
        f(before)
    assert (f.traces, f.why()) == (1, "the first call")
    for _ in range(3):
        f(now)
    assert (f.traces, f.why()) == (2, why)
    f(before)
    f(now)
    assert f.traces == 2


def test_values_of_tensors_are_no_part() -> None:
    f = compiled()
    for i in range(4):
        assert torch.equal(f(torch.full((2,), float(i))), torch.full((2,), 2.0 * i))
    assert f.traces == 1


def test_nan_equals_itself_as_an_argument() -> None:
    f = compiled(lambda x, k: x + k)
    f(BEFORE, float("nan"))
    f(BEFORE, float("nan"))
    assert f.traces == 1


NESTED = {
    "list": ([BEFORE, BEFORE * 2], "pair[0]: before float32 (2, 3), now float32 (1, 3)"),
    "tuple": ((BEFORE, BEFORE * 2), "pair[0]: before float32 (2, 3), now float32 (1, 3)"),
    "dict": ({"x": BEFORE, "y": BEFORE * 2}, "pair['x']: before float32 (2, 3), now float32 (1, 3)"),
    "namedtuple": (Pair(BEFORE, BEFORE * 2), "pair.x: before float32 (2, 3), now float32 (1, 3)"),
}


@pytest.mark.parametrize("kind", NESTED)
def test_tensors_in_containers(kind: str) -> None:
    given, why = NESTED[kind]

    def add(pair: Any) -> Any:
        x, y = pair.values() if isinstance(pair, dict) else pair
        return {"sum": x + y, "both": (y, None, 3)}

    f = compiled(add)
    for _ in range(2):
        out = f(given)
        assert torch.equal(out["sum"], BEFORE * 3)
        assert out["both"][0] is (given["y"] if isinstance(given, dict) else given[1])
        assert out["both"][1:] == (None, 3)
    assert f.traces == 1
    first = torch.ones(1, 3)
    smaller: Any = {"x": first, "y": BEFORE} if isinstance(given, dict) else None
    if smaller is None:
        smaller = Pair(first, BEFORE) if isinstance(given, Pair) else type(given)([first, BEFORE])
    f(smaller)
    assert (f.traces, f.why()) == (2, why)


def test_lengths_and_keys_of_containers() -> None:
    f = compiled(lambda xs: sum(xs.values() if isinstance(xs, dict) else xs) * 1)
    f([BEFORE, BEFORE])
    f([BEFORE, BEFORE, BEFORE])
    assert f.why() == "xs: before a list of 2, now a list of 3"
    f({"a": BEFORE, "b": BEFORE})
    f({"a": BEFORE, "c": BEFORE})
    assert (f.traces, f.why()) == (4, "xs: before a dict with 'a', 'b', now a dict with 'a', 'c'")


def test_keywords_and_number_of_arguments() -> None:
    f = compiled(lambda x, y=None, *, scale=1.0: x * scale if y is None else x * y)
    f(BEFORE)
    f(BEFORE, BEFORE * 1)
    assert f.why() == "y: before not given, now float32 (2, 3)"
    f(BEFORE, scale=2.0)
    assert f.traces == 3
    f(BEFORE, scale=3.0)
    assert (f.traces, f.why()) == (4, "scale: before 2.0, now 3.0")
    assert torch.equal(f(BEFORE, scale=3.0), BEFORE * 3)
    assert torch.equal(f(x=BEFORE, y=BEFORE), BEFORE)


def test_other_objects_count_by_identity() -> None:
    f = compiled(lambda x, layer: layer(x))
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    for layer in (one, other, one):
        with torch.no_grad():
            assert torch.equal(f(BEFORE, layer), layer(BEFORE))
    assert (f.traces, f.why()) == (2, "layer: before a Linear, now another Linear")


def test_the_same_tensor_twice() -> None:
    def f(x: Any, y: Any) -> Any:
        x.add_(1)
        return y * 2

    g = compiled(f)
    a, b = torch.zeros(2), torch.zeros(2)
    assert g(a, b).tolist() == [0.0, 0.0]
    assert g(a, a).tolist() == [4.0, 4.0]  # written before it is read
    assert (g.traces, g.why()) == (2, "y: before float32 (2,), now the same tensor as x")
    assert g(b, b).tolist() == [2.0, 2.0]
    assert g.traces == 2


def test_an_input_that_is_captured() -> None:
    w = torch.ones(2)

    def f(x: Any) -> Any:
        w.add_(1)
        return x * 10

    g = compiled(f)
    assert g(torch.zeros(2)).tolist() == [0.0, 0.0]
    assert g(w).tolist() == [30.0, 30.0]
    assert g.traces == 2
    assert g(torch.zeros(2)).tolist() == [0.0, 0.0]
    assert w.tolist() == [4.0, 4.0]
    h = compiled(f)  # captured and given from the first call on
    assert h(w).tolist() == [50.0, 50.0]
    assert (h.traces, w.tolist()) == (1, [5.0, 5.0])


def test_gradients_of_an_input_that_is_captured() -> None:
    w = torch.ones(2, requires_grad=True)

    def f(x: Any) -> Any:
        (g,) = torch.autograd.grad((x * w).sum(), w)
        return g

    g = compiled(f)
    other = torch.full((2,), 3.0, requires_grad=True)
    assert g(other).tolist() == [3.0, 3.0]
    assert g(w).tolist() == [2.0, 2.0]
    assert g(other).tolist() == [3.0, 3.0]


def test_memory_shared_with_a_captured_tensor_that_is_written() -> None:
    w = torch.ones(3)
    f = compiled(lambda x: (w.add_(x.sum()), x * 1)[1])
    f(torch.ones(2))
    with pytest.raises(torch.ArgumentError) as caught:
        f(w[:2])
    assert caught.value.summary == (
        "function got x (2,) on memory of w (3,), which it changes in place\n"
        "  to a program they are separate; it would not see what the change does to the other\n"
        "  try: x.clone(), or make the view inside the function"
    )
    assert w.tolist() == [3.0, 3.0, 3.0]


def test_inputs_on_one_memory_where_one_is_written() -> None:
    f = compiled(lambda x, y: (x.add_(1), y * 2)[1])
    whole = torch.ones(4)
    f(whole.clone(), torch.ones(2))
    for _ in range(2):
        with pytest.raises(torch.ArgumentError) as caught:
            f(whole, whole[1:3])
    assert caught.value.summary.startswith(
        "function got y (2,) on memory of x (4,), which it changes in place"
    )
    assert whole.tolist() == [1.0] * 4
    g = compiled(lambda x, y: x + y.sum())  # only read
    assert g(whole, whole[1:3]).tolist() == [3.0] * 4


def test_captured_tensors_in_another_order() -> None:
    whole = torch.arange(6.0).reshape(2, 3)
    column, across = whole[:, 1], whole.T
    f = compiled(lambda x: x + column + across.sum(0))
    for _ in range(2):
        assert torch.equal(f(torch.ones(2)), 1 + column + across.sum(0))
        whole.add_(1)  # read anew at each run
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    w = torch.from_numpy(array)
    g = compiled(lambda x: w.add_(x).sum())
    assert g(torch.ones(3).double()).item() == 21.0
    assert g(torch.ones(3).double()).item() == 27.0
    assert array.tolist() == [[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]]


def test_inputs_changed_in_place() -> None:
    f = compiled(lambda x: x.mul_(2))
    x = torch.ones(2, 3)
    for _ in range(2):
        assert f(x) is x
    assert (x.tolist(), x._v, f.traces) == ([[4.0] * 3] * 2, 2, 1)
    columns = torch.ones(3, 2)
    f(columns.T)  # copied to row-major order, and back
    assert columns.tolist() == [[2.0, 2.0]] * 3
    with pytest.raises(torch.GradError) as caught:
        f(torch.ones(1, 3).expand(2, 3))
    assert caught.value.summary.startswith(
        "in-place function got a tensor (2, 3) whose memory cannot be written"
    )


def test_numpy_arrays_are_refused() -> None:
    with pytest.raises(torch.ArgumentError) as caught:
        compiled()(np.ones(2))
    assert caught.value.summary == (
        "a compiled function, for x, got a NumPy array (2,)\n"
        "  a compiled function takes tensors; a change of an array would not be noticed\n"
        "  try: torch.from_numpy(x), which shares its memory"
    )


def test_modes() -> None:
    w = torch.ones(3, requires_grad=True)
    f = compiled(lambda x: x @ w)
    f(BEFORE)
    with torch.no_grad():
        f(BEFORE)
        assert f.why() == "gradients are: before on, now off"
    with torch.inference_mode():
        f(BEFORE)
        assert f.why() == "inference mode is: before off, now on"
    f(BEFORE)
    torch.set_default_dtype(torch.float64)
    try:
        f(BEFORE)
        assert f.why() == "the default dtype is: before torch.float32, now torch.float64"
    finally:
        torch.set_default_dtype(torch.float32)
    f(BEFORE)
    assert f.traces == 4


def test_limit() -> None:
    f = compiled(limit=3)
    for i in range(1, 4):
        f(torch.ones(i))
    with pytest.raises(torch.ArgumentError) as caught:
        f(torch.ones(4))
    assert caught.value.summary == (
        "the compiled function twice got another x on every call: float32 (3,), float32 (2,), float32 (1,), "
        "...\n"
        "  each of them is traced and compiled anew, and there are 3 programs already\n"
        "  try: batches of one shape: pad them, or DataLoader(..., drop_last=True); or compile(..., limit=6)"
    )
    assert f(torch.ones(2)).tolist() == [2.0, 2.0]  # those that there are still run


def test_limit_with_numbers() -> None:
    f = compiled(lambda x, step: x * step, limit=2)
    f(BEFORE, 1)
    f(BEFORE, 2)
    with pytest.raises(torch.ArgumentError) as caught:
        f(BEFORE, 3)
    assert caught.value.summary == (
        "the compiled function function got another step on every call: 2, 1, ...\n"
        "  each of them is traced and compiled anew, and there are 2 programs already\n"
        "  try: torch.tensor(step), whose value may change, instead of a Python value; or compile(..., "
        "limit=4)"
    )
