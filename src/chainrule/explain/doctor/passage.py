"""One forward and one backward pass of a model, with all that the checks want to know of them.

`Subject` is what is looked at (model, loss, batch) and can be run as often as needed, always on a copy of the
batch and with the same random numbers. `Passage` is one run of it, recorded, with the gradient that arrives
at each product with a weight and at each parameter. Nothing is stored in any `.grad`. Next: `checks/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...backward import node_of
from ...base import wrap
from ...core.errors import ArgumentError, describe
from ...tape import engine
from ...tape.hooks import hook_handle
from ...tensor import Tensor
from .names import layer_of
from .recording import Array, Call, Gate, Recorder, Step, Use, gates, is_view, uses
from .state import Streams

Loss = Callable[..., Any]


@dataclass
class Subject:
    """What is looked at. `leaves` are the tensors that want a gradient, by name."""

    model: Callable[..., Any]
    loss: Loss
    inputs: tuple[Any, ...]
    target: Any
    leaves: dict[str, Tensor]
    streams: Streams

    def output(self, inputs: tuple[Any, ...] | None = None) -> Any:
        """The model's output, with the same random numbers in every call."""
        self.streams.back()
        return self.model(*(_copy(x) for x in (self.inputs if inputs is None else inputs)))

    def value(self, inputs: tuple[Any, ...] | None = None) -> Tensor:
        """The loss."""
        return self.loss_of(self.output(inputs))

    def loss_of(self, output: Any) -> Tensor:
        """The loss of an output."""
        value = self.loss(output, _copy(self.target))
        if not isinstance(value, Tensor) or value.numel() != 1:
            given = (
                f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"type {type(value).__name__}"
            )
            raise ArgumentError.of(
                "doctor",
                given=f"a loss of {given}",
                must="the loss must be a tensor with one number for the whole batch",
                hint="doctor(model, batch, lambda output, y: loss(output, y).mean())",
            )
        return value

    def path_of(self, leaf: int) -> str:
        """The name of a parameter, by its id."""
        return next((name for name, x in self.leaves.items() if id(x) == leaf), "")


def _copy(x: Any) -> Any:
    return x.detach().clone() if isinstance(x, Tensor) else x


@dataclass(frozen=True)
class Layer:
    """A product with a weight, as a layer of the network: what comes out of it, and which gradient
    arrives."""

    name: str
    use: Use

    @property
    def value(self) -> Array:
        """The output of the layer, with its bias: (..., units)."""
        return self.use.result.value

    @property
    def depth(self) -> int:
        """How many such layers are on the way from the input, this one included."""
        return self.use.step.depth


@dataclass
class Passage:
    """One recorded pass. `model_steps` ran in the model, `loss_steps` in the loss."""

    subject: Subject
    recorder: Recorder
    model_steps: list[Step]
    loss_steps: list[Step]
    output: Any
    loss: Tensor
    arrived: dict[int, Array] = field(default_factory=dict)  # by number of the step
    grads: dict[str, Array | None] = field(default_factory=dict)  # by name of the parameter

    @cached_property
    def layers(self) -> list[Layer]:
        """The products with weights, in order."""
        return [Layer(self.name_of(use.step, use), use) for use in uses(self.model_steps)]

    @cached_property
    def gates(self) -> list[Gate]:
        """The activations with flat ends, in order."""
        return gates(self.model_steps)

    def gradient(self, step: Step) -> Array | None:
        """The gradient that arrived at the result of a step; None if none did."""
        return self.arrived.get(step.number)

    def name_of(self, step: Step, use: Use | None = None) -> str:
        """What to call the place of a step: the layer of its parameters, its module, or what comes before."""
        call = step.call
        if use is not None:
            paths = [self.subject.path_of(leaf) for leaf in use.parameters]
            name = next((layer_of(path) for path in paths if path), "")
            if not name:
                name = call.path if call is not None and call.path else f"line {describe(step.site)}"
            return f"{name} (use {number})" if (number := self._number(step, use)) else name
        if call is not None and call.path and call.is_leaf:
            return f"{call.path} (call {call.number})" if self._calls(call) > 1 else call.path
        before = next((layer for layer in reversed(self.layers) if layer.use.step.number < step.number), None)
        return f"{step.op.name} after {before.name}" if before is not None else step.op.name

    def _number(self, step: Step, use: Use) -> int:
        """Which use of the same weights this is; 0 if there is only one."""
        same = [u.step for u in uses(self.model_steps) if u.parameters == use.parameters]
        return same.index(step) + 1 if len(same) > 1 else 0

    def _calls(self, call: Call) -> int:
        return sum(other.module is call.module for other in self.recorder.calls)

    @cached_property
    def depth(self) -> int:
        """The number of layers on the longest way from input to output."""
        return max((layer.depth for layer in self.layers), default=0)

    def rows(self) -> list[tuple[str, str, Step]]:
        """(place, what it is, step) of each layer, activation or module that computes something, in order."""
        found: dict[int, tuple[str, str, Step]] = {}
        inside: set[Call | None] = set()
        steps = [layer.use.step for layer in self.layers] + [gate.step for gate in self.gates]
        for call in self.recorder.calls:
            step, kind = call.output, type(call.module).__name__
            if call.is_leaf and step is not None and sum(other.call is call for other in steps) <= 1:
                inside.add(call)
                if step.call is call and not is_view(step):
                    number = f" (call {call.number})" if self._calls(call) > 1 else ""
                    found[step.number] = ((call.path or kind) + number, kind, step)
        for layer in self.layers:
            if layer.use.step.call not in inside:
                step = layer.use.result
                found[step.number] = (layer.name, layer.use.step.op.formula, step)
        for gate in self.gates:
            if gate.step.call not in inside:
                found[gate.step.number] = (self.name_of(gate.step), gate.step.op.formula, gate.step)
        return [found[number] for number in sorted(found)]


def record(subject: Subject) -> Passage:
    """Run the subject forward, and note everything."""
    recorder = Recorder()
    with recorder.entered(), recorder.watch(subject.model):
        output = subject.output()
        ran = len(recorder.steps)
        loss = subject.loss_of(output)
    return Passage(subject, recorder, recorder.steps[:ran], recorder.steps[ran:], output, loss)


def go_back(passage: Passage) -> None:
    """Run the recorded pass backward, and note the gradients."""
    handles = [
        hook_handle(step.node, "hooks", _note(passage.arrived, step.number))
        for step in passage.model_steps
        if step.node is not None
    ]
    try:
        found = gradients_of(passage.loss, passage.subject.leaves)
    finally:
        for handle in handles:
            handle.remove()
    passage.grads = {name: found[name]._a if name in found else None for name in passage.subject.leaves}


def _note(arrived: dict[int, Array], number: int) -> Callable[[Any], None]:
    def note(g: Any) -> None:
        arrived[number] = g._a

    return note


def gradients_of(loss: Tensor, leaves: dict[str, Tensor]) -> dict[str, Any]:
    """The gradient of each leaf that has one, without touching any `.grad`."""
    root = node_of(loss)
    if root is None:
        return {}
    nodes = {name: node_of(x) for name, x in leaves.items()}
    targets = [node for node in nodes.values() if node is not None]
    one = wrap(np.ones(loss._a.shape, loss._a.dtype))
    found = engine.run(
        [(root, one)], retain_graph=False, create_graph=False, targets=targets, accumulate=False
    )
    return {name: found[node] for name, node in nodes.items() if node in found}
