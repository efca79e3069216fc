"""`doctor`: look at a model through one batch, and say what is wrong with it.

The order: what is given, one recorded pass forward and backward, a few trial steps with the optimizer if
there is one, the curvature of the loss; then the checks, and of their findings those that no other one
explains. All of it happens inside `untouched`, so that the model is given back as it came. Next:
`recording.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...base import wrap
from ...core.errors import ArgumentError, IndexingError
from ...nn import Module
from ...ops.primitive import tracing
from ...optim import Optimizer
from ...tape.mode import enable_grad
from ...tensor import Tensor
from ..inside import as_written
from . import limits
from .checks.broken import check_finite, check_given
from .checks.data import check_ignored, check_probabilities, check_scale, check_shapes, label_problem
from .checks.flow import check_dead, check_depth, check_saturated, rows_of
from .checks.steps import check_rate
from .checks.weights import check_gradients, check_membership, check_symmetric, check_zero
from .curvature import Curvature, curvature
from .findings import Finding, root_causes
from .names import described, leaves_of, modules_of, run_as_written
from .passage import Loss, Passage, Subject, go_back, record
from .report import Report, looks
from .state import Streams, generators_of, untouched
from .trial import Trial, attempt, is_descent, rates_of

_CHECKS: tuple[Callable[[Passage], Iterator[Finding]], ...] = (
    check_gradients,
    check_zero,
    check_symmetric,
    check_scale,
    check_shapes,
    check_probabilities,
    check_ignored,
    check_dead,
    check_saturated,
    check_depth,
)


def doctor(
    model: Callable[..., Any],
    batch: Any,
    loss: Loss,
    optimizer: Optimizer | None = None,
    *,
    hessian: bool = True,
) -> Report:
    """What is wrong with a model, as a `Report`: the faults in plain words, and the numbers of each layer.

    The model, its optimizer and the random streams are given back exactly as they were: values, gradients,
    batch statistics, modes. It is looked at in training mode. With an optimizer, a few steps are tried as
    well, to see whether its learning rate suits the loss.

    Args:    model: a Module, or any function of the inputs that uses tensors with requires_grad.
             batch: (x, y), or (x1, x2, ..., y) for a model of several inputs, as a DataLoader gives it. 64
             rows tell more than 4.
             loss: `loss(model(x), y)`, one number.
             hessian: whether to compute the curvature of the loss, which takes as long as some thirty passes.
    Raises:  ArgumentError for a batch that is no pair, or has no rows, or a loss with several numbers; what
             the model itself raises.

    >>> import chainrule as torch
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> _ = torch.nn.init.constant_(model[0].bias, -100.0)
    >>> x = torch.randn(64, 2)
    >>> report = torch.doctor(model, (x, x.sum(1, keepdim=True)), torch.nn.MSELoss())
    >>> [(finding.kind, finding.where) for finding in report.findings]
    [('dead', '1')]
    """
    _check(model, loss, optimizer)
    inputs, target = _parts(batch)
    model, loss = as_written(model), as_written(loss)
    leaves = _leaves(model, loss, optimizer)
    if not leaves:
        raise ArgumentError.of(
            "doctor",
            given=f"{described(model, 'a function')}, which uses no tensor that wants a gradient",
            must="there must be something to train",
            hint="requires_grad=True on the weights; a function is searched for tensors that its code names",
        )
    modules = modules_of(model, loss)
    params = [p for group in optimizer.param_groups for p in group["params"]] if optimizer is not None else []
    with untouched(modules, [*leaves.values(), *params], optimizer), enable_grad():
        run_as_written(modules)
        notes = _to_training(model)
        subject = Subject(model, loss, inputs, target, leaves, Streams(generators_of(modules)))
        return _examined(subject, optimizer, hessian, notes)


def _examined(subject: Subject, optimizer: Optimizer | None, hessian: bool, notes: list[str]) -> Report:
    title = f"{described(subject.model, 'the model')} with {described(subject.loss, 'its loss')}"
    if given := check_given(subject):
        return Report(title, [given], notes=notes)
    try:
        passage = record(subject)
    except IndexingError:
        labels = label_problem(subject)
        if labels is None:
            raise
        return Report(title, [labels], notes=notes)
    go_back(passage)
    report = Report(title, [], passage.loss.item(), notes=notes)
    if broken := check_finite(passage):
        report.findings.append(broken)
        looks(report, passage, None)
        return report
    found = [finding for check in _CHECKS for finding in check(passage)]
    trial: Trial | None = None
    bend: Curvature | None = None
    if any(g is not None for g in passage.grads.values()):
        if hessian:
            bend = _curvature(subject, optimizer, notes)
        if optimizer is not None:
            trial = attempt(subject, optimizer)
            found += check_membership(passage, optimizer)
            found += check_rate(passage, optimizer, trial, bend)
    report.findings, report.curvature, report.trial = root_causes(found), bend, trial
    looks(report, passage, trial)
    few = [gate for gate in passage.gates if gate.ends == 1 and rows_of(gate.slope) < limits.FEWEST_ROWS]
    if few:
        notes.append(
            f"a batch of fewer than {limits.FEWEST_ROWS} rows does not tell dead units from idle ones"
        )
    return report


def _curvature(subject: Subject, optimizer: Optimizer | None, notes: list[str]) -> Curvature | None:
    rates = rates_of(optimizer, subject.leaves) if optimizer is not None and is_descent(optimizer) else None
    found = curvature(subject, rates)
    if isinstance(found, Curvature):
        return found
    notes.append(f"the curvature is not known: {found}")
    return None


def _check(model: Any, loss: Any, optimizer: Any) -> None:
    """What stands in the place of something else is said, before it fails inside."""
    if tracing.tracer is not None:
        raise ArgumentError.of(
            "doctor",
            given="a call inside of a function that is being traced",
            must="it looks at values, and a trace has none",
            hint="doctor(model, batch, loss) outside of compile and trace",
        )
    if not callable(model):
        raise ArgumentError.of(
            "doctor",
            given=f"{type(model).__name__} as model",
            must="a model is a module or a function",
            hint="doctor(model, (x, y), loss)",
        )
    if not callable(loss) or (isinstance(loss, type) and issubclass(loss, Module)):
        name = loss.__name__ if isinstance(loss, type) else type(loss).__name__
        raise ArgumentError.of(
            "doctor",
            given=f"{'the class ' if isinstance(loss, type) else ''}{name} as loss",
            must="the loss is a function of the output and the target",
            hint=f"{name}()" if isinstance(loss, type) else "nn.MSELoss()",
        )
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        name = optimizer.__name__ if isinstance(optimizer, type) else type(optimizer).__name__
        raise ArgumentError.of(
            "doctor",
            given=f"{'the class ' if isinstance(optimizer, type) else ''}{name} as optimizer",
            must="an optimizer is made from the parameters of the model",
            hint=f"{name if isinstance(optimizer, type) else 'SGD'}(model.parameters(), lr=0.1)",
        )


def _parts(batch: Any) -> tuple[tuple[Any, ...], Any]:
    """The inputs and the target of a batch."""
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        raise ArgumentError.of(
            "doctor",
            given=f"{_described_batch(batch)} as batch",
            must="a batch is a pair (x, y) of inputs and targets",
            hint="next(iter(loader)), if it is a DataLoader",
        )
    *inputs, target = batch
    if len(inputs) == 1 and isinstance(inputs[0], tuple | list):
        inputs = list(inputs[0])
    inputs, target = [_tensor(x) for x in inputs], _tensor(target)
    if any(isinstance(x, Tensor) and x.ndim and not x.shape[0] for x in (*inputs, target)):
        raise ArgumentError.of(
            "doctor",
            given="a batch without rows",
            must="there must be something to compute the loss of",
            hint="64 rows or more: with few of them less can be seen",
        )
    return tuple(inputs), target


def _tensor(x: Any) -> Any:
    """A NumPy array as the tensor that a model takes."""
    return wrap(x.copy()) if isinstance(x, np.ndarray) else x


def _described_batch(batch: Any) -> str:
    name = type(batch).__name__
    size = f" of length {len(batch)}" if isinstance(batch, tuple | list) else ""
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}{size}"


def _leaves(model: Any, loss: Any, optimizer: Optimizer | None) -> dict[str, Tensor]:
    found = leaves_of(model)
    others = [
        (f"loss.{name}" if isinstance(loss, Module) else name, x) for name, x in leaves_of(loss).items()
    ]
    if optimizer is not None and not isinstance(model, Module):
        params = (p for group in optimizer.param_groups for p in group["params"] if p.requires_grad)
        others += [(f"parameter {i}", p) for i, p in enumerate(params)]
    for name, x in others:
        if all(x is not known for known in found.values()):
            found[name] = x
    return found


def _to_training(model: Any) -> list[str]:
    if not isinstance(model, Module) or model.training:
        return []
    model.train()
    return ["the model is in evaluation mode; it was looked at in training mode"]
