"""explain.memory: what is kept, in closed form; peaks, against tracemalloc; the full text that is shown."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import explain, nn
from chainrule.explain import memory as _function
from chainrule.explain.live import Watch
from chainrule.explain.memory_table import folded
from chainrule.utils.checkpoint import checkpoint
from tests.messages import untested

memory = explain.memory
FLOAT = 4


def line_of(function: Callable[..., Any], offset: int = 0) -> str:
    return f"tests/explain/test_memory.py:{function.__code__.co_firstlineno + offset}"


def mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


# -- what is kept -------------------------------------------------------------------------------------------


def test_a_perceptron_keeps_batch_times_width_in_each_layer() -> None:
    n, widths = 16, (10, 50, 30, 20, 3)
    model = mlp(*widths)
    x = cr.randn(n, widths[0])
    found = memory(model, x)
    # tanh keeps its result, which the next product reads too: once
    assert found.by_layer == {"1": 200 * n, "3": 120 * n, "5": 80 * n}
    assert found.kept == n * (50 + 30 + 20) * FLOAT
    weights = sum(a * b for a, b in itertools.pairwise(widths[1:]))
    assert found.there == FLOAT * (weights + x.numel())  # the first weight: only for a gradient of x
    parameters = sum(a * b + b for a, b in itertools.pairwise(widths))
    assert found.parameters == found.gradients == FLOAT * parameters
    assert found.optimizer is None
    # the product and its sum with the bias, beside the input of the layer, if the model made that
    sizes = [0, *widths[1:]]
    assert found.inference == FLOAT * n * max(a + 2 * b for a, b in itertools.pairwise(sizes))


def test_by_line() -> None:
    w = cr.randn(8, 8, requires_grad=True)

    def f(x: Any) -> Any:
        h = x @ w
        a = h.sigmoid()
        return (a * h).sum()

    found = memory(f, cr.randn(5, 8))
    # sigmoid keeps its result; the product of a and h keeps both, of which a is kept already
    assert found.by_line == {line_of(f, 2): 160, line_of(f, 3): 160}
    assert [(k.what, k.shape, k.dtype, k.extra) for k in found.operations] == [
        ("x @ y", (5, 8), "float32", False),
        ("1 / (1 + exp(-x))", (5, 8), "float32", True),
        ("x * y", (5, 8), "float32", True),
    ]
    assert found.by_layer == {"": 320}


def test_views_and_what_two_operations_keep_count_once() -> None:
    w = cr.randn(6, requires_grad=True, dtype=cr.float64)

    def f(x: Any) -> Any:
        h = x * w
        return (h.reshape(2, 3).exp() * h[:3] * h.reshape(2, 3)).sum() + (h * h).sum()

    found = memory(f, cr.ones(6, dtype=cr.float64))
    # h once; the result of exp; its product with h[:3]
    assert found.kept == 3 * 6 * 8


def test_large_results_in_recycled_buffers() -> None:
    n = 100_000  # 400 kB
    for _ in range(2):  # the second time in memory that was used before
        found = memory(lambda x: x.exp().sin().sum(), cr.ones(n))
        assert (found.kept, found.inference) == (4 * n, 8 * n)


def test_large_results_seen_through_views_count_whole() -> None:
    n = 100_000
    found = memory(lambda x: x.exp()[: n // 2].sin().sum(), cr.ones(n))
    assert found.kept == 4 * n


def test_inputs_in_structures() -> None:
    def f(d: Any) -> Any:
        return {"a": d["x"].exp(), "b": [d["x"].sin()]}

    assert memory(f, {"x": cr.ones(10)}).kept == 40  # the result of exp; sin keeps the input
    assert memory(f, {"x": cr.ones(10, requires_grad=True)}).there == 40


def test_nothing_is_kept_of_what_is_linear() -> None:
    found = memory(lambda x: (x * 2 + x).sum(), cr.ones(1000))
    assert (found.kept, found.there, found.operations) == (0, 0, [])
    assert found.gradients == 4000


def test_random_masks_and_constants_made_inside_count() -> None:
    found = memory(lambda x: (nn.functional.dropout(x, 0.5) * cr.arange(8.0)).sum(), cr.ones(8))
    assert found.kept == 2 * 32
    table = cr.arange(8.0)
    assert memory(lambda x: (x * table).sum(), cr.ones(8)).kept == 0


def test_functions_of_the_user() -> None:
    class Cube(cr.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.square = x * x
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3 * ctx.square

    found = memory(lambda x: Cube.apply(x.exp()).sum(), cr.ones(100))
    assert [(k.what, k.bytes) for k in found.operations] == [("exp(x)", 400), ("Cube", 400)]


def test_layers_of_a_function_have_the_name_of_the_model() -> None:
    model, loss = mlp(4, 6, 3), nn.CrossEntropyLoss()
    x, y = cr.randn(5, 4), cr.tensor([0, 1, 2, 0, 1])
    found = memory(lambda: loss(model(x), y))
    assert found.by_layer["model.1"] == 5 * 6 * FLOAT
    assert set(found.by_layer) == {"model.1", "loss"}


def test_a_layer_used_twice_is_one() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Tanh()

        def forward(self, x: Any) -> Any:
            return self.inner(self.inner(x)).exp()

    found = memory(Twice(), cr.ones(10, requires_grad=True))
    assert found.by_layer == {"inner": 80, "": 40}


# -- peaks, optimizer, checkpoint ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "numbers"),
    [
        (lambda ps: cr.optim.SGD(ps, lr=0.1), 0),
        (lambda ps: cr.optim.SGD(ps, lr=0.1, momentum=0.9), 1),
        (lambda ps: cr.optim.Adam(ps), 2),
    ],
)
def test_the_state_of_the_optimizer(make: Any, numbers: int) -> None:
    model = mlp(10, 20, 5)
    optimizer = make(model.parameters())
    before = [p.detach().clone() for p in model.parameters()]
    found = memory(model, cr.randn(4, 10), optimizer=optimizer)
    steps = 4 * FLOAT if numbers == 2 else 0  # Adam counts its steps, for each of the four parameters
    assert found.optimizer == numbers * found.parameters + steps
    assert found.training == found.passes + found.optimizer
    assert len(optimizer.state) == 0
    assert all(
        p.grad is None and bool((p == b).all()) for p, b in zip(model.parameters(), before, strict=True)
    )


def test_the_memory_that_a_checkpoint_saves() -> None:
    n, width, depth = 400, 32, 12
    layers = [nn.Sequential(nn.Linear(width, width), nn.Tanh()) for _ in range(depth)]
    x = cr.randn(n, width)

    def plain(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x.sum()

    def saving(x: Any) -> Any:
        for i in range(0, depth, 4):
            x = checkpoint(nn.Sequential(*layers[i : i + 4]), x)
        return x.sum()

    one = n * width * FLOAT
    assert memory(plain, x).kept == depth * one
    found = memory(saving, x)
    assert found.kept == 2 * one  # the arguments of the second and the third; the first one is x
    assert {k.what for k in found.operations if k.extra} == {"checkpoint"}
    # backward has the results of one segment of four at a time, instead of all twelve
    assert found.passes < memory(plain, x).passes - 4 * one


def peak_of(run: Callable[[], Any]) -> int:
    """What tracemalloc sees, above what was there before."""
    run()  # fill every cache
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def deep(x: Any) -> Any:
    for _ in range(6):
        x = x.tanh() * x
    return x.sum()


def test_peaks_are_those_of_tracemalloc() -> None:
    n = 10_000  # 80 kB in float64, below what is taken from recycled buffers
    x = cr.ones(n, dtype=cr.float64, requires_grad=True)
    found = memory(deep, x)

    def infer() -> None:
        with cr.no_grad():
            deep(x)

    def train() -> None:
        x.grad = None
        deep(x).backward()
        x.grad = None

    assert peak_of(infer) == pytest.approx(found.inference, rel=0.03)
    assert peak_of(train) == pytest.approx(found.training, rel=0.03)
    assert found.training > 4 * found.inference


def test_peaks_of_a_perceptron_are_those_of_tracemalloc() -> None:
    model = mlp(100, 120, 120, 120, 10)
    x = cr.randn(150, 100)
    found = memory(lambda x: model(x).square().mean(), x)

    def infer() -> None:
        with cr.no_grad():
            model(x).square().mean()

    def train() -> None:
        model(x).square().mean().backward()
        model.zero_grad()

    # Adding a bias to rows, NumPy goes through a buffer of its own.
    scratch = np.getbufsize() * FLOAT
    assert found.inference < peak_of(infer) < found.inference + scratch + 5000
    assert found.training < peak_of(train) < found.training + scratch + 20000


def test_inference_is_in_evaluation_mode_and_training_as_it_is() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4))
    x = cr.randn(8, 4)
    modes: list[tuple[bool, bool]] = []
    model.register_forward_pre_hook(lambda m, args: modes.append((m[1].training, cr.is_grad_enabled())))
    state = {name: v.clone() for name, v in model.state_dict().items()}
    random = cr.get_rng_state().tolist()
    memory(model, x)
    assert modes == [(False, False), (True, True)]
    assert all(bool((v == state[name]).all()) for name, v in model.state_dict().items())
    assert cr.get_rng_state().tolist() == random
    assert model.training
    assert model[1].training


def test_compiled_models_are_looked_at_as_they_were_written() -> None:
    model = mlp(4, 6, 3)
    x = cr.randn(5, 4)
    assert memory(cr.compile(model), x).by_layer == memory(model, x).by_layer == {"1": 120}


def test_a_compiled_function_inside_keeps_what_its_backward_reads() -> None:
    compiled = cr.compile(lambda x: x.exp().sin())
    x = cr.ones(100, requires_grad=True)
    found = memory(lambda x: compiled(x).sum(), x)
    assert 0 < found.kept <= 400


def test_indices_count() -> None:
    rows = cr.tensor([0, 1, 1])
    found = memory(lambda x: x.exp()[rows].sin().sum(), cr.ones(5))
    assert [(k.what, k.bytes, k.extra) for k in found.operations] == [
        ("exp(x)", 20, True),
        ("x[indices]", 24, False),
        ("sin(x)", 12, True),
    ]


def test_the_watch_forgets_what_died() -> None:
    watch = Watch([])
    with watch.entered():
        y = cr.ones(10).exp()
        assert watch.live == 40
        y = y.sin()
        assert watch.live == 40
    assert watch.peak == 80
    del y
    assert watch.live == 0


# -- what is shown -------------------------------------------------------------------------------------------


def test_the_text() -> None:
    model = mlp(100, 256, 10)
    optimizer = cr.optim.Adam(model.parameters())
    assert str(memory(model, cr.zeros(32, 100), optimizer=optimizer)) == (
        "Memory of Sequential\n"
        "====================\n"
        "\n"
        "Kept for backward, by layer\n"
        "  layer   kept by             bytes     share\n"
        "  1       tanh(x) (32, 256)   32.8 kB   100%\n"
        "\n"
        "Totals\n"
        "  parameters and others that get a gradient         114 kB\n"
        "  kept for backward                                 32.8 kB\n"
        "  kept too, but there anyway (parameters, inputs)   23 kB\n"
        "  gradients                                         114 kB\n"
        "  state of the optimizer                            227 kB\n"
        "  peak of inference                                 65.5 kB\n"
        "  peak of training                                  376 kB\n"
        "\n"
        "Inference needs 65.5 kB at most, because a result can go after its last use; training needs 376 kB, "
        "5.74 times as much:\n32.8 kB of results are kept for backward, there are 114 kB of gradients, and "
        "the optimizer keeps 227 kB."
    )


def test_the_text_by_line() -> None:
    f = lambda x: x.exp().sin().sum()  # noqa: E731
    assert str(memory(f, cr.ones(1000))) == (
        "Memory of the function\n"
        "======================\n"
        "\n"
        "Kept for backward, by line\n"
        f"  line{' ' * (len(line_of(f)) - 4)}   kept by          bytes   share\n"
        f"  {line_of(f)}   exp(x) (1000,)   4 kB    100%\n"
        "\n"
        "Totals\n"
        "  parameters and others that get a gradient         0 B\n"
        "  kept for backward                                 4 kB\n"
        "  kept too, but there anyway (parameters, inputs)   0 B\n"
        "  gradients                                         4 kB\n"
        "  peak of inference                                 8 kB\n"
        "  peak of training                                  12 kB\n"
        "\n"
        "Inference needs 8 kB at most, because a result can go after its last use; training needs 12 kB, 1.5 "
        "times as much: 4 kB\nof results are kept for backward, and there are 4 kB of gradients; the other "
        "4.01 kB are what backward computes on its\nway."
    )


def test_the_text_when_nothing_is_kept() -> None:
    text = str(memory(lambda x: (x + x).sum(), cr.ones(1000)))
    assert text.splitlines()[:4] == ["Memory of the function", "=" * 22, "", "Totals"]
    assert text.endswith("training needs 4.01 kB: there are 4 kB of\ngradients.")


def test_large_models_are_folded() -> None:
    blocks = nn.ModuleList([mlp(4, 4, 4, 4, 4) for _ in range(10)])

    def model(x: Any) -> Any:
        for block in blocks:
            x = block(x).sigmoid()
        return x.sum()

    found = memory(model, cr.ones(2, 4))
    assert len(found.by_layer) == 31  # three tanh in each block, and the sigmoid, which is in no layer
    text = str(found)
    assert "  blocks.9        3 × tanh(x) (2, 4)              96 B    8%" in text
    assert "  (in no layer)   10 × 1 / (1 + exp(-x)) (2, 4)   320 B   25%" in text
    assert len(text.splitlines()) < 35


def test_folding() -> None:
    assert folded([], 3) == {}
    assert folded(["a.b.c", "a.b.d", "a.e", ""], 9) == {p: p for p in ("a.b.c", "a.b.d", "a.e", "")}
    assert set(folded(["a.b.c", "a.b.d", "a.e", "f"], 2).values()) == {"a", "f"}
    many = folded([str(i) for i in range(7)], 3)
    assert list(many.values()) == ["0 … 2"] * 3 + ["3 … 5"] * 3 + ["6"]


def test_many_layers_in_a_row() -> None:
    model = nn.Sequential(*(nn.Tanh() for _ in range(40)))
    lines = str(memory(model, cr.ones(10, requires_grad=True))).splitlines()
    assert lines[3:7] == [
        "Kept for backward, by layer",
        "  layer     kept by             bytes   share",
        "  0 … 2     3 × tanh(x) (10,)   120 B   8%",
        "  3 … 5     3 × tanh(x) (10,)   120 B   8%",
    ]
    assert "  39        tanh(x) (10,)       40 B    2%" in lines


def test_lines_beyond_the_largest_are_added_up() -> None:
    text = "def f(x):\n" + "    x = x.tanh()\n" * 20 + "    return x.sum()\n"
    space: dict[str, Any] = {}
    exec(compile(text, "made.py", "exec"), space)
    lines = str(memory(space["f"], cr.ones(10))).splitlines()
    assert "  4 more                       160 B   20%" in lines
    assert sum("tanh(x)" in line for line in lines) == 16


def test_a_function_that_calls_backward_itself() -> None:
    w = cr.ones(3, requires_grad=True)
    with pytest.raises(cr.GradError) as caught:
        memory(lambda: (w * w).sum().backward())
    assert caught.value.__notes__ == [
        "  (memory first runs the function as in inference, and calls backward itself afterwards)"
    ]
    assert w.grad is None


# -- what cannot be done ------------------------------------------------------------------------------------


def a_result() -> Any:
    return memory(cr.ones(3).exp(), cr.ones(3))  # type: ignore[arg-type]


def no_optimizer() -> Any:
    return memory(mlp(2, 2), cr.ones(1, 2), optimizer=0.1)  # type: ignore[arg-type]


def no_derivative() -> Any:
    return memory(lambda x: x.argmax(), cr.ones(3))


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (
            a_result,
            "memory got Tensor in the place of the function\n"
            "  it takes a model, or a function, and its inputs\n"
            "  try: memory(model, x) instead of memory(model(x))",
        ),
        (
            no_optimizer,
            "memory got float as optimizer\n  the optimizer must be one of chainrule.optim, or None",
        ),
        (
            no_derivative,
            "memory got a function whose result depends on nothing that wants a gradient\n"
            "  there must be something to differentiate: only then anything is kept\n"
            "  try: inputs of floats, requires_grad=True, or a function that does not leave the tape",
        ),
    ],
)
def test_messages(action: Callable[[], Any], text: str) -> None:
    with pytest.raises(cr.ArgumentError) as caught:
        action()
    assert str(caught.value).rpartition("\n  at ")[0] == text


def test_every_message_has_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(_function.__code__.co_filename)
    assert untested([path], [a_result, no_optimizer, no_derivative], monkeypatch) == []


def test_an_error_in_the_function_leaves_everything_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))

    def broken(x: Any) -> Any:
        model(x)
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        memory(broken, cr.ones(3, 2))
    assert model[1].training
    assert cr.is_grad_enabled()
    assert np.isfinite(model(cr.ones(3, 2)).detach().numpy()).all()
