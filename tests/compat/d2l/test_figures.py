"""The book's pictures: what is drawn into which Axes, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.compat.d2l import torch as d2l


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    size = d2l.plt.rcParams["figure.figsize"]
    yield
    d2l.plt.close("all")
    d2l.plt.rcParams["figure.figsize"] = size


def drawn() -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in d2l.plt.gca().lines]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (([1, 4, 9],), [([0, 1, 2], [1, 4, 9])]),
        (([1, 2], [3, 4]), [([1, 2], [3, 4])]),
        (([1, 2], [[3, 4], [5, 6]]), [([1, 2], [3, 4]), ([1, 2], [5, 6])]),
        (([[1, 2], [3, 4, 5]], [[3, 4], [5, 6, 7]]), [([1, 2], [3, 4]), ([3, 4, 5], [5, 6, 7])]),
        ((torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0], requires_grad=True)), [([1, 2], [3, 4])]),
        ((np.array([1, 2]), [torch.tensor([3.0, 4.0])]), [([1, 2], [3, 4])]),
    ],
)
def test_ways_to_say_what_is_drawn(arguments: Any, expected: Any) -> None:
    d2l.plot(*arguments)
    assert drawn() == expected


def test_labels_limits_scales_and_formats() -> None:
    x = torch.arange(1.0, 4.0)
    d2l.plot(
        x, [x, x**2], "epoch", "loss", legend=["a", "b"], xlim=[1, 10], ylim=[1, 100],
        xscale="log", yscale="log", fmts=("r-", "g--"), figsize=(4.5, 2.5),
    )  # fmt: skip
    ax = d2l.plt.gca()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert (ax.get_xlim(), ax.get_ylim()) == ((1, 10), (1, 100))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert [(line.get_color(), line.get_linestyle()) for line in ax.lines] == [("r", "-"), ("g", "--")]
    assert d2l.plt.gcf().get_size_inches().tolist() == [4.5, 2.5]


def test_a_second_plot_replaces_the_first() -> None:
    d2l.plot([1, 2])
    d2l.plot([3, 4])
    assert drawn() == [([0, 1], [3, 4])]


def test_an_axes_of_the_users() -> None:
    _, (left, right) = d2l.plt.subplots(1, 2)
    d2l.plot([1, 2], axes=left)
    assert (len(left.lines), len(right.lines)) == (1, 0)


def test_what_pyplot_draws_stays_pyplots() -> None:
    d2l.set_figsize()
    d2l.plt.scatter([1, 2], [3, 4], 1)
    assert d2l.plt.gcf().get_size_inches().tolist() == [3.5, 2.5]


def test_no_label_is_cut_off() -> None:
    d2l.plot([1, 2], xlabel="x", ylabel="f(x)")
    figure = d2l.plt.gcf()
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in (figure.axes[0].xaxis.label, figure.axes[0].yaxis.label)]
    assert min(min(box.x0, box.y0) for box in boxes) >= 0


def test_different_lengths_are_refused() -> None:
    with pytest.raises(torch.ShapeError, match="3 values of x and 2 of y"):
        d2l.plot([1, 2, 3], [1, 2])


def test_images_in_a_grid() -> None:
    pictures = torch.rand(5, 4, 6)
    axes = d2l.show_images(pictures, 2, 3, titles=list("abcde"), scale=2)
    assert axes.shape == (6,)
    assert [len(ax.images) for ax in axes] == [1, 1, 1, 1, 1, 0]
    assert [ax.get_title() for ax in axes] == ["a", "b", "c", "d", "e", ""]
    np.testing.assert_array_equal(axes[2].images[0].get_array(), pictures[2])
    assert d2l.plt.gcf().get_size_inches().tolist() == [6, 4]
    assert not any(ax.axison for ax in axes)


def test_one_image_with_colors() -> None:
    from PIL import Image

    (ax,) = d2l.show_images([Image.new("RGB", (4, 3))], 1, 1)
    assert ax.images[0].get_array().shape == (3, 4, 3)
