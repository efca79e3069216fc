"""Small programs around the tape, run on both sides: writes, views, leaves, modes, and backward's traps.

Each is a few lines with a name. Compared are: whether and with what family of exceptions it is refused, and
of every tensor that it made: value, type, `requires_grad`, `is_leaf`, `.grad`, whether it is a view, its
version.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
import torch

import chainrule
from tests.torch.both import Refused, same, same_refusal

PROGRAMS = """
# accumulation
x = T.ones(3, requires_grad=True)
(x * 2).sum().backward()
(x * 3).sum().backward()
before = x.grad.clone()
x.grad.zero_()
(x * 5).sum().backward()

# a result used twice
x = T.tensor([1.0, 2.0], requires_grad=True)
y = x * x
z = (y + y * x).sum()
z.backward()

# an unused input
x = T.ones(2, requires_grad=True)
w = T.ones(2, requires_grad=True)
x.sum().backward()

# backward of several elements needs a gradient
x = T.ones(3, requires_grad=True)
(x * 2).backward()

# backward with a gradient
x = T.ones(3, requires_grad=True)
(x * 2).backward(T.tensor([1.0, 10.0, 100.0]))

# a gradient of the wrong shape
x = T.ones(3, requires_grad=True)
(x * 2).backward(T.ones(2))

# a gradient of the wrong type
x = T.ones(3, requires_grad=True)
(x * 2).backward(T.ones(3, dtype=T.int64))

# one element needs no gradient, whatever its shape
x = T.ones(1, 1, requires_grad=True)
(x * 2).backward()

# twice through the same graph
x = T.ones(2, requires_grad=True)
y = (x * x).sum()
y.backward()
y.backward()

# twice through the same graph, retained
x = T.ones(2, requires_grad=True)
y = (x * x).sum()
y.backward(retain_graph=True)
y.backward()

# twice through a graph that keeps nothing
x = T.ones(2, requires_grad=True)
y = (x + 1).sum()
y.backward()
y.backward()

# backward without anything to differentiate
x = T.ones(2)
x.sum().backward()

# backward of a leaf
x = T.tensor(2.0, requires_grad=True)
x.backward()

# backward to chosen inputs
x = T.ones(2, requires_grad=True)
w = T.ones(2, requires_grad=True)
(x * w).sum().backward(inputs=[w])

# backward to an intermediate result
x = T.ones(2, requires_grad=True)
y = x * 2
(y * y).sum().backward(inputs=[x])

# second derivatives
x = T.tensor([1.0, 2.0], requires_grad=True)
(g,) = T.autograd.grad((x ** 3).sum(), x, create_graph=True)
g.sum().backward()

# second derivatives by backward
x = T.tensor([1.0, 2.0], requires_grad=True)
(x ** 3).sum().backward(create_graph=True)
first = x.grad.detach().clone()
g = x.grad
x.grad = None
g.sum().backward()

# grad of several outputs and inputs
x = T.tensor([1.0, 2.0], requires_grad=True)
w = T.tensor([3.0, 4.0], requires_grad=True)
a, b = T.autograd.grad([(x * w).sum(), x.sum()], [x, w])

# grad with weights
x = T.tensor([1.0, 2.0], requires_grad=True)
(a,) = T.autograd.grad(x * x, x, T.tensor([1.0, 10.0]))

# grad by something unused
x = T.ones(2, requires_grad=True)
w = T.ones(2, requires_grad=True)
T.autograd.grad(x.sum(), w)

# grad by something unused, allowed
x = T.ones(2, requires_grad=True)
w = T.ones(2, requires_grad=True)
a, b = T.autograd.grad(x.sum(), (x, w), allow_unused=True)
none = b is None

# grad by something unused, as zeros
x = T.ones(2, requires_grad=True)
w = T.ones(2, requires_grad=True)
a, b = T.autograd.grad(x.sum(), (x, w), materialize_grads=True)

# grad by what needs none
x = T.ones(2, requires_grad=True)
w = T.ones(2)
T.autograd.grad((x * w).sum(), w)

# in place on a leaf
x = T.ones(2, requires_grad=True)
x.add_(1)

# in place on a leaf, through an index
x = T.ones(2, requires_grad=True)
x[0] = 5.0

# in place on a view of a leaf
x = T.ones(2, requires_grad=True)
v = x[0]
v.mul_(2)

# in place on a leaf, with an operator
x = T.ones(2, requires_grad=True)
x += 1

# in place on a leaf without recording
x = T.ones(2, requires_grad=True)
with T.no_grad():
    x += 1
    x[0] = 5.0
(x * x).sum().backward()

# in place on a view of a leaf without recording
x = T.ones(2, requires_grad=True)
with T.no_grad():
    v = x[:1]
    v.mul_(3)
    del v
(x * x).sum().backward()

# in place by data
x = T.ones(2, requires_grad=True)
x.data.mul_(2)
x.data[0] = 7.0
(x * x).sum().backward()

# in place by detach
x = T.ones(2, requires_grad=True)
x.detach().mul_(2)
(x * x).sum().backward()

# a new value by data
x = T.ones(2, requires_grad=True)
x.data = T.tensor([3.0, 4.0])
(x * x).sum().backward()

# in place on an intermediate result
x = T.ones(2, requires_grad=True)
y = x * 2
y.add_(1)
y *= 3
y[0] = 0.0
y.sum().backward()

# a value changed after it was kept
x = T.ones(2, requires_grad=True)
y = x * 2
z = y * y
y.add_(1)
z.sum().backward()

# a result changed after it was kept
x = T.ones(2, requires_grad=True)
y = x.exp()
y.add_(1)
y.sum().backward()

# a value changed after it was used, where it was not kept
x = T.ones(2, requires_grad=True)
y = x * 2
z = y + 1
y.add_(1)
(z + y).sum().backward()

# a value changed by detach after it was kept
x = T.ones(2, requires_grad=True)
y = x * 2
z = y * y
y.detach().add_(1)
z.sum().backward()

# a value changed by data after it was kept is not noticed
x = T.ones(2, requires_grad=True)
y = x * 2
z = y * y
y.data.add_(1)
z.sum().backward()

# a leaf changed without recording after it was kept
x = T.ones(2, requires_grad=True)
y = x * x
with T.no_grad():
    x.add_(1)
y.sum().backward()

# an index changed after it was kept
x = T.ones(3, requires_grad=True)
i = T.tensor([0, 1])
y = x[i]
i.add_(1)
y.sum().backward()

# a weight without gradient changed after it was kept
x = T.ones(2, requires_grad=True)
w = T.ones(2)
y = x * w
w.mul_(3)
y.sum().backward()

# a view changed after its base was kept
x = T.ones(2, requires_grad=True)
y = x * 2
v = y[:1]
z = y * y
v.add_(1)
z.sum().backward()

# a base changed after a view was kept
x = T.ones(2, requires_grad=True)
y = x * 2
v = y[:1]
z = v * v
y.add_(1)
z.sum().backward()

# a write through a view is seen by the base
x = T.ones(2, 2, requires_grad=True)
y = x * 2
v = y[0]
v.mul_(3)
y.sum().backward()

# a write through a view of a view
x = T.ones(2, 3, requires_grad=True)
y = x * 2
v = y.T
w = v[1:]
w.mul_(3)
u = (y * T.arange(6.0).reshape(2, 3)).sum()
u.backward()

# a write to the base is seen by the view
x = T.ones(2, 2, requires_grad=True)
y = x * 2
v = y.view(4)
y.mul_(3)
v.sum().backward()

# writes through two views
x = T.ones(2, 3, requires_grad=True)
y = x * 2
a = y[0]
b = y[:, 0]
a.mul_(2)
b.mul_(5)
(y * y.detach()).sum().backward()

# a view made before and one after a write
x = T.ones(4, requires_grad=True)
y = x * 1
before = y[:2]
y.mul_(2)
after = y[:2]
(before * after.detach() + after).sum().backward()

# a write of something recorded into memory that was not
x = T.ones(2, requires_grad=True)
y = T.zeros(4)
y[1:3] = x * 3
(y * y).sum().backward()

# a write of something recorded through a view of memory that was not
x = T.ones(2, requires_grad=True)
y = T.zeros(2, 2)
v = y[0]
v.copy_(x)
v.mul_(x)
y.sum().backward()

# a write of something recorded in a chain of views
x = T.ones(2, requires_grad=True)
y = T.zeros(3, 4)
v = y.T[1:3]
w = v[:, 1]
w += x
y.sum().backward()

# an integer tensor takes values but no gradient
x = T.ones(2, requires_grad=True)
y = T.zeros(2, dtype=T.int64)
y[0] = 3

# a view made without recording, written with recording
x = T.ones(2, requires_grad=True)
y = x * 2
with T.no_grad():
    _v = y[0]
_v.mul_(3)
y.sum().backward()

# a view made without recording of what needs no gradient
y = T.zeros(3)
with T.no_grad():
    v = y[:2]
v.add_(1)

# a detached view, written
x = T.ones(2, requires_grad=True)
y = x * 2
v = y.detach()
v.mul_(3)
y.sum().backward()

# detach in place
x = T.ones(2, requires_grad=True)
y = x * 2
y.detach_()
z = y * x
z.sum().backward()

# detach in place of a view
x = T.ones(2, requires_grad=True)
y = x * 2
v = y[0]
v.detach_()

# a gradient for a result, retained
x = T.ones(2, requires_grad=True)
y = x * 2
y.retain_grad()
(y * y).sum().backward()

# a gradient for a result, read without retaining
x = T.ones(2, requires_grad=True)
y = x * 2
(y * y).sum().backward()

# a gradient retained, then a write
x = T.ones(2, requires_grad=True)
y = x * 2
y.retain_grad()
y.mul_(3)
y.sum().backward()

# requires_grad of integers
x = T.ones(2, dtype=T.int64)
x.requires_grad_()

# requires_grad of integers, at creation
x = T.ones(2, dtype=T.int64, requires_grad=True)

# requires_grad of a bool tensor, set
x = T.tensor([True])
x.requires_grad = True

# requires_grad off for a result
x = T.ones(2, requires_grad=True)
y = x * 2
y.requires_grad_(False)

# requires_grad on for a result
x = T.ones(2, requires_grad=True)
y = x * 2
y.requires_grad_(True)
y.sum().backward()

# requires_grad off for a leaf
x = T.ones(2, requires_grad=True)
y = (x * 2).sum()
x.requires_grad_(False)
z = x * 3
y.backward()

# requires_grad on for a view of a tensor without
y = T.ones(3)
v = y[:2]
v.requires_grad_()
(v * v).sum().backward()
z = y * 2

# numpy of what needs a gradient
x = T.ones(2, requires_grad=True)
x.numpy()

# numpy of a detached tensor shares memory
x = T.ones(2, requires_grad=True)
a = x.detach().numpy()
a[0] = 5.0

# item and float of what needs a gradient
x = T.tensor(2.0, requires_grad=True)
a = x.item()
b = float((x * 2).detach())

# truth and comparison carry no gradient
x = T.ones(2, requires_grad=True)
y = x > 0
z = x.argmax()
w = (x * 2).long()
s = x.sign()

# conversion keeps the gradient
x = T.ones(2, requires_grad=True)
y = x.double() * 2
y.sum().backward()

# mixed types get gradients of their own type
x = T.ones(2, requires_grad=True)
w = T.ones(2, dtype=T.float64, requires_grad=True)
(x * w).sum().backward()

# half precision
x = T.ones(2, dtype=T.float16, requires_grad=True)
w = T.ones((), dtype=T.float64, requires_grad=True)
(x * w).sum().backward()

# no_grad
x = T.ones(2, requires_grad=True)
with T.no_grad():
    y = x * 2
    with T.enable_grad():
        z = x * 3
w = y + z
w.sum().backward()

# no_grad as a decorator
@T.no_grad()
def f(x):
    return x * 2
x = T.ones(2, requires_grad=True)
y = f(x)

# set_grad_enabled
x = T.ones(2, requires_grad=True)
T.set_grad_enabled(False)
y = x * 2
T.set_grad_enabled(True)
z = x * 3

# leaves made without recording
with T.no_grad():
    x = T.ones(2, requires_grad=True)
    y = x * 2
(x * x).sum().backward()

# inference mode
x = T.ones(2, requires_grad=True)
with T.inference_mode():
    y = x * 2
z = (x * 3).sum()
z.backward()

# hooks see and replace gradients
x = T.ones(2, requires_grad=True)
y = x * 2
seen = []
h = y.register_hook(lambda g: seen.append(g.tolist()))
k = y.register_hook(lambda g: g * 10)
x.register_hook(lambda g: g + 1)
y.sum().backward()
k.remove()
y2 = (x * 2).sum()
y2.backward()

# a hook on what needs no gradient
x = T.ones(2)
x.register_hook(lambda g: g)

# a hook after accumulation
x = T.ones(2, requires_grad=True)
seen = []
x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
(x * 2).sum().backward()
(x * 2).sum().backward()

# a gradient assigned
x = T.ones(2, requires_grad=True)
x.grad = T.tensor([1.0, 2.0])
(x * 2).sum().backward()

# a gradient of another shape assigned
x = T.ones(2, requires_grad=True)
x.grad = T.ones(3)

# a gradient of another type assigned
x = T.ones(2, requires_grad=True)
x.grad = T.ones(2, dtype=T.float64)

# a gradient that is no tensor assigned
x = T.ones(2, requires_grad=True)
x.grad = 3

# a function of the user
class Double(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * 2 + w
    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * 2 * x, g
x = T.tensor([1.0, 2.0], requires_grad=True)
w = T.tensor([3.0, 4.0], requires_grad=True)
y = Double.apply(x, w)
y.sum().backward()

# a function of the user with two results, one of them without gradient
class Two(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        a, b = x * 2, x > 0
        ctx.mark_non_differentiable(b)
        return a, b
    @staticmethod
    def backward(ctx, g, h):
        return g * 2
x = T.tensor([1.0, -2.0], requires_grad=True)
a, b = Two.apply(x)
a.sum().backward()

# a function of the user that gives too few gradients
class Few(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        return x * w
    @staticmethod
    def backward(ctx, g):
        return g
x = T.ones(2, requires_grad=True)
w = T.ones(2, requires_grad=True)
Few.apply(x, w).sum().backward()

# a clone gets a gradient, a copy by tensor does not
x = T.ones(2, requires_grad=True)
y = x.clone()
z = x.detach().clone().requires_grad_()
(y * z).sum().backward()

# the same tensor on both sides
x = T.tensor([2.0, 3.0], requires_grad=True)
(x @ x + x.dot(x) + (x * x).sum()).backward()

# expanded, then summed
x = T.ones(2, 1, requires_grad=True)
(x.expand(2, 3) * T.arange(6.0).reshape(2, 3)).sum().backward()

# an empty tensor
x = T.ones(0, 3, requires_grad=True)
x.sum().backward()

# control flow
x = T.tensor(0.5, requires_grad=True)
y = x
while y < 10:
    y = y * 2
if y > 8:
    y = y * x
y.backward()

# a loop of in-place updates
x = T.ones(3, requires_grad=True)
s = T.zeros(3)
for i in range(3):
    s += x * i
    s[i] = 0.0
s.sum().backward()

# a buffer filled row by row
x = T.tensor([1.0, 2.0], requires_grad=True)
b = T.zeros(3, 2)
for i in range(3):
    b[i] = x ** (i + 1)
b.sum().backward()

# swapping rows
x = T.arange(6.0).reshape(3, 2).requires_grad_()
y = x * 1
y[0], y[1] = y[1].clone(), y[0].clone()
(y * T.arange(6.0).reshape(3, 2)).sum().backward()

# masked assignment
x = T.tensor([1.0, -2.0, 3.0], requires_grad=True)
y = x * 2
y[y < 0] = 0.0
(y * y).sum().backward()

# assignment of a scalar tensor that needs a gradient
x = T.ones(3, requires_grad=True)
w = T.tensor(2.0, requires_grad=True)
y = x * 1
y[1:] = w
y[T.tensor([0])] = w * 3
(y * T.tensor([1.0, 2.0, 3.0])).sum().backward()

# fill_ and zero_
x = T.ones(3, requires_grad=True)
y = x * 2
z = y.clone()
y.zero_()
z.fill_(3.0)
(y + z + x).sum().backward()

# fill_ by a tensor that needs a gradient
x = T.ones(3, requires_grad=True)
w = T.tensor(2.0, requires_grad=True)
y = x * 2
y.fill_(w)
y.sum().backward()

# a retained graph with a changed value
x = T.ones(2, requires_grad=True)
y = x * 2
z = (y * y).sum()
z.backward(retain_graph=True)
y.add_(1)
z.backward()

# a leaf replaced
x = T.ones(2, requires_grad=True)
x = x - 0.1 * x
x.sum().backward()

# is_leaf and grad_fn
x = T.ones(2, requires_grad=True)
y = x * 2
v = y[0]
leaves = [t.is_leaf for t in (x, y, v, x.detach(), T.ones(1))]
made = [t.grad_fn is None for t in (x, y, v)]
"""


# Names of gradients in the programs: how often their memory was written to is the engine's own affair.
GRADIENTS = {"g", "a", "b", "first"}


def programs() -> list[Any]:
    found = re.split(r"^# (.*)\n", PROGRAMS.strip() + "\n", flags=re.M)[1:]
    return [pytest.param(code, id=name) for name, code in zip(found[::2], found[1::2], strict=True)]


def run(T: Any, code: str) -> tuple[dict[str, Any], Refused | None]:
    names: dict[str, Any] = {"T": T}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(code, "<program>", "exec"), names)
    except Exception as error:
        return names, Refused(error)
    finally:
        T.set_grad_enabled(True)
    return names, None


def same_tensors(name: str, ours: Any, theirs: Any) -> None:
    """Value and type, and how it stands on the tape."""
    same(ours, theirs, name)
    assert ours.is_leaf == theirs.is_leaf, f"{name}.is_leaf"
    assert (ours._base is None) == (theirs._base is None), f"{name} is a view"
    if not theirs.is_inference() and name not in GRADIENTS:
        assert ours._version == theirs._version, f"{name}._version"
    if theirs.is_leaf or theirs.retains_grad:
        assert (ours.grad is None) == (theirs.grad is None), f"{name}.grad is None"
        if theirs.grad is not None:
            same(ours.grad.detach(), theirs.grad.detach(), f"{name}.grad")


@pytest.mark.parametrize("code", programs())
def test_programs(code: str) -> None:
    (mine, ours), (its, theirs) = run(chainrule, code), run(torch, code)
    if theirs is not None or ours is not None:
        same_refusal(ours, theirs)
    for name, value in its.items():
        if isinstance(value, torch.Tensor) and not name.startswith("_"):
            same_tensors(name, mine[name], value)
        elif isinstance(value, bool | int | float | list | tuple) and name in mine:
            assert mine[name] == value, name
