"""Loss surfaces: the map is the loss, and the paths are what the optimizers really do."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import chainrule as torch
from chainrule import nn, plot

START = (-4.0, 2.0)


def bowl(w: Any) -> Any:
    return w[0] ** 2 + 4 * w[1] ** 2


def paths(ax: Axes) -> list[np.ndarray]:
    """The drawn paths, without the mark of the start: (steps + 1, 2) each."""
    return [np.column_stack(line.get_data()) for line in ax.lines[:-1]]


def names(ax: Any) -> list[str]:
    legend = ax.figure.legends[0] if ax.figure.legends else ax.get_legend()
    return [text.get_text() for text in legend.get_texts()]


def line_data() -> tuple[Any, Any]:
    torch.manual_seed(0)
    x = torch.randn(40, 1)
    return x, 2 * x - 1 + 0.1 * torch.randn(40, 1)


def test_gradient_descent_on_a_bowl_in_closed_form() -> None:
    rates = [0.02, 0.1, 0.2]
    ax = plot.loss_surface(bowl, START, lr=rates, steps=6, points=5)
    assert len(paths(ax)) == 3
    for rate, path in zip(rates, paths(ax), strict=True):
        step = np.arange(7)
        wanted = [START[0] * (1 - 2 * rate) ** step, START[1] * (1 - 8 * rate) ** step]
        np.testing.assert_allclose(path.T, wanted, rtol=1e-12)
    assert names(ax) == ["lr 0.02", "lr 0.1", "lr 0.2"]
    assert [float(v[0]) for v in ax.lines[-1].get_data()] == list(START)


def test_a_walk_that_runs_away_is_named_and_does_not_set_the_limits() -> None:
    ax = plot.loss_surface(bowl, START, lr=[0.1, 0.3], steps=30, points=5)
    assert names(ax) == ["lr 0.1", "lr 0.3 (diverges)"]
    assert max(map(abs, ax.get_ylim())) < 10
    assert np.abs(paths(ax)[1]).max() > 100
    # It ends before its numbers overflow.
    (path,) = paths(plot.loss_surface(bowl, START, lr=1e6, steps=1000, points=5))
    assert np.isfinite(path).all()
    assert len(path) < 10


def test_the_map_is_the_loss() -> None:
    ax = plot.loss_surface(bowl, START, xlim=(-5, 1), ylim=(-1, 3), points=25)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-5.0, 1.0), (-1.0, 3.0))
    filled = ax.collections[0]
    found = 0
    for level, polygons in zip(filled.levels, filled.get_paths(), strict=False):
        # The lower edge of each band lies where the loss is its level.
        edge = np.concatenate([p for p in polygons.to_polygons() if len(p)]) if len(polygons.vertices) else []
        heights = [x**2 + 4 * y**2 for x, y in edge if -4.9 < x < 0.9 and -0.9 < y < 2.9]
        nearest = [min(abs(h - other) for other in filled.levels) for h in heights]
        assert max(nearest, default=0) < 0.05 * max(level, 1)
        found += len(heights)
    assert found > 100
    values, counts = np.unique(np.digitize(_bowl_grid(25), filled.levels), return_counts=True)
    assert len(values) == len(filled.levels) + 1
    assert counts.max() < 2.5 * counts.min()  # bands of about the same area


def _bowl_grid(points: int) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(-5, 1, points), np.linspace(-1, 3, points))
    return x**2 + 4 * y**2


def test_other_optimizers_walk_as_they_do_elsewhere() -> None:
    for make in (torch.optim.Adam, partial(torch.optim.SGD, momentum=0.9), torch.optim.RMSprop):
        ax = plot.loss_surface(bowl, START, lr=0.1, steps=8, optimizer=make, points=5)
        w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer = make([w], lr=0.1)
        wanted = [w.tolist()]
        for _ in range(8):
            optimizer.zero_grad()
            bowl(w).backward()
            optimizer.step()
            wanted.append(w.tolist())
        np.testing.assert_array_equal(paths(ax)[0], wanted)


def test_a_model_walks_on_a_copy() -> None:
    x, y = line_data()
    model = nn.Linear(1, 1)
    before = {name: p.tolist() for name, p in model.named_parameters()}
    model.train()
    ax = plot.loss_surface(nn.MSELoss(), model=model, data=(x, y), lr=0.1, steps=60, points=5)
    assert {name: p.tolist() for name, p in model.named_parameters()} == before
    assert all(p.grad is None for p in model.parameters())
    assert model.training
    (path,) = paths(ax)
    np.testing.assert_allclose(path[0], [model.weight.item(), model.bias.item()])
    np.testing.assert_allclose(path[-1], np.polyfit(np.ravel(x), np.ravel(y), 1), atol=1e-3)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight", "bias")


def test_a_model_with_frozen_parameters() -> None:
    model = nn.Linear(2, 1)
    model.bias.requires_grad_(False)
    data = torch.ones(4, 2), torch.ones(4, 1)
    ax = plot.loss_surface(nn.MSELoss(), (1, -1), model=model, data=data, steps=2, points=5)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight[0]", "weight[1]")
    np.testing.assert_allclose(paths(ax)[0][0], [1, -1])


def test_batches() -> None:
    x, y = line_data()

    def loss(w: Any, x: Any, y: Any) -> Any:
        seen.append(len(x))
        return ((w[0] * x + w[1] - y) ** 2).mean()

    seen: list[int] = []
    ax = plot.loss_surface(
        loss, (0, 0), data=(x, y), lr=[0.05, 0.1], batch_size=[None, 4], steps=10, points=5
    )
    assert names(ax) == ["lr 0.05, all rows", "lr 0.1, all rows", "lr 0.05, batch 4", "lr 0.1, batch 4"]
    assert set(seen) == {40, 4}
    assert seen.count(4) == 20
    whole, part = paths(ax)[0], paths(ax)[2]
    # All rows go down smoothly; batches are noisy but go the same way.
    assert np.abs(whole - part).max() > 1e-3
    assert np.linalg.norm(whole[-1] - part[-1]) < np.linalg.norm(whole[-1] - whole[0])


def test_each_row_is_used_once_in_an_epoch_and_the_users_stream_is_left_alone() -> None:
    rows = torch.arange(10.0)
    seen: list[float] = []

    def loss(w: Any, x: Any, y: Any) -> Any:
        if len(x) < 10:
            seen.extend(x.tolist())
        return (w**2).sum() + 0 * x.sum()

    torch.manual_seed(3)
    before = torch.get_rng_state().tolist()
    plot.loss_surface(loss, (1, 1), data=(rows, rows), batch_size=2, steps=10, points=2)
    assert torch.get_rng_state().tolist() == before
    assert sorted(seen[:10]) == sorted(seen[10:]) == rows.tolist()
    assert seen[:10] != seen[10:]


@pytest.mark.parametrize("steps", [0, 1])
def test_few_steps_and_plains(steps: int) -> None:
    for loss in (bowl, lambda w: 0 * w.sum() + 3):
        ax = plot.loss_surface(loss, (0.0, 0.0), steps=steps, points=4)
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        assert left < 0 < right
        assert low < 0 < high


def test_a_loss_that_is_not_defined_everywhere_leaves_a_gap() -> None:
    ax = plot.loss_surface(lambda w: torch.log(w[0]) + w[1] ** 2, (1, 1), xlim=(-1, 2), ylim=(0, 1), steps=2)
    right = [p.vertices[:, 0] for p in ax.collections[0].get_paths() if len(p.vertices)]
    assert min(x.min() for x in right) > -0.1


def test_paths_are_of_colours_that_differ() -> None:
    ax = plot.loss_surface(bowl, START, lr=[0.01, 0.02, 0.03], steps=2, points=4)
    assert len({to_hex(line.get_color()) for line in ax.lines[:-1]}) == 3


def test_into_a_given_axes() -> None:
    ax = Figure().add_subplot()
    assert plot.loss_surface(bowl, START, lr=[0.1, 0.2], points=4, ax=ax) is ax
    assert names(ax) == ["lr 0.1", "lr 0.2"]
