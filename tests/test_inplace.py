"""In-place operations: same object and memory, gradients through views, versions, refusals in full."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, DTypeError, GradError, ShapeError
from tests.sites import line

Tensor = torch.Tensor


def leaf(*values: float) -> Tensor:
    return torch.tensor([float(v) for v in values], requires_grad=True)


def double(*values: float) -> Tensor:
    return torch.tensor([float(v) for v in values], dtype=torch.float64, requires_grad=True)


# -- same object, same memory ------------------------------------------------------------------------


def _set_all(x: Tensor) -> None:
    x[:] = x + 1


def _set_part(x: Tensor) -> None:
    x[0] = 7.0


def _set_masked(x: Tensor) -> None:
    x[x > 1] = -1.0


def _set_by_index(x: Tensor) -> None:
    x[torch.tensor([2, 0])] = torch.tensor([5.0, 6.0])


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (_set_all, [2, 3, 4]),
        (_set_part, [7, 2, 3]),
        (_set_masked, [1, -1, -1]),
        (_set_by_index, [6, 2, 5]),
        (lambda x: x.__iadd__(1), [2, 3, 4]),
        (lambda x: x.__isub__(torch.ones(3)), [0, 1, 2]),
        (lambda x: x.__imul__(np.full(3, 2.0, np.float32)), [2, 4, 6]),
        (lambda x: x.__itruediv__(2), [0.5, 1, 1.5]),
        (lambda x: x.__ifloordiv__(2), [0, 1, 1]),
        (lambda x: x.__imod__(2), [1, 0, 1]),
        (lambda x: x.__ipow__(2), [1, 4, 9]),
        (lambda x: x.add_(1, alpha=3), [4, 5, 6]),
        (lambda x: x.sub_(torch.ones(3), alpha=3), [-2, -1, 0]),
        (lambda x: x.zero_(), [0, 0, 0]),
        (lambda x: x.fill_(4), [4, 4, 4]),
        (lambda x: x.fill_(torch.tensor(4.0)), [4, 4, 4]),
        (lambda x: x.copy_(torch.tensor([[3], [2], [1]], dtype=torch.int64)[:, 0]), [3, 2, 1]),
        (lambda x: x.clamp_(1.5, 2.5), [1.5, 2, 2.5]),
        (lambda x: x.masked_fill_(torch.tensor([True, False, True]), 0), [0, 2, 0]),
        (lambda x: x.lerp_(torch.zeros(3), 0.5), [0.5, 1, 1.5]),
        (lambda x: x.addcmul_(torch.ones(3), torch.ones(3), value=2), [3, 4, 5]),
        (lambda x: x.addcdiv_(torch.ones(3), torch.full((3,), 2.0)), [1.5, 2.5, 3.5]),
        (lambda x: x.index_add_(0, torch.tensor([0, 0]), torch.ones(2)), [3, 2, 3]),
        (lambda x: x.scatter_(0, torch.tensor([1]), torch.tensor([9.0])), [1, 9, 3]),
        (lambda x: x.cumsum_(0), [1, 3, 6]),
        (lambda x: x.neg_(), [-1, -2, -3]),
        (lambda x: x.square_(), [1, 4, 9]),
        (lambda x: x.log2_().exp2_(), [1, 2, 3]),
        (lambda x: x.gt_(1), [0, 1, 1]),
    ],
)
def test_object_and_memory_stay(change: Any, wanted: list[float]) -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    array, view, identity, version = x.numpy(), x[1:], id(x), x._version
    returned = change(x)
    assert returned is None or returned is x
    assert id(x) == identity
    assert x.dtype is torch.float32
    assert x._version > version
    np.testing.assert_allclose(array, wanted, rtol=1e-6)
    np.testing.assert_allclose(view.numpy(), wanted[1:], rtol=1e-6)


def test_augmented_assignment_keeps_the_object() -> None:
    x = torch.tensor([1.0, 2.0])
    before = id(x)
    x += 1
    x -= torch.ones(2)
    x *= 3
    x /= 2
    x //= 1
    x **= 2
    x %= 5
    x[:] = x + 1
    assert id(x) == before
    assert x.tolist() == [2, 5]


def test_integers_and_bools() -> None:
    x = torch.tensor([6, 3])
    x &= 3
    x |= torch.tensor([8, 8])
    x ^= 1
    x += 1
    assert x.tolist() == [12, 11]
    mask = torch.tensor([True, False])
    mask &= torch.tensor([True, True])
    mask.logical_not_()
    assert mask.tolist() == [False, True]


def test_random_fills_keep_the_object() -> None:
    x = torch.zeros(1000)
    for fill in (x.uniform_, x.normal_, x.exponential_, x.bernoulli_, x.random_):
        before = x.clone()
        assert fill() is x
        assert not torch.equal(x, before)


# -- gradients ---------------------------------------------------------------------------------------


def _scale_then_use(x: Any) -> Any:
    y = x * 1
    y *= x  # the old value of y is needed for the gradient of x
    return y


def _chain_of_writes(x: Any) -> Any:
    y = x * 2
    y += x
    y *= 3
    y -= x * x
    y /= x + 5
    y.exp_().sin_()
    return y


def _composed(x: Any) -> Any:
    y = x * 0.3
    y.sigmoid_().log_().clamp_(-0.9, 5)
    y.pow_(2).addcmul_(x, x, value=0.5)
    return y.lerp_(x, 0.3)


def _base_then_view(x: Any) -> Any:
    y = x * 1
    v = y[1:]
    y.mul_(x)  # the base is written to: the view's gradient must follow
    return v * 2


def _view_then_base(x: Any) -> Any:
    y = x * 1
    y[1:].mul_(3)
    return y * x


def _chain_of_views(x: Any) -> Any:
    y = (x * 1).reshape(2, 2)
    y.T[0].reshape(1, 2)[:, 1:].mul_(5)
    y[1].exp_()
    return y.reshape(4) * x


def _overlapping_views(x: Any) -> Any:
    y = x * 1
    a, b = y[:3], y[1:]
    a.mul_(2)
    b.add_(x[:3])
    a.mul_(3)
    return torch.cat([a, b, y])


def _view_of_a_view(x: Any) -> Any:
    y = x * 1
    v = y[1:]
    w = v[1:]
    v.mul_(x[0])
    w.mul_(x[1])
    v.mul_(2)
    return w * v[1:]


def _write_a_leaf_into_a_constant(x: Any) -> Any:
    y = torch.zeros(4, dtype=torch.float64)
    y[1:3] = x[:2] * 3
    y[0] = x[3]
    return y * y


def _write_into_a_detached_tensor(x: Any) -> Any:
    y = torch.full((4,), 2.0, dtype=torch.float64).detach()  # follows its own graph from here on
    y[0] = x[1] * 3
    y[1:].mul_(x[:3])
    return y


def _overwrite_all(x: Any) -> Any:
    y = x * 5
    y[:] = x * 7
    return y


def _overwrite_by_a_constant(x: Any) -> Any:
    y = x * 5
    y[1:3] = 0
    y.reshape(2, 2)[1] = torch.tensor([1.0, 2.0])
    return y


def _advanced(x: Any) -> Any:
    y = x * 1
    y[torch.tensor([0, 2])] = x[:2] * 10
    y[y > 15] = x[3] * 2
    return y


def _expanded_value(x: Any) -> Any:
    y = torch.zeros(3, 4, dtype=torch.float64)
    y[1:] = x  # (4,) into (2, 4)
    y[:, 0] = x[0] * 2
    return y


def _transposed_part(x: Any) -> Any:
    y = torch.outer(x, x)
    y.T[1:, 0] *= x[:3]
    y[0].add_(x, alpha=2)
    return y


@pytest.mark.parametrize(
    "f",
    [
        _scale_then_use,
        _chain_of_writes,
        _composed,
        _base_then_view,
        _view_then_base,
        _chain_of_views,
        _overlapping_views,
        _view_of_a_view,
        _write_a_leaf_into_a_constant,
        _write_into_a_detached_tensor,
        _overwrite_all,
        _overwrite_by_a_constant,
        _advanced,
        _expanded_value,
        _transposed_part,
    ],
)
def test_gradients_follow_the_writes(f: Any) -> None:
    x = double(0.5, 1.1, -1.7, 2.3)
    if f in (_chain_of_views, _view_of_a_view, _view_then_base, _base_then_view):
        x = double(0.5, 1.1, 1.7, 2.3)
    assert torch.autograd.gradcheck(f, x)
    assert torch.autograd.gradgradcheck(f, x)


def _with_detached_part(x: Any) -> Any:
    # Only what was written later than the detaching follows x.
    y = x * 3
    z = y.detach()
    z *= 2  # the same memory: y changes too, but its gradient does not know
    return z


def test_a_write_through_a_detached_tensor_is_not_recorded() -> None:
    x = leaf(1, 2)
    z = _with_detached_part(x)
    assert not z.requires_grad
    assert z.tolist() == [6, 12]


def test_a_leaf_is_updated_under_no_grad() -> None:
    w = leaf(1, 2, 3)
    with torch.no_grad():
        w -= 0.5
        w.clamp_(1, 2)
        w[0] = 9
        w.add_(torch.ones(3, dtype=torch.int64))
        w.mul_(torch.tensor(2.0, dtype=torch.float64))
    assert w.requires_grad
    assert w.is_leaf
    assert w.tolist() == [20, 5, 6]
    (w * 3).sum().backward()
    assert w.grad.tolist() == [3, 3, 3]


def test_a_result_changed_under_no_grad_keeps_its_gradient() -> None:
    x = leaf(1, 2)
    y = x * 3
    with torch.no_grad():
        y.clamp_(0, 4)
    y.sum().backward()
    assert y.tolist() == [3, 4]
    assert x.grad.tolist() == [3, 3]


def test_data_is_not_noticed() -> None:
    x = leaf(1, 2)
    y = x * x
    version = x._version
    x.data.mul_(10)
    assert x._version == version
    y.sum().backward()
    assert x.grad.tolist() == [20, 40]  # of the value that x has now: that is what .data is for


# -- versions ----------------------------------------------------------------------------------------


def test_versions_belong_to_the_memory() -> None:
    x = torch.zeros(4)
    views = [x[1:], x.reshape(2, 2), x.T, x.detach(), x[1:][0]]
    assert all(v._version == 0 for v in views)
    x += 1
    views[0].zero_()
    views[3].fill_(2)
    assert x._version == 3
    assert all(v._version == 3 for v in views)
    assert x.clone()._version == 0
    assert x.data._version == 0


def test_an_input_kept_for_backward_was_changed() -> None:
    x = leaf(1, 2) * 1
    y = torch.sin(x)
    recorded = line(1)
    x += 1
    changed = line(1)
    with pytest.raises(GradError) as err:
        y.sum().backward()
    assert str(err.value) == (
        f"backward through sin(x) (recorded at {recorded}) got its input x, a tensor (2,), in a changed "
        "state\n"
        "  a value kept for backward must not be changed in place: it was at version 0 and is now at 1, "
        f"last changed at {changed}\n"
        "  try: x = x + ... instead of x += ..., or change a clone()\n"
        f"  at {line(7)}"
    )


@pytest.mark.parametrize("keep_the_tensor", [True, False])
@pytest.mark.parametrize("recorded_write", [True, False])
def test_a_result_kept_for_backward_was_changed(keep_the_tensor: bool, recorded_write: bool) -> None:
    x = leaf(1, 2)
    y = torch.exp(x)
    recorded = line(1)
    loss = y.sum()
    with torch.set_grad_enabled(recorded_write):
        y += 1
        changed = line(1)
    if recorded_write:
        loss = y.sum()
    if not keep_the_tensor:
        del y  # then its version can tell nobody any more
    with pytest.raises(GradError) as err:
        loss.backward()
    assert err.value.summary == (
        f"backward through exp(x) (recorded at {recorded}) got its result, a tensor (2,), in a changed "
        "state\n"
        "  a value kept for backward must not be changed in place: it was at version 0 and is now at 1, "
        f"last changed at {changed}\n"
        "  try: x = x + ... instead of x += ..., or change a clone()"
    )


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y[0].zero_(),
        lambda y: y.detach().add_(1),
        lambda y: y.reshape(1, 2).T.fill_(0),
        lambda y: y.copy_(torch.zeros(2)),
        lambda y: y.__setitem__(torch.tensor([1]), 5.0),
        lambda y: y.sigmoid_(),
        lambda y: y.uniform_(),
    ],
)
@pytest.mark.parametrize("keep_the_tensor", [True, False])
def test_any_write_to_a_kept_value_is_noticed(write: Any, keep_the_tensor: bool) -> None:
    x = leaf(1, 2)
    y = torch.exp(x)
    loss = y.sum()
    with torch.no_grad():
        write(y)
    if not keep_the_tensor:
        del y
    with pytest.raises(GradError, match="got its result, a tensor"):
        loss.backward()


def test_a_kept_result_of_a_tensor_that_left_the_tape() -> None:
    x = leaf(0, 0)
    y = torch.exp(x)
    loss = y.sum()
    y.detach_()
    y += 5
    loss.backward()
    assert x.grad.tolist() == [1, 1]


def test_an_in_place_operation_keeps_the_old_value_it_needs() -> None:
    # These need the value from before the write; it is copied instead of refused, as in PyTorch.
    for change, wanted in (
        (lambda y: y.log_(), [1.0, 0.5]),
        (lambda y: y.square_(), [2.0, 4.0]),
        (lambda y: y.mul_(y), [2.0, 4.0]),
        (lambda y: y.pow_(3), [3.0, 12.0]),
        (lambda y: y.sin_(), np.cos([1.0, 2.0])),
        (lambda y: y.reciprocal_(), [-1.0, -0.25]),
    ):
        x = double(1, 2)
        y = x * 1
        change(y)
        y.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), wanted)


# -- refusals ----------------------------------------------------------------------------------------

LEAF = (
    "  a leaf's value is what backward differentiates by; changing it must not be recorded\n"
    "  try: with no_grad(): around the update, or x = x + ... for a new tensor"
)


@pytest.mark.parametrize(
    ("write", "what", "through"),
    [
        (lambda x: x.__iadd__(1), "x + y", ""),
        (lambda x: x.mul_(2), "x * y", ""),
        (lambda x: x.zero_(), "x[...] = y", ""),
        (lambda x: x.clamp_(0, 1), "clamp", ""),
        (lambda x: x.__setitem__(0, 1.0), "x[...] = y", ", through a view"),
        (lambda x: x[1:].add_(1), "x + y", ", through a view"),
        (lambda x: x.reshape(1, 2).exp_(), "exp", ", through a view"),
        (lambda x: x.uniform_(), "x[...] = y", ""),
    ],
)
def test_a_leaf_that_needs_a_gradient(write: Any, what: str, through: str) -> None:
    for x in (leaf(1, 2), torch.tensor([1.0, 2.0]).detach().requires_grad_()):
        with pytest.raises(GradError) as err:
            write(x)
        text = f"in-place {what} got a leaf tensor (2,) that requires a gradient{through}\n{LEAF}"
        assert err.value.summary == text
        assert x.tolist() == [1, 2]
        assert x._version == 0


def test_a_view_that_became_a_leaf_itself() -> None:
    with torch.no_grad():
        x = torch.zeros(4)[1:].requires_grad_()
    with pytest.raises(GradError) as err:
        x += 1
    assert err.value.summary == (
        "in-place x + y got a leaf tensor (3,) that requires a gradient\n" + LEAF
    )  # fmt: skip


@pytest.mark.parametrize("write", [lambda v, w: v.add_(1), lambda v, w: v.add_(w), lambda v, w: v.copy_(w)])
def test_a_view_made_while_gradients_were_off(write: Any) -> None:
    x, w = leaf(1, 2, 3), leaf(4, 5)
    y = x * 1
    with torch.no_grad():
        view = y[:2]
    with pytest.raises(GradError) as err:
        write(view, w)
    assert err.value.summary.split(" got ", 1)[1] == (
        "a view (2,) that was made while gradients were off\n"
        "  gradients cannot follow a write through it to the tensor that it is a view of\n"
        "  try: make the view with gradients on, write with gradients off too, or clone() it"
    )
    with torch.no_grad():
        view.add_(1)
    assert y.tolist() == [2, 3, 3]
    z = torch.zeros(3)
    with torch.no_grad():
        view = z[:2]
    view.add_(1)  # nobody's gradient is concerned
    assert z.tolist() == [1, 1, 0]
    with pytest.raises(GradError, match="made while gradients were off"):
        view.add_(w)


def test_memory_that_cannot_be_written() -> None:
    array = np.zeros(2, np.float32)
    array.flags.writeable = False
    for x, shape in ((torch.zeros(1).expand(2), "(2,)"), (torch.from_numpy(array), "(2,)")):
        with pytest.raises(GradError) as err:
            x += 1
        assert err.value.summary == (
            f"in-place x + y got a tensor {shape} whose memory cannot be written\n"
            "  each element must have a place of its own; an expanded tensor shares places, and an array "
            "from NumPy may be read-only\n"
            "  try: clone() it first"
        )


def test_a_part_of_an_expanded_tensor_can_be_written() -> None:
    """As long as no two of its elements share a place, and the memory is not read-only anyway."""
    x = torch.arange(3.0, requires_grad=True)
    w = torch.tensor([2.0, 3.0, 5.0], requires_grad=True)
    y = x * 1
    y.expand(4, 3)[2].mul_(w)
    assert y.tolist() == [0, 3, 10]
    y.sum().backward()
    assert x.grad.tolist() == [2, 3, 5]
    assert w.grad.tolist() == [0, 1, 2]
    for shape in ((1, 3), (1, 1, 3)):
        z = torch.zeros(3)
        z.expand(shape).add_(1)
        assert z.tolist() == [1, 1, 1]
    array = np.zeros(3, np.float32)
    array.flags.writeable = False
    for locked in (torch.zeros(3).expand(2, 1, 3)[:, 0], torch.from_numpy(array).expand(2, 3)[0]):
        with pytest.raises(GradError, match="cannot be written"):
            locked.add_(1)
    assert array.tolist() == [0, 0, 0]


def test_a_result_of_another_shape() -> None:
    x = torch.zeros(2)
    for write in (lambda: x.add_(torch.zeros(3, 2)), lambda: x.__iadd__(torch.zeros(3, 2))):
        with pytest.raises(ShapeError) as err:
            write()
        assert err.value.summary == (
            "in-place x + y got a result (3, 2) for a tensor (2,)\n"
            "  an in-place operation cannot change the shape\n"
            "  try: x = x + y, which makes a new tensor"
        )
    assert x._version == 0


def test_a_result_of_a_higher_type() -> None:
    x = torch.tensor([1, 2])
    with pytest.raises(DTypeError) as err:
        x += 0.5
    assert err.value.summary == (
        "in-place x + y got a result of type float32 for a tensor of type int64\n"
        "  float32 values do not fit into int64\n"
        "  try: x = x.to(torch.float32) first, or x = x + y, which makes a new tensor"
    )
    assert x.tolist() == [1, 2]
    y = torch.ones(2)
    y += torch.ones(2, dtype=torch.float64)  # within floats the type stays
    assert y.dtype is torch.float32


@pytest.mark.parametrize(
    ("value", "given", "hint"),
    [
        (torch.zeros(3), "y (3,) for a place of shape (2, 2)", ""),
        (torch.zeros(4), "y (4,) for a place of shape (2, 2)", "\n  try: y.reshape(2, 2)"),
    ],
)
@pytest.mark.parametrize("tracked", [False, True])
def test_a_value_that_does_not_fit(value: Tensor, given: str, hint: str, tracked: bool) -> None:
    x = torch.zeros(2, 2)
    if tracked:
        x = x.requires_grad_() * 1
    for write in (lambda: x.copy_(value), lambda: x.__setitem__(slice(None), value)):
        with pytest.raises(ShapeError) as err:
            write()
        assert err.value.summary == (
            f"x[...] = y got {given}\n"
            f"  read from the right, each axis of y must have the same size or size 1{hint}"
        )


def test_a_refused_write_changes_nothing() -> None:
    x = leaf(1, 2)
    y = x * 3
    for write in (
        lambda: y.add_(torch.zeros(3)),
        lambda: y.add_(torch.zeros(2, 2)),
        lambda: y.copy_(torch.ones(3)),
    ):
        with pytest.raises(RuntimeError):
            write()
    assert y._version == 0
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_a_view_made_while_gradients_were_off_whose_base_was_written_to() -> None:
    x, w = leaf(1, 2, 3), leaf(4, 5, 6)
    y = x * 1
    with torch.no_grad():
        view = y[:2]
    assert (view * w[:2]).requires_grad  # so far its values are constants
    y.mul_(w)
    with pytest.raises(GradError) as err:
        view * 2
    assert err.value.summary == (
        "x got a view (2,) that was made while gradients were off, but written to since with gradients on, "
        "through the tensor that it is a view of\n"
        "  its values depend on what was written, and gradients cannot follow\n"
        "  try: make the view with gradients on, or clone() it before the write"
    )
    assert repr(view) == "tensor([ 4., 10.])"
    with torch.no_grad():
        assert (view * 2).tolist() == [8, 20]


# -- elements replaced without copying the rest -------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        lambda x, i, y: x.__setitem__(i, y),
        lambda x, i, y: x.index_put_((i,), y),
        lambda x, i, y: x.index_copy_(0, i, y),
        lambda x, i, y: x.index_add_(0, i, y),
        lambda x, i, y: x.index_fill_(0, i, 2.0),
        lambda x, i, y: x.scatter_(0, i, y),
        lambda x, i, y: x.scatter_add_(0, i, y),
    ],
)
def test_replacing_elements_does_not_copy_the_tensor(write: Any) -> None:
    x = torch.zeros(2_000_000)
    i, y = torch.tensor([3, 7]), torch.tensor([1.0, 2.0])
    address = x.data_ptr()
    tracemalloc.start()
    try:
        write(x, i, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000  # bytes; a copy would take 8,000,000
    assert x.data_ptr() == address
    assert x[3] in (1, 2)
    assert x[7] == 2
    assert x._version == 1


def test_operands_that_share_the_memory() -> None:
    x = torch.tensor([4, 3, 2, 1, 0])
    x[x] = x * 10
    assert x.tolist() == [0, 10, 20, 30, 40]
    x = torch.tensor([4, 3, 2, 1, 0])
    x.index_put_((x,), x)
    assert x.tolist() == [0, 1, 2, 3, 4]
    y = torch.arange(6.0)
    y[torch.tensor([1, 2, 3])] = y[:3]
    assert y.tolist() == [0, 0, 1, 2, 4, 5]
    y.index_add_(0, torch.tensor([1, 2, 3]), y[:3])
    assert y.tolist() == [0, 0, 1, 3, 4, 5]
    y.scatter_(0, torch.tensor([5, 4]), y[4:])
    assert y.tolist() == [0, 0, 1, 3, 5, 4]


def test_an_index_out_of_range_changes_nothing() -> None:
    x = torch.zeros(5)
    bad = torch.tensor([0, 9])
    for write in (
        lambda: x.__setitem__(bad, 1.0),
        lambda: x.index_add_(0, bad, torch.ones(2)),
        lambda: x.index_copy_(0, bad, torch.ones(2)),
        lambda: x.scatter_(0, bad, torch.ones(2)),
        lambda: x.scatter_add_(0, bad, torch.ones(2)),
    ):
        with pytest.raises(IndexError):
            write()
        assert x.tolist() == [0] * 5
        assert x._version == 0


def test_an_out_of_place_operation_inside_stays_out_of_place() -> None:
    x = torch.zeros(5)
    i, y = torch.tensor([1]), torch.ones(1)
    z = x.index_add(0, i, y)
    x.index_add_(0, i, y)
    assert z.tolist() == x.tolist() == [0, 1, 0, 0, 0]
    w = x.index_copy(0, torch.tensor([0]), y)
    assert x.tolist() == [0, 1, 0, 0, 0]
    assert w.tolist() == [1, 1, 0, 0, 0]


def test_what_shares_memory_in_doubt() -> None:
    """`ravel` copies what is not contiguous even where steps could lead through it, unlike `reshape`."""
    x = torch.arange(6.0)
    x[::2].ravel().zero_()
    assert x.tolist() == [0, 1, 2, 3, 4, 5]
    x[::2].reshape(-1).zero_()
    assert x.tolist() == [0, 1, 0, 3, 0, 5]
    x.view(2, 3).ravel().zero_()
    assert x.tolist() == [0] * 6
    y = torch.zeros(2, 3)
    same, row = torch.broadcast_tensors(y, torch.ones(3))
    assert same is y
    assert row.tolist() == [[1, 1, 1]] * 2


def test_fill_takes_one_number() -> None:
    for value, name in (("a", "str"), (None, "NoneType"), ([1], "list")):
        with pytest.raises(ArgumentError) as caught:
            torch.ones(2).fill_(value)
        assert caught.value.summary == (
            f"fill_ got {name}\n  it takes a number or a 0-d tensor\n  try: fill_(0.0)"
        )


def test_a_leaf_copied_into_a_tensor_makes_no_leaf_of_it_in_a_trace() -> None:
    def f(x: torch.Tensor) -> torch.Tensor:
        y = torch.zeros(3).copy_(x)
        y[0] = 5.0
        return (y * y).sum()

    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    torch.compile(f)(x).backward()
    assert x.grad.tolist() == [0, 4, 6]


def test_a_tensor_that_was_copied_has_a_place_of_its_own_on_the_tape_in_a_trace() -> None:
    def f(x: torch.Tensor) -> torch.Tensor:
        y = x.exp()
        z = torch.zeros(3).copy_(y)
        z += z  # does not touch what backward keeps of y
        return y.sum() + z.sum()

    x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    torch.compile(f)(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * np.exp([0, 1, 2]), rtol=1e-6)
