"""Decision boundaries: each point of the plane has the class that any sort of classifier says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from sklearn.svm import SVC

import chainrule as torch
from chainrule import nn, plot

CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
XOR = [0, 1, 1, 0]


def regions(ax: Axes) -> np.ndarray:
    return np.asarray(ax.images[0].get_array())


def plane(ax: Axes, points: int) -> np.ndarray:
    """The points of the map: (points * points, 2), row by row from below."""
    x, y = np.linspace(*ax.get_xlim(), points), np.linspace(*ax.get_ylim(), points)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.figure.legends[0].get_texts()]


def xor(x: Any) -> Any:
    return -x[:, 0] * x[:, 1]


@pytest.mark.parametrize(
    "model",
    [
        xor,
        lambda x: xor(x).reshape(-1, 1),
        lambda x: xor(x) > 0,
        lambda x: (xor(x) > 0).long(),
        lambda x: torch.stack([-xor(x), xor(x)], 1),
        lambda x: np.asarray(xor(x)) > 0,
    ],
    ids=["score", "column", "truth", "class", "scores", "array"],
)
def test_all_sorts_of_answers(model: Any) -> None:
    ax = plot.decision_boundary(model, CORNERS, XOR, points=20)
    x = plane(ax, 20)
    np.testing.assert_array_equal(regions(ax).ravel(), (-x[:, 0] * x[:, 1] > 0).astype(int))
    assert legend(ax) == ["0", "1"]


def test_probabilities_with_their_threshold() -> None:
    def probability(x: Any) -> Any:
        return torch.sigmoid(x[:, 0] - 0.5)

    ax = plot.decision_boundary(probability, CORNERS, threshold=0.5, points=21)
    np.testing.assert_array_equal(regions(ax).ravel(), (plane(ax, 21)[:, 0] > 0.5).astype(int))


def test_a_module_is_asked_in_eval_mode_and_left_as_it_was() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)).double()
    model[2].eval()
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    ax = plot.decision_boundary(model, CORNERS, [0, 1, 2, 0], points=30)
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before
    assert [module.training for module in model] == [True, True, False, True]
    assert model.training
    model.eval()
    wanted = model(torch.tensor(plane(ax, 30), dtype=torch.float64)).argmax(1)
    assert np.mean(regions(ax).ravel() == np.asarray(wanted)) == 1


def test_an_estimator_of_scikit_learn_with_names_as_labels() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    y = np.where((x**2).sum(1) < 1, "inside", "outside")
    model = SVC(C=100.0).fit(x, y)
    ax = plot.decision_boundary(model, x, y, points=30)
    assert legend(ax) == ["inside", "outside"]
    wanted = model.predict(plane(ax, 30)) == "outside"
    np.testing.assert_array_equal(regions(ax).ravel(), wanted.astype(int))
    inside, outside = (np.asarray(points.get_offsets()) for points in samples(ax))
    np.testing.assert_array_equal(inside, x[y == "inside"])
    np.testing.assert_array_equal(outside, x[y == "outside"])


def samples(ax: Axes) -> list[Any]:
    return [c for c in ax.collections if c.get_label() in legend(ax)]


@pytest.mark.parametrize(
    "labels", [[-1, 1, 1, -1], [0.0, 1.0, 1.0, 0.0], torch.tensor(XOR), [False, True, True, False]]
)
def test_labels_of_two_classes_in_all_forms(labels: Any) -> None:
    ax = plot.decision_boundary(xor, CORNERS, labels, points=10)
    no, yes = (np.asarray(points.get_offsets()).tolist() for points in samples(ax))
    assert no == CORNERS[[0, 3]].tolist()
    assert yes == CORNERS[[1, 2]].tolist()


def test_names_of_classes() -> None:
    ax = plot.decision_boundary(xor, CORNERS, ["a", "b", "b", "a"], classes=["a", "b"], points=10)
    assert legend(ax) == ["a", "b"]
    assert np.asarray(samples(ax)[1].get_offsets()).tolist() == CORNERS[[1, 2]].tolist()
    assert legend(plot.decision_boundary(xor, CORNERS, XOR, classes=["$1", "$2"], points=10)) == ["$1", "$2"]


def test_without_samples() -> None:
    ax = plot.decision_boundary(xor, xlim=(-1, 1), ylim=(-2, 2), points=10)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 1), (-2, 2))
    assert legend(ax) == ["0", "1"]


def test_the_line_is_where_the_classes_meet() -> None:
    ax = plot.decision_boundary(lambda x: x[:, 0] - 0.3, xlim=(-1, 1), ylim=(-1, 1))
    (line,) = [c for c in ax.collections if hasattr(c, "levels")]
    places = np.concatenate([p.vertices for p in line.get_paths()])
    np.testing.assert_allclose(places[:, 0], 0.3, atol=0.01)


def test_samples_at_one_place_have_a_map_around_them() -> None:
    ax = plot.decision_boundary(xor, [[1.0, 1.0]], [0], points=10)
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 2), (0, 2))
