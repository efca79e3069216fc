"""Parameters that cannot learn: without a gradient, all zero, all alike, or unknown to the optimizer.

Next: `steps.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....optim import Optimizer
from .. import limits
from ..findings import Finding
from ..names import layer_of
from ..passage import Layer, Passage
from ..recording import Array
from .flow import by_unit


def check_gradients(passage: Passage) -> Iterator[Finding]:
    """Parameters that want a gradient and get none."""
    missing = [name for name, g in passage.grads.items() if g is None]
    if not missing:
        return
    if len(missing) == len(passage.grads):
        yield Finding(
            "no gradient",
            "serious",
            "",
            "the loss has no gradient for any parameter: it was not computed from them, or was cut off "
            "from them",
            "a look for .detach(), .data, .item(), numpy() or no_grad between the parameters and the loss",
        )
        return
    for layer, names in _by_layer(missing).items():
        which = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        verb = "gets" if len(names) == 1 else "get"
        if _was_used(passage, layer, names):
            text = (
                f"{which} {verb} no gradient although the layer is used: something between it and the loss "
                "cuts it off"
            )
            hint = "a look for .detach(), .data, .item(), numpy() or no_grad after it"
        else:
            text = f"{which} {verb} no gradient: forward never uses {'it' if len(names) == 1 else 'them'}"
            hint = "using the layer in forward(), or leaving it out of the model"
        yield Finding("no gradient", "serious", layer, text, hint)


def _by_layer(names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(layer_of(name), []).append(name)
    return found


def _was_used(passage: Passage, layer: str, names: list[str]) -> bool:
    if any(call.path == layer for call in passage.recorder.calls if call.path):
        return True
    leaves = {id(passage.subject.leaves[name]) for name in names}
    return any(id(x) in leaves for step in passage.recorder.steps for x in step.xs)


def check_zero(passage: Passage) -> Iterator[Finding]:
    """Weights that are all zero and stay so, or keep all layers below from learning.

    A last layer of zeros is sound: it gets a gradient at once, and then passes one on.
    """
    for layer in passage.layers:
        for name in _weights_of(passage, layer):
            a = passage.subject.leaves[name]._a
            g = passage.grads.get(name)
            if a.size == 0 or a.any():
                continue
            if g is not None and not g.any():
                yield Finding(
                    "zero weights",
                    "serious",
                    layer.name,
                    f"all {a.size:,} numbers of {name} are 0, and so is its gradient: it will stay 0",
                    "random starting values, such as nn.init.kaiming_uniform_",
                )
                return
            if layer.depth < passage.depth and layer.depth > 1 and _blocked(passage, layer):
                yield Finding(
                    "zero weights",
                    "warning",
                    layer.name,
                    f"all {a.size:,} numbers of {name} are 0: the layers after it see nothing of the input, "
                    "and those before it get no gradient until it has moved",
                    "random starting values, such as nn.init.kaiming_uniform_",
                )
                return


def _weights_of(passage: Passage, layer: Layer) -> list[str]:
    return [path for leaf in layer.use.parameters if (path := passage.subject.path_of(leaf))]


def _blocked(passage: Passage, layer: Layer) -> bool:
    """Whether no gradient arrives at any layer before this one."""
    before = [passage.gradient(other.use.step) for other in passage.layers if other.depth < layer.depth]
    return all(g is None or not g.any() for g in before)


def check_symmetric(passage: Passage) -> Iterator[Finding]:
    """Layers whose units all compute the same and get the same gradient: they will never differ."""
    for layer in passage.layers:
        gradient = passage.gradient(layer.use.step)
        if gradient is None or layer.depth == passage.depth:
            continue
        values, slopes = by_unit(layer.value), by_unit(gradient)
        if values.shape[1] > 1 and _alike(values) and _alike(slopes) and (slopes.any() or values.any()):
            yield Finding(
                "symmetric",
                "serious",
                layer.name,
                f"all {values.shape[1]} units compute the same and get the same gradient, so they stay "
                "alike: the layer is worth one unit",
                "random starting values, such as nn.init.kaiming_uniform_",
            )
            return


def _alike(columns: Array) -> bool:
    """Whether all columns are the same, up to rounding."""
    size = np.abs(columns).max(initial=0.0)
    return bool((np.abs(columns - columns[:, :1]) <= limits.SAME_UNITS * size).all())


def check_membership(passage: Passage, optimizer: Optimizer) -> Iterator[Finding]:
    """Parameters of the model that the optimizer does not have."""
    known = {id(p) for group in optimizer.param_groups for p in group["params"]}
    leaves = passage.subject.leaves
    missing = [
        name for name, x in leaves.items() if id(x) not in known and passage.grads.get(name) is not None
    ]
    if not missing:
        return
    if len(missing) == len(leaves):
        text = "the optimizer has none of the model's parameters: no step will change the model"
        hint = "the optimizer made anew from model.parameters(), after the last change of the model"
        yield Finding("not in optimizer", "serious", "", text, hint)
        return
    for layer, names in _by_layer(missing).items():
        which = ", ".join(names)
        yield Finding(
            "not in optimizer",
            "serious",
            layer,
            f"{which}: no step will change {'it' if len(names) == 1 else 'them'}",
            "requires_grad_(False), if that is meant; else optimizer.add_param_group, or the optimizer "
            "made from model.parameters() once the model is complete",
        )
