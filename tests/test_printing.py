"""What people read when they print a tensor. The texts are PyTorch's: torch/test_printing.py compares."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from chainrule.printing import format_tensor, get_printoptions, printoptions, set_printoptions


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    set_printoptions(profile="default")
    yield
    set_printoptions(profile="default")


def f32(*values: object) -> np.ndarray:
    return np.array(values, np.float32)


ONE_LINE = [
    # The texts that the course notes print.
    (np.array([2] * 12), "tensor([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])"),
    (np.array([-3, -3, -3]), "tensor([-3, -3, -3])"),
    (np.array([4, 10, 18]), "tensor([ 4, 10, 18])"),
    (f32(0.25, 0.4, 0.5), "tensor([0.2500, 0.4000, 0.5000])"),
    (np.array([1, 32, 729]), "tensor([  1,  32, 729])"),
    (f32(0, 1, 2, 4, 2, 1), "tensor([0., 1., 2., 4., 2., 1.])"),
    (
        np.array([127500.0, 106000.0, 178100.0, 140000.0]),
        "tensor([127500., 106000., 178100., 140000.], dtype=torch.float64)",
    ),
    # 0-d.
    (f32(3.5).reshape(()), "tensor(3.5000)"),
    (np.array(7), "tensor(7)"),
    (np.array(True), "tensor(True)"),
    (np.array(2.0), "tensor(2., dtype=torch.float64)"),
    # Every dtype; int64, bool and the default float need no name.
    (np.array([1, -2], np.int8), "tensor([ 1, -2], dtype=torch.int8)"),
    (np.array([1, 2], np.int16), "tensor([1, 2], dtype=torch.int16)"),
    (np.array([1, 2], np.int32), "tensor([1, 2], dtype=torch.int32)"),
    (np.array([1, 255], np.uint8), "tensor([  1, 255], dtype=torch.uint8)"),
    (np.array([True, False]), "tensor([ True, False])"),
    (np.array([0.1, 1], np.float16), "tensor([0.1000, 1.0000], dtype=torch.float16)"),
    # Integral floats, and what leaves that style.
    (f32(1, 2), "tensor([1., 2.])"),
    (f32(1, 1000), "tensor([   1., 1000.])"),
    (f32(1, 1001), "tensor([1.0000e+00, 1.0010e+03])"),
    (f32(1e8), "tensor([100000000.])"),
    (f32(1e8, 100000001, 1.5e8), "tensor([1.0000e+08, 1.0000e+08, 1.5000e+08])"),
    (f32(0.5, 500), "tensor([  0.5000, 500.0000])"),
    (f32(0.5, 501), "tensor([5.0000e-01, 5.0100e+02])"),
    (f32(1e-4), "tensor([1.0000e-04])"),
    (f32(2e-4), "tensor([0.0002])"),
    # Zeros and what is not a number have no say in the style.
    (f32(0, 0), "tensor([0., 0.])"),
    (f32(-0.0, 1), "tensor([-0., 1.])"),
    (f32(float("nan"), 1), "tensor([nan, 1.])"),
    (f32(float("inf"), -float("inf"), 2.5), "tensor([   inf,   -inf, 2.5000])"),
    (f32(float("nan"), 0), "tensor([nan, 0.])"),
    # Empty: the dtype cannot be told from the elements, so int64 and bool are named.
    (f32(), "tensor([])"),
    (np.zeros((0, 3), np.float32), "tensor([], size=(0, 3))"),
    (np.zeros((2, 0), np.int64), "tensor([], size=(2, 0), dtype=torch.int64)"),
    (np.zeros(0, bool), "tensor([], dtype=torch.bool)"),
]


@pytest.mark.parametrize(("array", "expected"), ONE_LINE)
def test_one_line(array: np.ndarray, expected: str) -> None:
    assert format_tensor(array) == expected


def test_columns_are_aligned_and_blocks_are_separated() -> None:
    array = np.arange(12).reshape(2, 2, 3) - 3
    assert format_tensor(array) == (
        "tensor([[[-3, -2, -1],\n         [ 0,  1,  2]],\n\n        [[ 3,  4,  5],\n         [ 6,  7,  8]]])"
    )


def test_four_axes_have_two_empty_lines_between_the_outer_blocks() -> None:
    assert format_tensor(np.zeros((2, 1, 1, 2), np.int64)) == (
        "tensor([[[[0, 0]]],\n\n\n        [[[0, 0]]]])"
    )


def test_strides_do_not_matter() -> None:
    array = np.arange(6).reshape(2, 3)
    assert format_tensor(array.T) == "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])"
    assert format_tensor(array[::-1, ::2]) == "tensor([[3, 5],\n        [0, 2]])"


def test_long_rows_are_wrapped_at_the_line_width() -> None:
    assert format_tensor(np.arange(30, dtype=np.float32)) == (
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
        "        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,\n"
        "        28., 29.])"
    )


def test_more_than_a_thousand_elements_show_their_edges() -> None:
    assert format_tensor(np.arange(1000)).count(",") == 999
    assert format_tensor(np.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    assert format_tensor(np.arange(2000).reshape(40, 50)) == (
        "tensor([[   0,    1,    2,  ...,   47,   48,   49],\n"
        "        [  50,   51,   52,  ...,   97,   98,   99],\n"
        "        [ 100,  101,  102,  ...,  147,  148,  149],\n"
        "        ...,\n"
        "        [1850, 1851, 1852,  ..., 1897, 1898, 1899],\n"
        "        [1900, 1901, 1902,  ..., 1947, 1948, 1949],\n"
        "        [1950, 1951, 1952,  ..., 1997, 1998, 1999]])"
    )


def test_hidden_elements_do_not_choose_the_style() -> None:
    array = np.ones(2000, np.float32)
    array[1000] = 1e-9
    assert format_tensor(array) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_gradient_suffixes() -> None:
    x = f32(1, 2)
    assert format_tensor(x, requires_grad=True) == "tensor([1., 2.], requires_grad=True)"
    assert format_tensor(x, requires_grad=True, grad_fn="MulBackward0") == (
        "tensor([1., 2.], grad_fn=<MulBackward0>)"
    )
    assert format_tensor(x.astype(np.float64), grad_fn="MeanBackward0") == (
        "tensor([1., 2.], dtype=torch.float64, grad_fn=<MeanBackward0>)"
    )


def test_default_dtype_goes_without_saying() -> None:
    assert format_tensor(np.ones(1), default_dtype="float64") == "tensor([1.])"
    assert format_tensor(f32(1), default_dtype="float64") == "tensor([1.], dtype=torch.float32)"
    assert format_tensor(f32(), default_dtype="float64") == "tensor([], dtype=torch.float32)"


def test_suffixes_that_do_not_fit_go_to_their_own_line() -> None:
    x = np.arange(8) / 8
    assert format_tensor(x, requires_grad=True) == (
        "tensor([0.0000, 0.1250, 0.2500, 0.3750, 0.5000, 0.6250, 0.7500, 0.8750],\n"
        "       dtype=torch.float64, requires_grad=True)"
    )
    with printoptions(linewidth=20):
        assert format_tensor(np.ones(2), requires_grad=True) == (
            "tensor([1., 1.],\n       dtype=torch.float64,\n       requires_grad=True)"
        )


def test_precision_and_width() -> None:
    with printoptions(precision=2, linewidth=20):
        assert format_tensor(f32(0.125, 1.5, 2.5)) == "tensor([0.12, 1.50,\n        2.50])"


def test_threshold_and_edgeitems() -> None:
    with printoptions(threshold=5, edgeitems=1):
        assert format_tensor(np.arange(5)) == "tensor([0, 1, 2, 3, 4])"
        assert format_tensor(np.arange(6)) == "tensor([0,  ..., 5])"
    with printoptions(threshold=5, edgeitems=0):
        assert format_tensor(np.arange(6)) == "tensor([...], size=(6,))"


def test_scientific_notation_can_be_forced_and_forbidden() -> None:
    with printoptions(sci_mode=True):
        assert format_tensor(f32(1, 2.5)) == "tensor([1.0000e+00, 2.5000e+00])"
        assert format_tensor(f32(0)) == "tensor([0.])"
    with printoptions(sci_mode=False):
        assert format_tensor(f32(1, 2000.5)) == "tensor([   1.0000, 2000.5000])"


def test_profiles() -> None:
    set_printoptions(profile="full")
    assert format_tensor(np.arange(2000)).count(",") == 1999
    set_printoptions(profile="short")
    assert format_tensor(f32(*range(2000)) / 200) == "tensor([0.00e+00, 5.00e-03,  ..., 9.99e+00, 9.99e+00])"
    set_printoptions(profile="short", precision=0)
    assert get_printoptions() == {
        "precision": 0,
        "threshold": 1000,
        "edgeitems": 2,
        "linewidth": 80,
        "sci_mode": None,
    }
    set_printoptions(profile="default")
    assert format_tensor(f32(0.5)) == "tensor([0.5000])"


def test_options_not_given_stay_but_sci_mode_goes_back_to_automatic() -> None:
    set_printoptions(precision=2, sci_mode=True)
    set_printoptions(edgeitems=1)
    options = get_printoptions()
    assert (options["precision"], options["edgeitems"], options["sci_mode"]) == (2, 1, None)


def test_options_survive_a_round_trip() -> None:
    set_printoptions(profile="full", precision=7, sci_mode=False)
    before = get_printoptions()
    set_printoptions(profile="default")
    set_printoptions(**before)
    assert get_printoptions() == before


def test_an_unknown_profile_lists_the_known_ones_and_changes_nothing() -> None:
    before = get_printoptions()
    with pytest.raises(ValueError) as caught:
        set_printoptions(precision=2, profile="long")
    assert str(caught.value).splitlines()[:2] == [
        "set_printoptions got profile 'long'",
        "  profile must be one of 'default', 'short', 'full'",
    ]
    assert get_printoptions() == before


def test_printoptions_are_restored_after_an_error() -> None:
    before = get_printoptions()
    with pytest.raises(ZeroDivisionError), printoptions(precision=9, sci_mode=True):
        raise ZeroDivisionError
    assert get_printoptions() == before
