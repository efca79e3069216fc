"""The workloads in PyTorch's names: for chainrule, eager and compiled; for PyTorch, eager and torch.compile.

One file, so that it can be seen that the same is asked of both. Where they differ, each has its own best
form: chainrule walks over a DataLoader, which costs it nothing; PyTorch, whose loader is slow for data in
memory, gets its batches by `index_select` from tensors. Its optimizers' default form is the fastest one on a
CPU for these sizes (`foreach` is not faster, `fused` slower for small networks).

`JAX` is another language: `jax_code.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal

from .problems import Array, inputs_of, training_problem
from .programs import STEPS, Forms, Program
from .workloads import Expression, Training, Workload

Side = Literal["chainrule", "chainrule eager", "PyTorch", "torch.compile"]
Step = Callable[[Any, Any], object]


def forms(side: Side, work: Workload, threads: int) -> Forms:
    """The ways in which a side runs a workload, by name."""
    torch = library(side, threads)
    if isinstance(work, Expression):
        return {"as written": partial(expression, torch, side, work)}
    if work.optimizer == "by hand" and side == "PyTorch":
        # As the notes write the update, and as someone would who wants it fast.
        return {
            "as in the notes": partial(training, torch, side, work, sgd),
            "fast update": partial(training, torch, side, work, sgd_fast),
        }
    if work.full_batch and side == "chainrule":
        return {
            "a call per step": partial(training, torch, side, work),
            f"{STEPS} steps a call": partial(training, torch, side, work, together=True),
        }
    name = {"chainrule": "a call per epoch", "torch.compile": "compiled forward and backward"}
    return {name.get(side, "eager"): partial(training, torch, side, work)}


def library(side: Side, threads: int) -> Any:
    """The module that is called `torch` here."""
    if side.startswith("chainrule"):
        return importlib.import_module("chainrule")  # has read its number of threads from the environment
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
    return torch


# -- training


def sgd(parameters: list[Any], rate: float, batch: int, torch: Any) -> None:
    """Gradient descent as the notes write it."""
    with torch.no_grad():
        for parameter in parameters:
            parameter -= rate * parameter.grad / batch
            parameter.grad.zero_()


def sgd_fast(parameters: list[Any], rate: float, batch: int, torch: Any) -> None:
    """The same in fewer operations."""
    with torch.no_grad():
        for parameter in parameters:
            parameter.sub_(parameter.grad, alpha=rate / batch)
            parameter.grad = None


def training(
    torch: Any,
    side: Side,
    work: Training,
    update: Callable[..., None] = sgd,
    *,
    together: bool = False,
    count: int = STEPS,
) -> Program:
    """An epoch of training; of a full batch, `count` steps, all in one call if `together`."""
    problem = training_problem(work)
    torch.manual_seed(0)
    x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)
    weights = [torch.from_numpy(w) for w in problem.weights]
    if work.optimizer == "by hand":
        step, parameters = from_scratch(torch, side, work, weights, update)
    else:
        step, parameters = with_layers(torch, side, work, weights)

    if work.full_batch:
        run = repeated(torch, side, step, x, y, together, count)
    elif side.startswith("chainrule"):
        data = torch.utils.data.TensorDataset(x, y)
        run = epoch_of(step, torch.utils.data.DataLoader(data, work.batch, shuffle=work.shuffle))
        if side == "chainrule":
            run = torch.compile(run)
    else:
        run = epoch_of(step, SelectedBatches(torch, work, x, y))

    def result() -> list[Array]:
        values = [parameter.detach().numpy() for parameter in parameters]
        return [v.T for v in values[:1]] + values[1:] if work.optimizer == "by hand" else values

    return Program(run, result, count if work.full_batch else work.batches)


def epoch_of(step: Step, batches: Iterable[tuple[Any, Any]]) -> Callable[[], object]:
    """One walk over the batches."""

    def epoch() -> None:
        for x, y in batches:
            step(x, y)

    return epoch


def repeated(
    torch: Any, side: Side, step: Step, x: Any, y: Any, together: bool, count: int
) -> Callable[[], object]:
    """`count` steps on all rows."""
    if side == "chainrule" and not together:
        step = torch.compile(step)

    def steps() -> None:
        for _ in range(count):
            step(x, y)

    return torch.compile(steps) if together else steps


class SelectedBatches:
    """Batches of tensors in memory, without a DataLoader: PyTorch's fastest way to them."""

    def __init__(self, torch: Any, work: Training, x: Any, y: Any) -> None:
        self.torch, self.work, self.x, self.y = torch, work, x, y

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if not self.work.shuffle:
            yield from zip(self.x.split(self.work.batch), self.y.split(self.work.batch), strict=True)
            return
        for rows in self.torch.randperm(self.work.rows).split(self.work.batch):
            yield self.x.index_select(0, rows), self.y.index_select(0, rows)


def from_scratch(
    torch: Any, side: Side, work: Training, weights: list[Any], update: Callable[..., None]
) -> tuple[Step, list[Any]]:
    """Linear regression as the book and the notes write it, without layers."""
    w = weights[0].T.clone().requires_grad_()  # (1, features) -> (features, 1)
    b = weights[1].clone().requires_grad_()

    def squared_loss(x: Any, y: Any) -> Any:
        return ((torch.matmul(x, w) + b - y) ** 2 / 2).sum()

    loss = torch.compile(squared_loss, dynamic=False) if side == "torch.compile" else squared_loss

    def step(x: Any, y: Any) -> None:
        loss(x, y).backward()
        update([w, b], work.rate, work.batch, torch)

    return step, [w, b]


def with_layers(torch: Any, side: Side, work: Training, weights: list[Any]) -> tuple[Step, list[Any]]:
    """A network of layers with an optimizer of the library."""
    nn = torch.nn
    layers: list[Any] = []
    for inputs, units in zip(work.sizes, work.sizes[1:], strict=False):
        if layers:
            layers += [nn.ReLU(), *([nn.Dropout(work.dropout)] if work.dropout else [])]
        layers.append(nn.Linear(inputs, units))
    net = nn.Sequential(*layers)
    with torch.no_grad():
        for parameter, start in zip(net.parameters(), weights, strict=True):
            parameter.copy_(start)
    kind = getattr(torch.optim, work.optimizer)
    optimizer = kind(net.parameters(), lr=work.rate, weight_decay=work.weight_decay)
    compare = nn.CrossEntropyLoss() if work.loss == "cross-entropy" else nn.MSELoss()

    def forward(x: Any, y: Any) -> Any:
        return compare(net(x), y)

    # torch.compile refuses a backward() inside (fullgraph) or breaks there: this much it makes in one piece.
    # The last batch is shorter; code for any size would be slower than code for each of the two.
    loss = torch.compile(forward, dynamic=False) if side == "torch.compile" else forward

    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        loss(x, y).backward()
        optimizer.step()

    return step, list(net.parameters())


# -- expressions


def chain(torch: Any, a: Any, b: Any) -> Any:
    return torch.tanh(a * b + a) * b


def chain_into(torch: Any, out: Any, a: Any, b: Any) -> Any:
    return torch.addcmul(a, a, b, out=out).tanh_().mul_(b)


def softmax(torch: Any, x: Any) -> Any:
    return torch.softmax(x, 1)


def softmax_into(torch: Any, out: Any, x: Any) -> Any:
    return torch.softmax(x, 1, out=out)


def call(torch: Any, x: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
    return x + a + b + c + d + e + f


FORMULAS: dict[str, Callable[..., Any]] = {"chain": chain, "softmax": softmax, "call": call}
INTO: dict[str, Callable[..., Any]] = {"chain": chain_into, "softmax": softmax_into}


def expression(torch: Any, side: Side, work: Expression) -> Program:
    """One evaluation. Of the call only the first input is one; the others are captured."""
    x, *others = (torch.from_numpy(a) for a in inputs_of(work))
    out = torch.empty_like(x)
    formula = partial(FORMULAS[work.formula], torch)

    def evaluated(x: Any) -> Any:
        return formula(x, *others)

    def written(x: Any) -> Any:
        return out.copy_(formula(x, *others))

    def written_in_place(x: Any) -> Any:
        return INTO[work.formula](torch, out, x, *others)

    function: Callable[[Any], Any] = evaluated
    if work.into:
        function = written_in_place if side == "PyTorch" else written
    if side in ("chainrule", "torch.compile"):
        function = torch.compile(function)
    return Program(lambda: function(x), lambda: [function(x).numpy()])
