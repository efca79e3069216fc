"""The workloads in JAX, as someone would write them who knows it well.

State is donated, so that updates happen in place; rows are gathered inside the compiled code, without bounds
checks; a whole epoch is one `lax.scan`. Three forms, of which the fastest one counts: a call per step, a call
per epoch, and the latter with the order of the rows from NumPy, which permutes much faster than JAX does on a
CPU.

Tried and left out, because it is slower or no faster: gathering a large epoch before the scan, unrolling the
scan, the `rbg` random numbers.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .problems import Array, inputs_of, training_problem
from .programs import STEPS, Forms, Program
from .workloads import Expression, Training, Workload

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam, as in torch.optim
SMALL = 100_000  # numbers: this much data is faster gathered at once, before the scan


def forms(work: Workload) -> Forms:
    """The ways in which JAX runs a workload, by name."""
    if isinstance(work, Expression):
        return {"jit": partial(expression, work)}
    if work.full_batch:
        return {
            "a call per step": partial(training, work, whole=False),
            f"{STEPS} steps a call": partial(training, work, whole=True),
        }
    result: Forms = {
        "a call per step": partial(training, work, whole=False),
        "a call per epoch": partial(training, work, whole=True),
    }
    if work.shuffle:
        result["a call per epoch, order from NumPy"] = partial(training, work, whole=True, numpy_order=True)
    return result


def training(work: Training, whole: bool, numpy_order: bool = False, count: int = STEPS) -> Program:
    """An epoch; of a full batch, `count` steps. `whole`: in one call."""
    jax, jnp = importlib.import_module("jax"), importlib.import_module("jax.numpy")
    problem = training_problem(work)
    x, y = jnp.asarray(problem.x), jnp.asarray(problem.y)  # class numbers become int32
    draw = np.random.default_rng(1)
    step = step_of(work, in_loop=whole)
    full = work.rows // work.batch * work.batch  # rows in batches that are not short

    def take(values: Any, rows: Any) -> Any:
        return values.at[rows].get(mode="promise_in_bounds")

    def many(state: Any, x: Any, y: Any) -> Any:
        """Steps on all rows."""
        return jax.lax.scan(lambda state, _: (step(state, x, y), None), state, length=count)[0]

    def in_order(state: Any, x: Any, y: Any) -> Any:
        """An epoch in the order of the rows."""
        parts = [v[:full].reshape(-1, work.batch, *v.shape[1:]) for v in (x, y)]  # (steps, batch, ...)
        state, _ = jax.lax.scan(lambda state, batch: (step(state, *batch), None), state, parts)
        return step(state, x[full:], y[full:]) if full < work.rows else state

    def ordered(state: Any, x: Any, y: Any, order: Any) -> Any:
        """An epoch in a given order."""
        if x.size <= SMALL:
            return in_order(state, take(x, order), take(y, order))

        def body(state: Any, rows: Any) -> tuple[Any, None]:
            return step(state, take(x, rows), take(y, rows)), None

        state, _ = jax.lax.scan(body, state, order[:full].reshape(-1, work.batch))
        return body(state, order[full:])[0] if full < work.rows else state

    def shuffled(state: Any, x: Any, y: Any) -> Any:
        """An epoch in an order drawn inside."""
        key, now = jax.random.split(state["key"])
        return ordered({**state, "key": key}, x, y, jax.random.permutation(now, work.rows))

    def chosen(state: Any, x: Any, y: Any, rows: Any) -> Any:
        """A step on some of the rows."""
        return step(state, take(x, rows), take(y, rows))

    compiled = partial(jax.jit, donate_argnums=0)
    state = {"weights": [jnp.array(w.T) for w in problem.weights], "key": jax.random.key(0)}
    if work.optimizer == "Adam":
        zeros = partial(jax.tree.map, jnp.zeros_like)
        state |= {"m": zeros(state["weights"]), "v": zeros(state["weights"]), "t": jnp.float32(0)}

    if work.full_batch:
        epoch = compiled(many) if whole else stepwise(compiled(step), [(x, y)] * count)
    elif whole and numpy_order:
        order_epoch = compiled(ordered)
        epoch = lambda state, x, y: order_epoch(state, x, y, draw.permutation(work.rows).astype(np.int32))  # noqa: E731
    elif whole:
        epoch = compiled(shuffled if work.shuffle else in_order)
    elif work.shuffle:
        one = compiled(chosen)

        def epoch(state: Any, x: Any, y: Any) -> Any:
            order = draw.permutation(work.rows).astype(np.int32)
            for start in range(0, work.rows, work.batch):
                state = one(state, x, y, order[start : start + work.batch])
            return state
    else:
        starts = range(0, work.rows, work.batch)
        batches = [(x[i : i + work.batch], y[i : i + work.batch]) for i in starts]
        epoch = stepwise(compiled(step), batches)

    def run() -> None:
        nonlocal state
        state = jax.block_until_ready(epoch(state, x, y))

    def result() -> list[Array]:
        return [np.asarray(w).T for w in state["weights"]]

    return Program(run, result, count if work.full_batch else work.batches)


def stepwise(step: Callable[..., Any], batches: list[tuple[Any, Any]]) -> Callable[..., Any]:
    """A call for each batch."""

    def epoch(state: Any, x: Any, y: Any) -> Any:
        for batch in batches:
            state = step(state, *batch)
        return state

    return epoch


def step_of(work: Training, in_loop: bool) -> Callable[[Any, Any, Any], Any]:
    """One step: state, x (n, features), y -> state. Weights are w (in, out), b (out,) of each layer."""
    jax, jnp = importlib.import_module("jax"), importlib.import_module("jax.numpy")

    def scores(weights: list[Any], x: Any, key: Any) -> Any:
        for i in range(0, len(weights), 2):
            x = x @ weights[i] + weights[i + 1]  # (n, in) @ (in, out) -> (n, out)
            if i + 2 < len(weights):
                x = jnp.maximum(x, 0)
                if work.dropout:
                    key, now = jax.random.split(key)
                    keep = jax.random.bernoulli(now, 1 - work.dropout, x.shape)
                    x = jnp.where(keep, x / (1 - work.dropout), 0)
        return x

    def loss(weights: list[Any], x: Any, y: Any, key: Any) -> Any:
        out = scores(weights, x, key)
        if work.loss == "half squares":
            return ((out - y) ** 2).mean() / 2
        if work.loss == "mean square":
            return ((out - y) ** 2).mean()
        logs = jax.nn.log_softmax(out)  # (n, classes)
        if in_loop:  # the gradient of a gather is a scatter, which runs on one thread inside a loop
            return -(jax.nn.one_hot(y, out.shape[1]) * logs).sum(axis=1).mean()
        return -jnp.take_along_axis(logs, y[:, None], 1).mean()

    def step(state: Any, x: Any, y: Any) -> Any:
        state, key = dict(state), None
        if work.dropout:
            state["key"], key = jax.random.split(state["key"])
        weights = state["weights"]
        gradients = jax.grad(loss)(weights, x, y, key)
        if work.weight_decay:
            gradients = [g + work.weight_decay * w for g, w in zip(gradients, weights, strict=True)]
        if work.optimizer == "Adam":
            state["t"] = t = state["t"] + 1
            state["m"] = [BETA1 * m + (1 - BETA1) * g for m, g in zip(state["m"], gradients, strict=True)]
            state["v"] = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(state["v"], gradients, strict=True)]
            rate, root = work.rate / (1 - BETA1**t), jnp.sqrt(1 - BETA2**t)
            moments = zip(weights, state["m"], state["v"], strict=True)
            state["weights"] = [w - rate * m / (jnp.sqrt(v) / root + EPSILON) for w, m, v in moments]
        else:
            state["weights"] = [w - work.rate * g for w, g in zip(weights, gradients, strict=True)]
        return state

    return step


def expression(work: Expression) -> Program:
    """One evaluation. To write over the last result, its memory is donated for the new one."""
    jax, jnp = importlib.import_module("jax"), importlib.import_module("jax.numpy")
    inputs = [jnp.asarray(x) for x in inputs_of(work)]

    def formula(x: Any, *others: Any) -> Any:
        if work.formula == "chain":
            (b,) = others
            return jnp.tanh(x * b + x) * b
        return jax.nn.softmax(x, axis=1) if work.formula == "softmax" else sum(others, start=x)

    new = jax.jit(formula)
    over = jax.jit(lambda out, *inputs: formula(*inputs), donate_argnums=0, keep_unused=True)
    out = jnp.zeros_like(inputs[0])

    def run_new() -> None:
        nonlocal out
        out = None  # the caller is done with the last result before asking for a new one
        out = new(*inputs).block_until_ready()

    def run_over() -> None:
        nonlocal out
        out = over(out, *inputs).block_until_ready()

    run = run_over if work.into else run_new

    def result() -> list[Array]:
        run()
        return [np.asarray(out)]

    return Program(run, result)
