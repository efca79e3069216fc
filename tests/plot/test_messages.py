"""The full text of every message that pictures can give, but for the user's line at its end."""

from __future__ import annotations

import builtins
import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import chainrule as torch
from chainrule import plot
from chainrule.core.errors import ArgumentError, ChainruleError, GradError, ShapeError
from chainrule.plot import output, picture
from chainrule.training import Epoch, History
from tests.messages import untested

PACKAGE = Path(plot.__file__).parent
DAMAGED = Path(__file__).parent / "damaged_run"
FORMATS = ", ".join(sorted(Figure().canvas.get_supported_filetypes()))  # which differ between versions


def first(x: Any) -> Any:
    return x[:, 0]


def nothing_drawn(action: Callable[[], Any]) -> None:
    kept = picture._last[:]
    picture._last.clear()
    try:
        action()
    finally:
        picture._last[:] = kept


MESSAGES: list[tuple[Callable[[], Any], type[ChainruleError], str]] = [
    (
        lambda: plot.lines(["a", "b"]),
        ArgumentError,
        "plot.lines got X = ['a', 'b']\n"
        "  X must hold real numbers: a tensor, an array, or lists of equal lengths",
    ),
    (
        lambda: plot.lines([1 + 2j]),
        ArgumentError,
        "plot.lines got X = [(1+2j)]\n"
        "  X must hold real numbers: a tensor, an array, or lists of equal lengths",
    ),
    (
        lambda: plot.lines([[1, 2], [3, "x"]]),
        ArgumentError,
        "plot.lines got X[1] = [3, 'x']\n"
        "  X[1] must hold real numbers: a tensor, an array, or lists of equal lengths",
    ),
    (
        lambda: plot.lines([1, 2], [[1, 2], [3, 4]], legend=["one"]),
        ArgumentError,
        "plot.lines got 1 name in the legend for 2 lines\n  each line must have its name",
    ),
    (
        lambda: plot.lines([1, 2], xscale="cube"),
        ArgumentError,
        "plot.lines got xscale = 'cube'\n  xscale must be one of linear, log, symlog, logit",
    ),
    (
        lambda: plot.lines([1, 2], xlim=(3, 1)),
        ArgumentError,
        "plot.lines got xlim = (3, 1)\n"
        "  xlim must be two finite numbers, the smaller one first\n"
        "  try: xlim=(-3, 3)",
    ),
    (
        lambda: plot.lines([[1, 2], [1, 2]], [[1, 2], [1, 2], [3, 4]]),
        ShapeError,
        "plot.lines got 2 lines in X and 3 in Y\n  there must be as many of both, or one X for all",
    ),
    (
        lambda: plot.lines([1, 2, 3], [1, 2]),
        ShapeError,
        "plot.lines got 3 values of x and 2 of y\n  each point must have both",
    ),
    (
        lambda: plot.lines([[1, 2], [1, 2, 3]], [[1, 2], [1, 2]]),
        ShapeError,
        "plot.lines got 3 values of x and 2 of y of line 2\n  each point must have both",
    ),
    (
        lambda: plot.lines(torch.ones(5, 1)),
        ShapeError,
        "plot.lines got X of shape (5, 1)\n"
        "  these would be 5 lines of one point each\n"
        "  try: X.reshape(-1) for one line of 5 points",
    ),
    (
        lambda: plot.lines(torch.ones(2, 3, 4)),
        ShapeError,
        "plot.lines got X of shape (2, 3, 4)\n  X must be one line (n,) or several (lines, n)",
    ),
    (
        lambda: plot.lines(torch.tensor(1.0)),
        ShapeError,
        "plot.lines got X of shape ()\n  X must be one line (n,) or several (lines, n)",
    ),
    (
        lambda: plot.lines([1, 2], ax=plot.activations()),
        ArgumentError,
        "plot.lines got ax = <Picture size 560x576 with 2 Axes>\n"
        "  ax must be one Axes of matplotlib to draw into\n"
        "  try: figure.axes[0] of a figure, axes[0, 1] of several; or no ax, for a new picture",
    ),
    (
        lambda: plot.scatter([1, 2, 3], torch.ones(2, 1)),
        ShapeError,
        "plot.scatter got x of shape (3,) and y of shape (2, 1)\n  each x must have its y (3 and 2 values)",
    ),
    (
        lambda: plot.function(torch.log, (-2, -1)),
        ArgumentError,
        "plot.function got a function that is no finite number at any of 401 points in [−2, −1]\n"
        "  there must be something to draw\n"
        "  try: xlim=(a, b) with an interval where it is defined",
    ),
    (
        lambda: plot.function(lambda x: math.sin(x), derivative=True),
        GradError,
        "plot.function got a function whose result does not come from the tensor that it gets\n"
        "  its derivative is not known: what math, NumPy or float() compute is not recorded\n"
        "  try: the functions of chainrule: torch.sin(x) instead of math.sin(x)",
    ),
    (
        lambda: plot.function(lambda x: x.reshape(1) * torch.ones(3)),
        ShapeError,
        "plot.function got a function that gives shape (3,) for a 0-d tensor\n"
        "  it must give one number for one number\n"
        "  try: lambda x: model(x.reshape(1, 1)), for a model with one input and one output",
    ),
    (
        lambda: plot.function(lambda x: "1"),
        ArgumentError,
        "plot.function got a function that gives '1'\n"
        "  it must give one number for one number: a tensor of one element, or a float",
    ),
    (
        lambda: plot.function(torch.sin, (1, 1)),
        ArgumentError,
        "plot.function got xlim = (1, 1)\n"
        "  xlim must be two finite numbers, the smaller one first\n"
        "  try: xlim=(-3, 3)",
    ),
    (
        lambda: plot.function(torch.sin, (float("nan"), 1)),
        ArgumentError,
        "plot.function got xlim = (nan, 1)\n"
        "  xlim must be two finite numbers, the smaller one first\n"
        "  try: xlim=(-3, 3)",
    ),
    (
        lambda: plot.tangent(torch.sqrt, at=0, xlim=(0, 1)),
        ArgumentError,
        "plot.tangent got x = 0, where f(x) = 0 and f'(x) = inf\n"
        "  there is a tangent only where value and slope are finite numbers\n"
        "  try: a point at which f can be differentiated",
    ),
    (
        lambda: plot.tangent(torch.log, at=-1, xlim=(-1, 1)),
        ArgumentError,
        "plot.tangent got x = −1, where f(x) = nan and f'(x) = nan\n"
        "  there is a tangent only where value and slope are finite numbers\n"
        "  try: a point at which f can be differentiated",
    ),
    (
        lambda: plot.tangent(lambda x: 5.0, at=0),
        GradError,
        "plot.tangent got a function whose result does not come from the tensor that it gets\n"
        "  its derivative is not known: what math, NumPy or float() compute is not recorded\n"
        "  try: the functions of chainrule: torch.sin(x) instead of math.sin(x)",
    ),
    (
        lambda: plot.activations("rellu"),
        ArgumentError,
        "plot.activations got the name 'rellu'\n"
        "  it must be the name of a function in nn.functional (did you mean 'relu'?)",
    ),
    (
        lambda: plot.activations(torch.nn.Softmax(dim=0)),
        ArgumentError,
        "plot.activations got Softmax(dim=0)\n"
        "  it must compute each element by itself, and the same each time\n"
        '  try: an elementwise one, such as "relu" or nn.LeakyReLU(0.1)',
    ),
    (
        lambda: plot.normal(0, 0),
        ArgumentError,
        "plot.normal got mean = [0.0], std = [0.0]\n"
        "  means must be finite numbers, standard deviations finite and above 0\n"
        "  try: std = variance ** 0.5, if it is the variance that you have",
    ),
    (
        lambda: plot.normal([0, 1, 2], [1, 2]),
        ArgumentError,
        "plot.normal got 3 means and 2 standard deviations\n"
        "  there must be as many of both, or one of either",
    ),
    (
        lambda: plot.frequencies([1, 2, 3]),
        ShapeError,
        "plot.frequencies got counts of shape (3,)\n  counts must have 2 axes",
    ),
    (
        lambda: plot.frequencies([[0, 0], [1, 2]]),
        ArgumentError,
        "plot.frequencies got counts of shape (2, 2), the first group [0.0, 0.0]\n"
        "  each group must count its draws: numbers from 0, not all 0 in the first group",
    ),
    (
        lambda: plot.frequencies([[1, 2, 3]], outcomes=["a", "b"]),
        ArgumentError,
        "plot.frequencies got 3 outcomes, 2 names and 0 expected\n"
        "  each outcome must have its own name and probability, or one probability serves all",
    ),
    (
        lambda: plot.frequencies([[1, 2, 3]], expected=[0.5, 0.5]),
        ArgumentError,
        "plot.frequencies got 3 outcomes, 3 names and 2 expected\n"
        "  each outcome must have its own name and probability, or one probability serves all",
    ),
    (
        lambda: plot.learning_curves([]),
        ArgumentError,
        "plot.learning_curves got []\n"
        "  there must be at least one epoch with a finite number\n"
        "  try: after the first epoch is over",
    ),
    (
        lambda: plot.learning_curves({"training": [None, float("nan")]}),
        ArgumentError,
        "plot.learning_curves got {'training': [None, nan]}\n"
        "  there must be at least one epoch with a finite number\n"
        "  try: after the first epoch is over",
    ),
    (
        lambda: plot.learning_curves([0.5], yscale="symlog"),
        ArgumentError,
        "plot.learning_curves got yscale = 'symlog'\n  yscale must be 'linear' or 'log'",
    ),
    (
        lambda: plot.learning_curves(History([Epoch(1, 0.5, 0.6, {"accuracy": 0.9})]), measure="acuracy"),
        ArgumentError,
        "plot.learning_curves got measure = 'acuracy'\n"
        "  the epochs have loss, accuracy (did you mean 'accuracy'?)",
    ),
    (
        lambda: plot.learning_curves("no-such-run"),
        ArgumentError,
        "plot.learning_curves got the folder 'no-such-run'\n"
        "  a run that `chainrule train` wrote has a metrics.jsonl (No such file or directory)\n"
        "  try: the folder that the training printed at its end",
    ),
    (
        lambda: plot.learning_curves(DAMAGED),
        ArgumentError,
        f"plot.learning_curves got the folder '{DAMAGED}'\n"
        "  its metrics.jsonl is damaged: it is not what `chainrule train` writes",
    ),
    (
        lambda: plot.loss_surface(lambda w: (w**2).sum()),
        ArgumentError,
        "plot.loss_surface got no start\n  a walk needs two numbers to start from\n  try: start=(2, -1)",
    ),
    (
        lambda: plot.loss_surface(lambda w: (w**2).sum(), (1, 2, 3)),
        ArgumentError,
        "plot.loss_surface got start = (1, 2, 3)\n  start must be two finite numbers\n  try: start=(2, -1)",
    ),
    (
        lambda: plot.loss_surface(lambda w: w**2, (1, 2)),
        ArgumentError,
        "plot.loss_surface got a loss that is a tensor of shape (2,)\n"
        "  the loss must be a tensor of one element\n"
        "  try: loss.mean(), for losses of the rows",
    ),
    (
        lambda: plot.loss_surface(lambda w: 3.0, (1, 2)),
        ArgumentError,
        "plot.loss_surface got a loss that is 3.0\n"
        "  the loss must be a tensor of one element\n"
        "  try: loss.mean(), for losses of the rows",
    ),
    (
        lambda: plot.loss_surface(lambda w: (w**2).sum(), (1, 2), batch_size=4),
        ArgumentError,
        "plot.loss_surface got batch_size = 4 and no data\n"
        "  a batch is some of the rows of data\n"
        "  try: data=(x, y) with loss(w, x, y)",
    ),
    (
        lambda: plot.loss_surface(
            lambda w, x, y: ((x @ w - y) ** 2).mean(),
            (1, 2),
            data=(torch.ones(5, 2), torch.ones(5)),
            batch_size=8,
        ),
        ArgumentError,
        "plot.loss_surface got batch_size = 8 and 5 rows\n"
        "  a batch is some of the rows of data\n"
        "  try: a number from 1 to 5",
    ),
    (
        lambda: plot.loss_surface(lambda w, x, y: w.sum(), (1, 2), data=torch.ones(5, 2)),
        ArgumentError,
        "plot.loss_surface got data = tensor([[1., 1.], [1., 1.], [1., 1.], [1., 1.], [1., 1.]])\n"
        "  data must be a pair: inputs and targets\n"
        "  try: data=(x, y)",
    ),
    (
        lambda: plot.loss_surface(lambda w, x, y: w.sum(), (1, 2), data=(torch.ones(5, 2), torch.ones(4))),
        ShapeError,
        "plot.loss_surface got data of shapes (5, 2) and (4,)\n"
        "  both must have the same number of rows, at least one",
    ),
    (
        lambda: plot.loss_surface(torch.nn.MSELoss(), model=torch.nn.Linear(1, 1)),
        ArgumentError,
        "plot.loss_surface got a model without data\n  its loss is that of some data\n  try: data=(x, y)",
    ),
    (
        lambda: plot.loss_surface(
            torch.nn.MSELoss(), model=torch.nn.Linear(3, 1), data=(torch.ones(5, 3), torch.ones(5, 1))
        ),
        ShapeError,
        "plot.loss_surface got a model with these parameters to learn: weight (1, 3), bias (1,)\n"
        "  a surface lies over two numbers; the model must learn exactly two\n"
        "  try: nn.Linear(1, 1), or parameter.requires_grad_(False) for those that stay as they are",
    ),
    (
        lambda: plot.loss_surface(lambda w: (w**2).sum(), (1, 2), steps=-1),
        ArgumentError,
        "plot.loss_surface got steps = -1, points = 51\n  steps must be 0 or more, points 2 or more",
    ),
    (
        lambda: plot.loss_surface(lambda w: (w**2).sum() * math.nan, (1, 2)),
        ArgumentError,
        "plot.loss_surface got a loss that is no finite number on all of [0.25, 1.75] × [0.5, 3.5]\n"
        "  there must be something to draw\n"
        "  try: xlim=(a, b), ylim=(c, d) where it is defined",
    ),
    (
        lambda: plot.loss_surface(lambda w: (w**2).sum(), (1, 2), lr="fast"),
        ArgumentError,
        "plot.loss_surface got lr = ['fast']\n"
        "  lr must hold real numbers: a tensor, an array, or lists of equal lengths",
    ),
    (
        lambda: plot.weights([1, 2]),
        ArgumentError,
        "plot.weights got [1, 2]\n  the model must be an nn.Module",
    ),
    (
        lambda: plot.weights(torch.nn.Linear(2, 1), "wieght"),
        ArgumentError,
        "plot.weights got match = 'wieght'\n"
        "  there is no such parameter (did you mean 'weight'?), but weight, bias",
    ),
    (
        lambda: plot.weights(torch.nn.ReLU()),
        ArgumentError,
        "plot.weights got ReLU()\n  the model has no parameters to show",
    ),
    (
        lambda: plot.gradients(torch.nn.Linear(2, 1)),
        GradError,
        "plot.gradients got 2 parameters without a gradient\n"
        "  gradients are there after backward, until zero_grad\n"
        "  try: loss.backward(), then plot.gradients(model), then optimizer.zero_grad()",
    ),
    (
        lambda: plot.decision_boundary(first, torch.ones(5, 3)),
        ShapeError,
        "plot.decision_boundary got X of shape (5, 3)\n"
        "  a plane has two features: X must be (rows, 2)\n"
        "  try: lambda x: model(...) with the other features held fixed, for a model of more than two",
    ),
    (
        lambda: plot.decision_boundary(first),
        ArgumentError,
        "plot.decision_boundary got neither X nor both limits\n"
        "  it must be known what to show\n"
        "  try: xlim=(-3, 3), ylim=(-3, 3)",
    ),
    (
        lambda: plot.decision_boundary(first, [[1, 2], [3, 4]], [1, 0, 1]),
        ShapeError,
        "plot.decision_boundary got 3 labels in y and 2 rows in X\n  each row must have one label",
    ),
    (
        lambda: plot.decision_boundary(first, xlim=(0, 1), ylim=(0, 1), y=[1]),
        ShapeError,
        "plot.decision_boundary got 1 label in y and no rows in X\n  each row must have one label",
    ),
    (
        lambda: plot.decision_boundary(
            torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid()), [[1, 2], [3, 4]]
        ),
        ArgumentError,
        "plot.decision_boundary got a model whose outputs lie between 0.0583 and 0.402\n"
        "  these look like probabilities; the threshold of scores, 0, makes them all class 1\n"
        "  try: threshold=0.5; or threshold=0, if they are scores",
    ),
    (
        lambda: plot.decision_boundary(lambda x: x.sum(), [[1, 2], [3, 4]]),
        ArgumentError,
        "plot.decision_boundary got a model that gives shape () for 8192 rows\n"
        "  it must give (rows,), a class or number each, or (rows, classes), a score for each class",
    ),
    (
        lambda: plot.decision_boundary("model", [[1, 2], [3, 4]]),
        ArgumentError,
        "plot.decision_boundary got model = 'model'\n"
        "  the model must be a Module, a function of a tensor (rows, 2), or have a method predict",
    ),
    (
        lambda: plot.decision_boundary(lambda x: x, [[1, 2], [3, 4]], classes=["one"]),
        ArgumentError,
        "plot.decision_boundary got 1 name for the classes [0, 1]\n  each class must have its name",
    ),
    (
        lambda: plot.confusion_matrix([0, 1], [0, 1, 1]),
        ShapeError,
        "plot.confusion_matrix got 2 true and 3 predicted labels\n"
        "  each row must have both, and there must be one at least",
    ),
    (
        lambda: plot.confusion_matrix([], []),
        ShapeError,
        "plot.confusion_matrix got 0 true and 0 predicted labels\n"
        "  each row must have both, and there must be one at least",
    ),
    (
        lambda: plot.confusion_matrix([0, 1, 5], [0, 1, 1], classes=["a", "b"]),
        ArgumentError,
        "plot.confusion_matrix got the label 5 and the classes ['a', 'b']\n"
        "  each label must be one of the classes (numbers count from 0)",
    ),
    (
        lambda: plot.confusion_matrix(["cat", "dog"], ["cat", "cow"], classes=["cat", "dog"]),
        ArgumentError,
        "plot.confusion_matrix got the label 'cow' and the classes ['cat', 'dog']\n"
        "  each label must be one of the classes (numbers count from 0)",
    ),
    (
        lambda: nothing_drawn(plot.show),
        ArgumentError,
        "plot.show got no picture\n  nothing has been drawn yet\n  try: ax = plot.normal()",
    ),
    (
        lambda: nothing_drawn(lambda: plot.save("x.png")),
        ArgumentError,
        "plot.save got no picture\n  nothing has been drawn yet\n  try: ax = plot.normal()",
    ),
    (
        lambda: plot.save(plot.normal(), "x.png"),
        ArgumentError,
        "plot.save got path = <Panel: xlabel='x', ylabel='p(x)'>\n"
        "  the first argument is the name of the file, the second the picture\n"
        '  try: plot.save("picture.png", ax)',
    ),
    (
        lambda: plot.save("x.pgn", plot.normal()),
        ArgumentError,
        f"plot.save got the file name 'x.pgn'\n  its ending must be one of {FORMATS} (did you mean 'png'?)",
    ),
    (
        lambda: plot.save("no/such/folder/x.png", plot.normal()),
        ArgumentError,
        "plot.save got the path 'no/such/folder/x.png'\n"
        "  the folder 'no/such/folder' must exist\n"
        "  try: Path('no/such/folder').mkdir(parents=True)",
    ),
    (
        lambda: plot.show([1, 2]),
        ArgumentError,
        "plot.show got picture = [1, 2]\n"
        "  it must be an Axes or a Figure of matplotlib; without one it is the last that was drawn",
    ),
    (
        lambda: plot.decision_boundary(first, [[1, 2], [3, 4], [5, 6]], [0, 1, 2]),
        ArgumentError,
        "plot.decision_boundary got a model of 2 classes and the labels [0, 1, 2]\n"
        "  the labels must be numbers of classes, counted from 0\n"
        "  try: classes=[...] in the order of the model's outputs, for labels that are names",
    ),
    (
        lambda: plot.confusion_matrix([0, 1], [0.2, 0.7]),
        ArgumentError,
        "plot.confusion_matrix got 0.2 as a label\n"
        "  labels must be classes: whole numbers or texts\n"
        "  try: probabilities > 0.5, or scores of the shape (rows, classes)",
    ),
    (
        lambda: plot.loss_surface(lambda w: (w**2).sum(), (1, 2), lr=[]),
        ArgumentError,
        "plot.loss_surface got lr = [], batch_size = [None]\n  there must be one of each at least",
    ),
    (
        lambda: plot.confusion_matrix(["cat", "dog"], [0, 1]),
        ArgumentError,
        "plot.confusion_matrix got true labels such as 'cat' and predicted ones such as 0\n"
        "  both must be numbers, or both texts\n"
        "  try: classes=[...], which says what the numbers stand for",
    ),
    (
        lambda: plot.scatter([1], [2], ax=[1]),
        ArgumentError,
        "plot.scatter got ax = [1]\n"
        "  ax must be one Axes of matplotlib to draw into\n"
        "  try: figure.axes[0] of a figure, axes[0, 1] of several; or no ax, for a new picture",
    ),
    (
        lambda: plot.activations(lambda x: x.sum()),
        ArgumentError,
        "plot.activations got f\n"
        "  it must compute each element by itself, and the same each time\n"
        '  try: an elementwise one, such as "relu" or nn.LeakyReLU(0.1)',
    ),
    (
        lambda: plot.decision_boundary(first, [[1, 2], [3, 4]], [[0, 1, 0], [1, 0, 0]]),
        ShapeError,
        "plot.decision_boundary got 6 labels in y and 2 rows in X\n"
        "  each row must have one label\n"
        "  try: y.argmax(1), for labels that are one-hot",
    ),
    (
        lambda: plot.confusion_matrix([-1, 1, 2], [1, 1, 1], classes=["no", "yes"]),
        ArgumentError,
        "plot.confusion_matrix got the label 2 and the classes ['no', 'yes']\n"
        "  each label must be one of the classes (numbers count from 0)",
    ),
    (
        lambda: plot.function("sin"),  # type: ignore[arg-type]
        ArgumentError,
        "plot.function got f = 'sin'\n"
        "  f must be a function of one number\n"
        "  try: torch.sin, or lambda x: 3 * x**2",
    ),
    (
        lambda: plot.confusion_matrix([1, 20250101], [1, 1]),
        ArgumentError,
        "plot.confusion_matrix got the label 20250101\n"
        "  whole numbers count the classes, and there can be 2000 at most\n"
        "  try: texts as labels, for numbers that are names: [str(label) for label in labels]",
    ),
    (
        lambda: plot.decision_boundary(lambda x: torch.log(x), [[-1, 2], [3, 4]]),
        ArgumentError,
        "plot.decision_boundary got a model that gives a number that is not finite\n"
        "  it must decide at every point of the map\n"
        "  try: xlim, ylim with a part of the plane where it does",
    ),
    (
        lambda: plot.loss_surface(torch.nn.MSELoss(), model=abs, data=([1.0], [1.0])),  # type: ignore[arg-type]
        ArgumentError,
        "plot.loss_surface got model = <built-in function abs>\n"
        "  the model must be an nn.Module\n"
        "  try: loss(w, x, y) without a model, for a function",
    ),
    (
        lambda: plot.weights(torch.nn.Linear(2, 1), bins=0),
        ArgumentError,
        "plot.weights got bins = 0\n  there must be one bar at least",
    ),
]


@pytest.mark.parametrize(("action", "kind", "text"), MESSAGES, ids=[m[2][:60] for m in MESSAGES])
def test_message(action: Callable[[], Any], kind: type[ChainruleError], text: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(kind) as err:
        action()
    assert err.value.summary == text
    assert "\n  at " in str(err.value)
    assert Path(__file__).name in str(err.value)  # the user's line, not one of ours


def without_matplotlib() -> None:
    """Draw in a process in which matplotlib cannot be imported."""
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *args, **kwargs)

    panel = sys.modules.pop("chainrule.plot.panel", None)
    builtins.__import__ = refuse
    try:
        plot.normal()
    finally:
        builtins.__import__ = real
        if panel is not None:
            sys.modules["chainrule.plot.panel"] = panel


def test_message_without_matplotlib() -> None:
    with pytest.raises(plot.MissingLibraryError) as err:
        without_matplotlib()
    assert isinstance(err.value, ImportError)
    assert err.value.summary == (
        "chainrule.plot got no matplotlib\n"
        "  pictures are drawn by matplotlib, which is not installed here\n"
        "  try: pip install matplotlib, or pip install chainrule, which brings it along"
    )


def nowhere_to_write() -> None:
    """Show where there is no screen, in a working directory that is not there."""
    there, temporary, windows = Path.cwd, tempfile.gettempdir, output._has_windows
    Path.cwd = classmethod(lambda cls: Path("/no/such/place"))  # type: ignore[method-assign, assignment]
    tempfile.gettempdir = lambda: "/no/such/temporary/place"
    output._has_windows = lambda: False
    try:
        plot.show(plot.normal())
    finally:
        Path.cwd, tempfile.gettempdir, output._has_windows = there, temporary, windows  # type: ignore[method-assign]


def test_message_where_nothing_can_be_written() -> None:
    with pytest.raises(ArgumentError) as err:
        nowhere_to_write()
    assert err.value.summary == (
        "plot.show got no screen and no folder to write to\n"
        "  neither '/no/such/place' nor '/no/such/temporary/place' can be written\n"
        '  try: plot.save("/another/folder/picture.png")'
    )


def test_every_message_has_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = [message[0] for message in MESSAGES]
    assert untested(PACKAGE.glob("*.py"), [*actions, without_matplotlib, nowhere_to_write], monkeypatch) == []
