"""Lines and points: what is drawn is what was given, in every way to give it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import chainrule as torch
from chainrule import plot

X = [0.0, 1.0, 2.0]
A, B = [0.0, 1.0, 4.0], [0.0, 2.0, 4.0]


def drawn(ax: Axes) -> list[list[list[float]]]:
    return [
        [np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()] for line in ax.lines
    ]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((A,), [[X, A]]),
        (([A, B],), [[X, A], [X, B]]),
        ((torch.tensor([A, B], requires_grad=True),), [[X, A], [X, B]]),
        ((X, A), [[X, A]]),
        ((X, [A, B]), [[X, A], [X, B]]),
        (([X], [A, B]), [[X, A], [X, B]]),
        (([X, B], [A, B]), [[X, A], [B, B]]),
        (([X, B], A), [[X, A], [B, A]]),
        (([[0.0], X], [[5.0], A]), [[[0.0], [5.0]], [X, A]]),
        ((torch.tensor(X), [torch.tensor(A), np.array(B)]), [[X, A], [X, B]]),
        (([torch.tensor(1.0, requires_grad=True), 2.0, 3],), [[X, [1.0, 2.0, 3.0]]]),
        (([],), [[[], []]]),
    ],
)
def test_lines_in_every_form(arguments: tuple[Any, ...], wanted: Any) -> None:
    assert drawn(plot.lines(*arguments)) == wanted


def test_everything_that_can_be_said_about_lines() -> None:
    ax = plot.lines(
        X,
        [A, B],
        xlabel="x",
        ylabel="y",
        title="both",
        legend=["a", "b"],
        xlim=(0.5, 2),
        ylim=torch.tensor([0.1, 10.0]),
        yscale="log",
        fmts=["m--", "go"],
        figsize=(4, 3),
    )
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("x", "y", "both")
    assert (ax.get_xlim(), ax.get_yscale()) == ((0.5, 2.0), "log")
    assert ax.get_ylim() == pytest.approx((0.1, 10.0))
    assert [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines] == [
        ("m", "--", "None"),
        ("g", "None", "o"),
    ]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.figure.get_size_inches().tolist() == [4.0, 3.0]


def test_formats_start_again_when_there_are_more_lines() -> None:
    ax = plot.lines([A, B, A], fmts=["-", "m--"])
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--", "-"]


def test_lines_differ_in_colour_and_in_style() -> None:
    ax = plot.lines(np.eye(28))
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 28


def test_one_point_is_seen() -> None:
    assert plot.lines([3.0]).lines[0].get_marker() == "o"
    assert plot.lines([float("nan"), 3.0]).lines[0].get_marker() == "o"
    assert plot.lines([2.0, 3.0]).lines[0].get_marker() == "None"


def test_without_names_there_is_no_legend() -> None:
    assert plot.lines(A).get_legend() is None


def test_points() -> None:
    ax = plot.scatter(torch.tensor([[1.0], [2.0]]), [3, 4], size=7, label="data", xlabel="x")
    (points,) = ax.collections
    assert np.asarray(points.get_offsets()).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert points.get_sizes().tolist() == [7]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["data"]


def test_many_points_are_smaller_and_shine_through() -> None:
    few, many = (plot.scatter(range(n), range(n)).collections[0] for n in (10, 5000))
    assert few.get_sizes()[0] > many.get_sizes()[0]
    assert few.get_alpha() > many.get_alpha()


def test_a_given_axes_is_drawn_into_and_keeps_its_looks() -> None:
    ax = Figure().add_subplot()
    ax.set_xlabel("mine")
    before = ax.spines["top"].get_visible(), ax.figure.get_size_inches().tolist()
    assert plot.lines(A, ax=ax, xlabel="theirs", ylabel="y", legend="a") is ax
    assert plot.scatter(X, A, ax=ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mine", "y")
    assert (ax.spines["top"].get_visible(), ax.figure.get_size_inches().tolist()) == before
    assert len(ax.lines) == len(ax.collections) == 1
