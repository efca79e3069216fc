"""What people read about native programs: the list of kernels, and the report of what they cost."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.core import settings
from chainrule.executors.cpu import listing, program, report, timing
from chainrule.executors.cpu.module import build
from chainrule.executors.cpu.plan import Kernel
from chainrule.graph import trace
from chainrule.utils.data import DataLoader, TensorDataset


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure for a moment only."""
    monkeypatch.setattr(timing, "SECONDS", 0.02)


def listed(f: Any, *xs: Any) -> str:
    return plain(listing.kernels(build(trace(f, *xs, simplify=True))))


def plain(text: str) -> str:
    """Without what depends on the processor."""
    text = re.sub(r", \d+ at a time", "", text)
    text = re.sub(r"[\d,]+ bytes for", "? bytes for", text)
    return re.sub(r"(product [^:]*?)(, in [^:]*)?: .*", r"\1", text)


def paragraphs(text: str) -> list[str]:
    return text.split("\n\n")


def counted(f: Any, *xs: Any) -> tuple[timing.Times, list[report.Cost]]:
    times = timing.measure(trace(f, *xs, simplify=True))
    return times, report.costs(times)


X, W = torch.zeros(4, 3), torch.zeros(5, 3)


# -- kernels -------------------------------------------------------------------------------------------------


def test_elementwise_ops_are_one_formula() -> None:
    assert listed(lambda x, y: ((x + y) * x - y / 2).exp(), X, X + 1) == (
        "graph(x: float32[4, 3], y: float32[4, 3])\n"
        "? bytes for what lives during a run (the arena)\n"
        "\n"
        "1  loops over 12 elements, in one piece\n"
        "   v1: float32[4, 3] = exp((x + y) * x - y / 2.0)  -> the result"
    )


def test_what_is_done_with_a_product_stands_below_it() -> None:
    bias = torch.zeros(5)
    text = listed(lambda x: torch.relu(nn.functional.linear(x, W, bias)), X)
    assert paragraphs(text)[1:] == [
        "1  product (4, 3) @ (3, 5)\n"
        "   v1: float32[4, 5] = x @ c1.T       -> registers\n"
        "   v2: float32[4, 5] = relu(v1 + c2)  -> the result"
    ]


def test_the_way_of_a_product_is_said() -> None:
    built = build(trace(lambda x: x @ x.T, X))
    (matrices,) = built.products.values()
    assert f": {matrices.gemm.how}\n" in listing.kernels(built)


def test_passes_over_rows_and_what_stays_near() -> None:
    assert paragraphs(listed(lambda x: torch.softmax(x, 1), X))[1:] == [
        "1  loops over 4 rows, in 3 passes over each, in one piece\n"
        "   pass 1 over 3 columns\n"
        "     v1: float32[4, 1] = amax(x, dim=1)  -> registers\n"
        "   pass 2 over 3 columns\n"
        "     v2: float32[4, 3] = exp(x - v1)     -> a buffer for the row\n"
        "     v3: float32[4, 1] = sum(v2, dim=1)  -> registers\n"
        "   pass 3 over 3 columns\n"
        "     v4: float32[4, 3] = v2 / v3  -> the result"
    ]


def test_changes_of_captured_tensors_are_in_place() -> None:
    total = torch.zeros(3)

    def add(x: Any) -> Any:
        total.add_(x.sum(0))
        return x * 2

    text = listed(add, X)
    assert "-> c1, in place" in text
    assert "-> the result" in text


def test_several_results_are_numbered() -> None:
    text = listed(lambda x: (x + 1, x - 1), X)
    assert re.findall(r"= (.*?) +-> (.*)", text) == [("x + 1.0", "result 1"), ("x - 1.0", "result 2")]


@pytest.mark.parametrize(
    ("f", "formula"),
    [
        (lambda x, y: (x - y) - (x + y), "x - y - (x + y)"),
        (lambda x, y: x - (y - x), "x - (y - x)"),
        (lambda x, y: x * (y * x), "x * (y * x)"),
        (lambda x, y: -(x * y), "-(x * y)"),
        (lambda x, y: (-x) * y, "-x * y"),
        (lambda x, y: (x == y) == (y == x), "(x == y) == (y == x)"),
        (lambda x, y: (x > 0) & (y > 1), "(x > 0.0) & (y > 1.0)"),
        (lambda x, y: (x**y) ** x, "(x ** y) ** x"),
        (lambda x, y: x[1:, 0].to(torch.float64), "float64(x[1:, 0])"),
        (lambda x, y: x.amax(1) + 1, "amax(x, dim=1)"),
        (lambda x, y: torch.where(x > 0, x, y), "where(x > 0.0, x, y)"),
    ],
)
def test_formulas_say_what_binds_what(f: Any, formula: str) -> None:
    assert f"= {formula} " in listed(f, X, X + 1)


def test_what_is_used_twice_and_what_is_long_gets_a_line_of_its_own() -> None:
    text = listed(lambda x: (x + 1).exp() * (x + 1).tanh() + (x + 1), X)
    assert re.findall(r"(v\d): float32\[4, 3\] = (.*?)(?: +-> .*)?(?:\n|$)", text) == [
        ("v1", "x + 1.0"),
        ("v2", "exp(v1) * tanh(v1) + v1"),
    ]
    y = torch.zeros(4, 3)

    def long(x: Any) -> Any:
        for _ in range(30):
            x = (x + y).tanh()
        return x

    assert max(map(len, listed(long, X).splitlines())) <= listing.WIDTH


def test_numpy_is_said_with_the_reason() -> None:
    text = listed(lambda x: torch.linalg.inv(x), torch.eye(3))
    assert "1  computed by NumPy, in one piece, because there is no native code of inv\n" in text
    half = torch.zeros(4, 3, dtype=torch.float16)
    text = listed(lambda x: x.sum(), half)
    assert "because there is no native code of sum for float16\n" in text
    text = listed(lambda x: torch.linalg.svd(x), X)
    assert "v1: float32[4, 4], v2: float32[3], v3: float32[3, 3] = svd(x, full_matrices=True)" in text


def test_pieces_of_something_put_together() -> None:
    text = listed(lambda x: torch.cat([x, x * 2]), X)
    assert re.findall(r"part of v1: float32\[8, 3\] = (.*?) +->", text) == ["x", "x * 2.0"]


def test_pieces_for_threads_are_said() -> None:
    assert re.search(
        r"in \d+ pieces of \d+ rows for threads", listed(lambda x: x.sum(1), torch.zeros(999, 999))
    )
    assert re.search(
        r"in \d+ pieces of \d+ elements for threads", listed(lambda x: x + 1, torch.zeros(10**6))
    )


@pytest.mark.parametrize("f", [lambda x: x, lambda x: None, lambda x: x[:, :0].sum(0)])
def test_programs_without_work(f: Any) -> None:
    text = torch.compile(f)
    text(X)
    assert text.show("kernels").startswith("function(x: float32[4, 3])\n")
    assert "between kernels" in text.report()


def test_every_kernel_of_a_large_step_is_listed() -> None:
    step, xs, _ = training_step()
    text = listed(step, *xs)
    kernels = build(trace(step, *xs, simplify=True)).plan.kernels
    assert re.findall(r"^(\d+)  ", text, re.MULTILINE) == [str(i) for i in range(1, len(kernels) + 1)]
    defined = set(re.findall(r"(\w+): \w+\[", text))
    used = set(re.findall(r"\bv\d+\b", text))
    assert used <= defined, "a name that nothing explains"


def training_step() -> tuple[Any, tuple[Any, ...], nn.Module]:
    """A step, its arguments, the model."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    loss_of = nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        adam.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        adam.step()
        return loss

    xs = torch.randn(16, 6), torch.randint(0, 3, (16,))
    step(*xs)
    return step, xs, net


def epoch_of(trips: int) -> Any:
    inputs = torch.ones(8 * trips, 4)
    w = torch.zeros(4, 1, requires_grad=True)
    sgd = torch.optim.SGD([w], lr=0.1)
    loader = DataLoader(TensorDataset(inputs, inputs[:, :1]), batch_size=8)

    @torch.compile
    def epoch() -> Any:
        total = torch.zeros(())
        for x, y in loader:
            sgd.zero_grad()
            loss = ((x @ w - y) ** 2).mean()
            loss.backward()
            sgd.step()
            total += loss.detach()
        return total

    return epoch


def test_loops_show_their_body() -> None:
    epoch = epoch_of(5)
    epoch()
    text = epoch.show("kernels")
    assert re.search(r"^\d+  loop, 5 times:$", text, re.MULTILINE)
    assert "w is changed in place" in text
    assert re.search(r"= one row after the other of \w+", text)
    assert re.search(r"^  \d+\.1  ", text, re.MULTILINE)
    assert re.search(r"^ {4,}.*-> w, in place$", text, re.MULTILINE)


# -- counting ------------------------------------------------------------------------------------------------


def test_operations_and_bytes_of_elementwise_ops_and_folds() -> None:
    _, (row, _) = counted(lambda x, y: (x * y + 1).sum(), torch.zeros(10, 20), torch.zeros(20))
    assert row.flops == 200 * 3  # multiplied, added, summed
    assert row.bytes == 4 * (200 + 20 + 1)
    assert row.what == "mul, add, sum"


def test_operations_and_bytes_of_a_product() -> None:
    _, (row, _) = counted(lambda x, y: torch.relu(x @ y), torch.zeros(20, 30), torch.zeros(30, 5))
    assert row.flops is not None
    assert row.flops - 2 * 20 * 30 * 5 in range(100, 1000)  # relu, of 100 elements
    assert row.bytes == 4 * (20 * 30 + 30 * 5 + 20 * 5)  # the product itself is in registers
    _, (row, _) = counted(lambda a, b: a @ b, torch.zeros(7, 4, 3), torch.zeros(7, 3, 2))
    assert row.flops == 7 * 2 * 4 * 3 * 2
    assert row.bytes == 4 * 7 * (12 + 6 + 8)


def test_only_what_is_touched_of_an_array_counts() -> None:
    _, (row, _) = counted(lambda x: x[::2] + x[1], torch.zeros(10, 6))
    assert row.bytes == 4 * (5 * 6 + 5 * 6)
    _, rows = counted(lambda x: torch.cat([x, x]), torch.zeros(10, 6))
    assert [row.bytes for row in rows] == [480, 480, 0]


def test_what_a_loop_does_counts_as_often_as_it_runs() -> None:
    def kernels(trips: int) -> list[report.Cost]:
        epoch = epoch_of(trips)
        epoch()
        return report.costs(timing.measure(epoch._signatures[0].graph))

    few, many = ([row for row in kernels(n) if row.is_inside] for n in (3, 12))
    assert few
    assert [4 * (row.flops or 0) for row in few] == [row.flops for row in many]
    assert [4 * row.bytes for row in few] == [row.bytes for row in many]


def test_the_whole_is_the_sum_of_its_kernels() -> None:
    epoch = epoch_of(4)
    epoch()
    times = timing.measure(epoch._signatures[0].graph)
    rows = report.costs(times)
    whole = report.total(times, rows)
    (loop,) = (row for row in rows if row.what == "loop, 4 times")
    inside = [row for row in rows if row.is_inside]
    assert loop.flops == sum(row.flops or 0 for row in inside)
    assert loop.bytes == sum(row.bytes for row in inside)
    outer = [row for row in rows if not row.is_inside]
    assert whole.bytes == sum(row.bytes for row in outer)
    assert loop.seconds is not None
    assert sum(row.seconds or 0 for row in inside) < 1.5 * loop.seconds


# -- times ---------------------------------------------------------------------------------------------------


def test_times_are_those_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of milliseconds takes as long by the processor's counter as by the clock."""
    seconds = []
    run = timing._Runs._run

    def noted(runs: timing._Runs) -> float:
        seconds.append(run(runs))
        return seconds[-1]

    monkeypatch.setattr(timing._Runs, "_run", noted)
    times, _ = counted(lambda x: torch.tanh(x).sum(), torch.zeros(2000, 2000))
    assert times.runs >= 1
    assert 0.5 * min(seconds) <= times.total <= 1.5 * max(seconds)
    assert 0 <= times.between < 0.5 * times.total


def test_a_long_run_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SECONDS", 0.0)
    times, _ = counted(lambda x: torch.tanh(x).sum(), torch.zeros(1000, 1000))
    assert times.runs == 1
    assert times.total > 0


def test_nothing_of_the_user_is_read_changed_or_drawn() -> None:
    step, (x, y), net = training_step()
    fast = torch.compile(step)
    fast(x, y)
    x_before, state = x.clone(), torch.get_rng_state()
    parameters = [p.clone() for p in net.parameters()]
    text = fast.report()
    assert "medians of" in text
    np.testing.assert_array_equal(x.numpy(), x_before.numpy())
    assert torch.equal(torch.get_rng_state(), state)
    assert parameters
    for p, before in zip(net.parameters(), parameters, strict=True):
        assert torch.equal(p, before)


def test_what_made_up_numbers_break_is_counted_and_not_timed() -> None:
    f = torch.compile(lambda x: torch.linalg.cholesky(x) + 1)
    f(torch.eye(4))
    text = f.report()
    assert "not timed: on made-up numbers it ends with " in text
    assert re.search(r"^2 +add +16 +128$", text, re.MULTILINE)


def test_what_is_too_large_is_counted_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "MOST_BYTES", 1 << 20)
    f = torch.compile(lambda x: x + 1)
    f(torch.zeros(1 << 20))
    text = f.report()
    assert re.search(r"^1 +add +1\.05M +8\.39M$", text, re.MULTILINE)
    assert "not timed: a run on made-up numbers needs 0.0 GiB, more than 0 GiB" in text


# -- what users get ------------------------------------------------------------------------------------------


def test_a_report_is_a_table_with_a_total() -> None:
    f = torch.compile(lambda x: torch.linalg.inv(x @ x.T + torch.eye(4)).sum())
    f(X)
    lines = f.report().splitlines()
    assert lines[0] == "function: what a run costs"
    assert lines[2].split() == ["kernel", "flops", "bytes", "µs", "Gflop/s", "GB/s", "of", "limit"]
    rows = [line for line in lines if re.match(r"\d", line)]
    assert [int(row.split()[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert re.match(r" +total +\d+ +\d+ +[\d.]+ +[\d.]+ +[\d.]+ +\d+%$", lines[4 + len(rows) + 2])
    text = "\n".join(lines)
    assert "NumPy: inv" in text
    assert 'operations of NumPy are not counted; show("kernels") says why it computes them' in text
    assert re.search(r"at these limits a run would take [\d.]+ µs; it takes [\d.]+ µs", text)


def test_limits_are_those_of_the_threads_in_use() -> None:
    f = torch.compile(lambda x: x @ x.T)
    f(X.double())
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        text, kernels = f.report(), f.show("kernels")
        assert "limits of one thread, measured here: " in text
        assert "Gflop/s in float64 products" in text
        torch.set_num_threads(2)
        assert "limits of 2 threads, measured here: " in f.report()
        assert f.show("kernels") == kernels
    finally:
        torch.set_num_threads(before)


def test_a_module_shows_both_of_its_programs() -> None:
    model = torch.compile(nn.Linear(3, 2))
    model(X)
    text = model.show("kernels")
    assert "Linear(input: float32[4, 3], " in text
    assert "Linear_backward(g1: float32[4, 2], " in text
    assert "model_weight" in text
    for stage in ("ir", "asm"):
        assert model.show(stage).count("program") >= 2
    heads = re.findall(r"^(\w+): what a run costs$", model.report(), re.MULTILINE)
    assert heads == ["Linear", "Linear_backward"]


def test_programs_from_the_cache_show_the_same(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    settings.cache_folder.cache_clear()
    try:
        graph = trace(lambda x: torch.softmax(x, 1) @ W.T, X)
        made, kept = program.Program(graph), program.Program(graph)
        assert made._builder is not None
        assert kept._builder is None
        for stage in ("kernels", "ir", "asm"):
            assert kept.show(stage) == made.show(stage)
        assert kept.report().splitlines()[0] == "graph: what a run costs"
    finally:
        settings.cache_folder.cache_clear()


def test_kernels_of_plans_have_one_line_each_in_reports() -> None:
    step, xs, _ = training_step()
    times, rows = counted(step, *xs)
    kernels: list[Kernel] = times.builder.plan.kernels
    assert len([row for row in rows if row.title]) == len(kernels)
    assert all(row.seconds is not None and row.seconds >= 0 for row in rows)
    assert all(row.limit > 0 for row in rows if row.bytes)
