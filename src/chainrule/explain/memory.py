"""`memory`: what each operation keeps for backward, and why training needs more memory than inference.

Two runs answer it, both of the user's function as it is, watched by a level that counts what is alive
(`live.py`): one without a tape, as in inference, and one with a tape and with backward after it. What is kept
is read off the tape between forward and backward, node by node: each array counts once, for the first
operation that keeps it, in the layer and at the line that ran it. Memory that was there before (parameters,
inputs) is kept too, but it is nothing extra.

Next: `memory_table.py` for how it is written.
"""

from __future__ import annotations

import os
from bisect import bisect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..backward import node_of
from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, GradError, describe
from ..func.tree import flatten, tree_map
from ..nn import Module
from ..optim import Optimizer
from ..tape import engine, mode
from ..tape.node import AccumulateGrad, Node, number
from ..tensor import Tensor
from .doctor.names import described, leaves_of, mentioned, modules_of, run_as_written
from .doctor.state import Streams, generators_of, untouched
from .inside import as_written
from .live import Watch, root
from .memory_table import sentence, table

__all__ = ["Kept", "Memory", "memory"]

_DEPTH = 4  # functions that call functions, in the search for modules and tensors that code names


@dataclass(frozen=True, slots=True)
class Kept:
    """An array that backward needs.

    what:   the operation that keeps it.
    layer:  the path of the module it ran in; "" for none, or the model itself.
    line:   `file:line` of the operation.
    shape, dtype: of the array.
    bytes:  its memory.
    extra:  whether the function made it; False for what was there before: parameters, inputs, constants.
    """

    what: str
    layer: str
    line: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    extra: bool


@dataclass
class Memory:
    """What a function needs in memory, in bytes. `print` shows it.

    operations: what is kept for backward, each array once, in the order in which it is kept.
    kept:       bytes of what the function made and backward needs.
    there:      bytes that backward needs and that were there before: parameters, inputs, constants.
    parameters: bytes of the parameters, and other tensors, that get a gradient.
    gradients:  bytes of their gradients.
    optimizer:  bytes of the optimizer's state; None without an optimizer.
    inference:  the largest set of results that are alive at one time without a tape.
    passes:     the same in training, through forward and backward, gradients included.
    Parameters and inputs are in none of the last two.
    """

    title: str
    operations: list[Kept] = field(repr=False)
    parameters: int
    gradients: int
    optimizer: int | None
    inference: int
    passes: int

    @property
    def kept(self) -> int:
        """Bytes of what the function made and backward needs."""
        return sum(k.bytes for k in self.operations if k.extra)

    @property
    def there(self) -> int:
        """Bytes that backward needs and that were there before."""
        return sum(k.bytes for k in self.operations if not k.extra)

    @property
    def training(self) -> int:
        """The peak in training: of both passes, and the optimizer's state."""
        return self.passes + (self.optimizer or 0)

    @property
    def by_layer(self) -> dict[str, int]:
        """The bytes kept by layer; "" for what ran in none, or in the model itself."""
        return self._sums(lambda k: k.layer)

    @property
    def by_line(self) -> dict[str, int]:
        """The bytes kept by source line, `file:line`."""
        return self._sums(lambda k: k.line)

    def _sums(self, key: Callable[[Kept], str]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for k in self.operations:
            if k.extra:
                sums[key(k)] = sums.get(key(k), 0) + k.bytes
        return sums

    @property
    def sentence(self) -> str:
        """Why training needs more than inference."""
        return sentence(self)

    def __str__(self) -> str:
        return table(self)

    __repr__ = __str__


def memory(fn: Callable[..., Any], *inputs: Any, optimizer: Optimizer | None = None) -> Memory:
    """What each operation of `fn(*inputs)` keeps for backward, in bytes, by line and by layer.

    fn runs twice: as in inference, with modules in evaluation mode, and as in training, with modules as they
    are, forward and then backward from all its results. Afterwards parameters, buffers, gradients, the
    optimizer and random streams are as they were. Compiled models are looked at as they were written.

    fn:         a Module, or any function of the inputs; best the loss, with all that is trained. It does not
                call `backward` itself.
    inputs:     what it gets. If nothing wants a gradient, the inputs of floats are what is differentiated by.
    optimizer:  if given, its state after a step counts too.
    Returns:    a `Memory`. All numbers are bytes of results; scratch memory inside of an operation, and the
                small objects of Python, are left out.
    Raises:     ArgumentError if there is nothing to differentiate, or fn is no function.

    >>> import chainrule as torch
    >>> x = torch.ones(1000)
    >>> found = torch.explain.memory(lambda x: x.exp().sin().sum(), x)
    >>> found.kept, found.inference  # exp keeps its result, which is what sin keeps; each has 4 kB
    (4000, 8000)
    """
    _check(fn, optimizer)
    fn = as_written(fn)
    modules = modules_of(fn)
    leaves = list(leaves_of(fn).values())
    trained = [] if optimizer is None else [p for g in optimizer.param_groups for p in g["params"]]
    given = [x for x in flatten(inputs)[0] if isinstance(x, TensorBase)]
    if not any(_wants(x) for x in (*leaves, *given)):
        inputs = tree_map(_variable, inputs)
    with untouched(modules, [*leaves, *trained], optimizer):
        run_as_written(modules)
        streams = Streams(generators_of(modules))
        there = list(_there(fn, modules, [*given, *leaves, *trained]))
        peak = _inferred(fn, inputs, modules, Watch(there))
        streams.back()
        return _trained(fn, inputs, Watch(there), peak, optimizer)


def _check(fn: Any, optimizer: Any) -> None:
    if isinstance(fn, TensorBase) or not callable(fn):
        raise ArgumentError.of(
            "memory",
            given=f"{type(fn).__name__} in the place of the function",
            must="it takes a model, or a function, and its inputs",
            hint="memory(model, x) instead of memory(model(x))",
        )
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ArgumentError.of(
            "memory",
            given=f"{type(optimizer).__name__} as optimizer",
            must="the optimizer must be one of chainrule.optim, or None",
        )


def _wants(x: TensorBase) -> bool:
    return node_of(x) is not None


def _variable(x: Any) -> Any:
    if not isinstance(x, Tensor) or x._a.dtype.kind != "f":
        return x
    return x.detach().requires_grad_()


def _tensors(x: Any) -> list[TensorBase]:
    return [leaf for leaf in flatten(x)[0] if isinstance(leaf, TensorBase)]


def _there(fn: Any, modules: list[Module], known: list[Any]) -> Iterator[TensorBase]:
    """The tensors that are there before the function runs."""
    yield from known
    for module in modules:
        yield from module.parameters(recurse=False)
        yield from module.buffers(recurse=False)
        yield from (x for x in vars(module).values() if isinstance(x, TensorBase))
    if not isinstance(fn, Module):
        yield from (x for _, x in mentioned(fn, _DEPTH) if isinstance(x, TensorBase))


def _inferred(fn: Any, inputs: tuple[Any, ...], modules: list[Module], watch: Watch) -> int:
    """The peak of the run without a tape."""
    training = [(module, module.training) for module in modules]
    for module in modules:
        module.training = False
    try:
        with mode.no_grad(), watch.entered():
            for y in _tensors(fn(*inputs)):
                watch.note(y)
    except GradError as err:
        err.add_note(
            "  (memory first runs the function as in inference, and calls backward itself afterwards)"
        )
        raise
    finally:
        for module, was in training:
            module.training = was
    return watch.peak


def _trained(
    fn: Any, inputs: tuple[Any, ...], watch: Watch, inference: int, optimizer: Optimizer | None
) -> Memory:
    """The run with a tape, and backward."""
    layers = _Layers()
    with mode.enable_grad(), watch.entered(), layers.watched(fn):
        out = fn(*inputs)
        for y in _tensors(out):
            watch.note(y)
        roots = [(node, y) for y in _tensors(out) if (node := node_of(y)) is not None]
        if not roots:
            raise ArgumentError.of(
                "memory",
                given="a function whose result depends on nothing that wants a gradient",
                must="there must be something to differentiate: only then anything is kept",
                hint="inputs of floats, requires_grad=True, or a function that does not leave the tape",
            )
        nodes = _in_order([node for node, _ in roots])
        operations = list(_kept(nodes, watch, layers))
        ends = [node for node in nodes if isinstance(node, AccumulateGrad)]
        seeds = [(node, wrap(np.ones(y._a.shape, y._a.dtype))) for node, y in roots]
        for _, g in seeds:
            watch.note(g)
        del nodes, roots
        engine.run(seeds, retain_graph=False, create_graph=False, targets=ends, accumulate=False)
    leaves = [leaf for end in ends if (leaf := end.leaf()) is not None]
    sizes = sum(leaf._a.nbytes for leaf in leaves)
    return Memory(
        f"Memory of {described(fn, 'the function')}",
        operations,
        parameters=sum(x._a.nbytes for x in leaves if not any(x is y for y in inputs)),
        gradients=sizes,
        optimizer=None if optimizer is None else _state(optimizer),
        inference=inference,
        passes=watch.peak,
    )


def _in_order(nodes: list[Node]) -> list[Node]:
    found = set(nodes)
    waiting = list(found)
    while waiting:
        for edge in waiting.pop().edges:
            if edge is not None and edge not in found:
                found.add(edge)
                waiting.append(edge)
    return sorted(found, key=lambda node: node.seq)


def _kept(nodes: list[Node], watch: Watch, layers: _Layers) -> Iterator[Kept]:
    counted: set[int] = set()
    for node in nodes:
        deferred = node.deferred
        for x in node.keeps() if deferred is None else deferred.needs:
            a = root(x)
            if id(a) in counted or type(a) is not np.ndarray:
                continue
            counted.add(id(a))
            yield Kept(
                node.what if deferred is None else "checkpoint",
                layers.of(node),
                _short(describe(node.site)),
                a.shape,
                str(a.dtype),
                a.nbytes,
                not watch.was_there(a),
            )


def _short(line: str) -> str:
    """A line of a file outside of the working directory by the file's name."""
    return os.path.basename(line) if os.path.isabs(line) else line


def _state(optimizer: Optimizer) -> int:
    """Bytes of the optimizer's state once it has made a step. Runs inside of `untouched`."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for p in params:
        p._grad = wrap(np.zeros(p._a.shape, p._a.dtype)) if p.requires_grad else None
    optimizer.step()
    states = [v for p in params for v in optimizer.state.get(p, {}).values()]
    return sum(v._a.nbytes for v in states if isinstance(v, TensorBase))


class _Layers:
    """Which module ran when: the tape's numbers at which the innermost running module changed."""

    def __init__(self) -> None:
        self._numbers: list[int] = [-1]
        self._paths: list[str] = [""]
        self._open: list[str] = [""]

    def of(self, node: Node) -> str:
        """The path of the module that made a node."""
        return self._paths[bisect(self._numbers, node.seq) - 1]

    @contextmanager
    def watched(self, fn: Any) -> Iterator[None]:
        """Notes the calls of all modules that a function uses."""
        with ExitStack() as handles:
            for path, module in _named(fn).items():
                handles.enter_context(module.register_forward_pre_hook(self._enters(path)))
                handles.enter_context(module.register_forward_hook(self._leave, always_call=True))
            yield

    def _enters(self, path: str) -> Callable[..., None]:
        def enter(module: Module, args: tuple[Any, ...]) -> None:
            self._open.append(path)
            self._mark()

        return enter

    def _leave(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        self._open.pop()
        self._mark()

    def _mark(self) -> None:
        self._numbers.append(number())
        self._paths.append(self._open[-1])


def _named(fn: Any) -> dict[str, Module]:
    """The modules of a function, by path; each once."""
    if isinstance(fn, Module):
        return dict(fn.named_modules())
    found: dict[str, Module] = {}
    known: set[Module] = set()
    for name, value in mentioned(fn, _DEPTH):
        if isinstance(value, Module):
            found.update(value.named_modules(memo=known, prefix=name))
    return found
