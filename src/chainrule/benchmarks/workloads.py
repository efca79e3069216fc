"""The workloads, as data: training small networks and evaluating large arrays.

A side (`sides.py`) gets a workload, the data and the starting weights of `problems.py`, and nothing else, so
all sides do the same work. Read `torch_code.py` and `jax_code.py` for how it is written for each of them, and
`measure.py` for how it is timed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, prod
from typing import Any, Literal


@dataclass(frozen=True)
class Training:
    """Training a multi-layer perceptron on rows in memory, timed per step.

    `tolerance`: at the end of `steps` steps the losses of all sides differ by at most this share of what
    training has gained. Where the order of the rows is drawn, each side draws its own, and so the share is
    larger.
    """

    name: str
    title: str
    sizes: tuple[int, ...]  # features, hidden units of each layer, outputs
    rows: int
    batch: int
    loss: Literal["half squares", "mean square", "cross-entropy"]
    rate: float
    steps: int  # before the losses are compared
    tolerance: float
    optimizer: Literal["by hand", "SGD", "Adam"] = "SGD"
    weight_decay: float = 0.0
    dropout: float = 0.0
    shuffle: bool = True
    threads: tuple[int, ...] = (2,)
    targets: Mapping[str, float] = field(default_factory=dict)  # how many times faster than a side
    share: float | None = None  # of the machine's limit

    @property
    def batches(self) -> int:
        """Steps in an epoch; the last batch may be short."""
        return ceil(self.rows / self.batch)

    @property
    def full_batch(self) -> bool:
        """Whether a step takes all rows: then there is nothing to draw and no loop over batches."""
        return self.batch == self.rows

    @property
    def what(self) -> str:
        """Sizes and settings in words."""
        shape = f"{self.rows:,} × {self.sizes[0]} float32, "
        shape += "full batch" if self.full_batch else f"batch {self.batch}"
        parts = [shape + (", shuffled" if self.shuffle else ""), self.loss]
        parts.append(f"{self.optimizer}, rate {self.rate:g}")
        if self.dropout:
            parts.append(f"dropout {self.dropout:g}")
        if self.weight_decay:
            parts.append(f"weight decay {self.weight_decay:g}")
        return "; ".join(parts)

    @property
    def flops(self) -> float:
        """Of the products of an average step: forward, gradients of weights and of inputs (not the data)."""
        products = [a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        return 2 * self.rows / self.batches * (3 * sum(products) - products[0])

    @property
    def bytes(self) -> float:
        """What an average step reads of the data at least."""
        return 4 * self.rows / self.batches * self.sizes[0]

    def quick(self) -> Training:
        """The same on a few rows, to see that everything works."""
        batch = min(self.batch, 64)
        rows = batch if self.full_batch else 4 * batch
        if self.optimizer != "by hand":  # which divides by the whole batch's size
            rows += 0 if self.full_batch else batch // 2
        # Few rows, and so few steps: what the order of the rows does has not evened out.
        return replace(self, rows=rows, batch=batch, steps=20, tolerance=4 * self.tolerance)


@dataclass(frozen=True)
class Expression:
    """Evaluating a formula on arrays, timed per evaluation; the result is compared with float64."""

    name: str
    formula: Literal["chain", "softmax", "call"]
    title: str
    shapes: tuple[tuple[int, ...], ...]  # of the inputs
    into: bool = False  # whether the result is written over the last one, or is a new array for each call
    threads: tuple[int, ...] = (2,)
    targets: Mapping[str, float] = field(default_factory=dict)
    share: float | None = None
    tolerance: float = 2e-6  # of the result, relative to max(1, |result|): a few roundings of float32
    most: float | None = None  # seconds a call may take

    flops = 0.0

    @property
    def what(self) -> str:
        """Sizes in words."""
        shape = " × ".join(f"{n:,}" for n in self.shapes[0])
        count = f"{len(self.shapes)} arrays of " if len(self.shapes) > 1 else ""
        return f"{count}{shape} float32" + ("; written over the last result" if self.into else "")

    @property
    def bytes(self) -> float:
        """Inputs read once, the result (of the first input's shape) written once."""
        return 4.0 * (sum(prod(shape) for shape in self.shapes) + prod(self.shapes[0]))

    def quick(self) -> Expression:
        """The same on less."""
        shapes = tuple((min(s[0], 1000), *s[1:]) for s in self.shapes)
        return replace(self, shapes=shapes)


Workload = Training | Expression

_MLP = Training(
    name="mlp",
    title="MLP 784-256-10",
    sizes=(784, 256, 10),
    rows=60_000,
    batch=256,
    loss="cross-entropy",
    rate=0.1,
    steps=2 * 235,
    tolerance=0.02,
    targets={"PyTorch": 1.9, "JAX": 1.25},
    share=0.85,
)


def _square(width: int) -> Training:
    """A network of one width. On many cores PyTorch starts threads from one such width on."""
    return Training(
        name=f"width-{width}",
        title=f"MLP of width {width}",
        sizes=(width, width, width, 1),
        rows=3_200,
        batch=64,
        loss="mean square",
        rate=0.05,
        steps=2 * 50,
        tolerance=1e-4,
        shuffle=False,
        threads=(1, 2),
    )


def _expression(name: Literal["chain", "softmax"], title: str, **settings: Any) -> tuple[Expression, ...]:
    """Both ways to get the result: new for each call, as the formula is written, and over the last one.

    PyTorch and JAX give up the pages of a dropped result and pay for new ones; told where to write, they do
    not.
    """
    new = Expression(name=name, formula=name, title=title, **settings)
    over = replace(new, name=f"{name}-into", title=f"{title}, in place", into=True, targets={}, share=None)
    return new, over


WORKLOADS: tuple[Workload, ...] = (
    Training(
        name="linear",
        title="linear regression",
        sizes=(2, 1),
        rows=1_000,
        batch=10,
        loss="half squares",
        rate=0.03,
        steps=100,
        tolerance=0.001,
        optimizer="by hand",
        targets={"PyTorch": 100, "JAX": 4},
    ),
    Training(
        name="softmax-regression",
        title="softmax regression 784-10",
        sizes=(784, 10),
        rows=60_000,
        batch=256,
        loss="cross-entropy",
        rate=0.1,
        steps=2 * 235,
        tolerance=0.02,
        targets={"PyTorch": 4, "JAX": 2.5},
    ),
    _MLP,
    replace(
        _MLP,
        name="mlp-dropout",
        title="MLP, dropout, Adam",
        optimizer="Adam",
        rate=0.001,
        weight_decay=1e-4,
        dropout=0.5,
        tolerance=0.05,
        share=None,
    ),
    Training(
        name="mlp-small",
        title="MLP 10-64-64-1",
        sizes=(10, 64, 64, 1),
        rows=3_200,
        batch=32,
        loss="mean square",
        rate=0.05,
        steps=5 * 100,
        tolerance=0.05,
        targets={"PyTorch": 20, "JAX": 2.5},
    ),
    Training(
        name="mlp-full-batch",
        title="MLP 4-32-16-4",
        sizes=(4, 32, 16, 4),
        rows=10_000,
        batch=10_000,
        loss="cross-entropy",
        rate=0.01,
        steps=100,
        tolerance=0.001,
        optimizer="Adam",
        shuffle=False,
        targets={"PyTorch": 10, "JAX": 2},
    ),
    _square(45),
    _square(46),
    *_expression(
        name="chain",
        title="tanh(a*b + a) * b",
        shapes=((20_000_000,), (20_000_000,)),
        targets={"PyTorch": 10, "JAX": 3},
        share=0.85,
    ),
    *_expression(
        name="softmax",
        title="softmax of rows",
        shapes=((20_000, 512),),
        targets={"PyTorch": 3, "JAX": 1.5},
    ),
    Expression(
        name="call",
        formula="call",
        title="a sum, 6 of 7 captured",
        shapes=((4,),) * 7,
        most=5e-6,
    ),
)
