"""The short way of a call: one Python function per program, written for it as text.

`short_way` makes a function that takes the tuple of arguments and either runs the program or returns `MISS`,
and then nothing has happened. It has the same checks as `Arguments` and `Guards`, unrolled: comparisons with
what was there at the trace, no keys, no loops. Where a check fails or a call is of an unusual kind, the
general way (`Signature.run`) decides. Next: `compiled.py`.
"""

from __future__ import annotations

import bisect
import weakref
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from .. import base, eager
from ..backward import node_of
from ..base import TensorBase
from ..core import dtypes
from ..graph.host import Option
from ..inplace import touch
from ..nn.registry import changes
from ..tape import mode
from . import signature
from .guards import Captured, equal
from .memory import address
from .record import NOTHING
from .signature import GradSlot, HostPlace, Place, Signature
from .surroundings import PLAIN

MISS: Any = object()

_COMMON = {
    "MISS": MISS, "E": eager, "M": mode.state, "D": dtypes, "R": changes, "S": signature,
    "address": address, "touch": touch,
    "node_of": node_of, "new": object.__new__, "equal": equal, "overlap": np.may_share_memory,
    "bisect": bisect.bisect_right,
    "wrap": base.wrap, "LOOKUP": (KeyError, IndexError, ValueError, AttributeError),
}  # fmt: skip


class _Text:
    """Lines of the function, and the objects that they mention."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names = dict(_COMMON)

    def __call__(self, x: Any) -> str:
        """A name for an object."""
        name = f"k{len(self.names)}"
        self.names[name] = x
        return name

    def need(self, condition: str) -> None:
        """Leave unless the condition holds."""
        self.lines.append(f"if not ({condition}): return MISS")


def short_way(s: Signature) -> Callable[[tuple[Any, ...]], Any] | None:
    """The short way to run a program; None if its calls are of an unusual kind."""
    if s.short is None:
        s.short = (_made(s),)
    return s.short[0]


def _made(s: Signature) -> Callable[[tuple[Any, ...]], Any] | None:
    positional, named = s.key
    places = s.places
    if (
        named
        or any(isinstance(p, GradSlot) or (isinstance(p, Captured) and not p.ordered) for p in places)
        or any(isinstance(who, int) for who, _ in s.recorded.effects)
        or s.captures_overlap()
    ):
        return None
    check, names = _Text(), [f"x{i}" for i in range(len(positional))]
    check.need(f"len(args) == {len(names)}")
    if names:
        check.lines.append(f"{', '.join(names)}, = args")
    grad, inference, kind = s.guards.modes
    check.need(
        f"not E.special and M.grad is {grad} and M.inference is {inference} and D._default is {check(kind)}"
    )
    inputs: list[str] = []
    captured = {id(p.tensor) for p in places if isinstance(p, Captured)}
    held = iter(s.held)
    for name, part in zip(names, positional, strict=True):
        if not _argument(check, name, part, captured, held):
            return None
        if part[0] == "tensor":
            inputs.append(name)
    _guards(check, s)
    for i in s.targets:
        if i < len(inputs):  # whether it shares memory with another input is looked at for each call
            check.need(f"{inputs[i]}_a.flags.writeable")
            for j, name in enumerate(inputs):
                if j != i:
                    check.need(f"not overlap({name}_a, {inputs[i]}_a)")
    check.lines += [f"{name}_p = address({name}_a)" for name in inputs]
    _apart(check, s, inputs, places)
    run = _Text()
    run.names = check.names
    if s.recorded.differentiable:  # the tape takes the larger part of such a call
        run.lines.append(f"return {run(s.run)}([{', '.join(inputs)}])")
    else:
        _run(run, s, [f"{name}_p" for name in inputs])
        _after(run, s, inputs, places)
    text = ["def short(args):", "  try:"]
    text += [f"    {line}" for line in check.lines]
    text += ["  except LOOKUP:", "    return MISS", *(f"  {line}" for line in run.lines)]
    exec(compile("\n".join(text), f"<the short way of {s.name}>", "exec"), check.names)
    made: Callable[[tuple[Any, ...]], Any] = check.names["short"]
    return made


def _run(text: _Text, s: Signature, inputs: list[str]) -> None:
    """Put numbers of Python where the program finds them, run it, and take the new ones back."""
    where = inputs + [
        str(p.where if isinstance(p, HostPlace) else address(p.a))
        for p in s.places
        if not isinstance(p, GradSlot)  # there are none on the short way
    ]
    streams = []
    for p in s.hosts:
        if isinstance(p.host, Option):
            index = "" if p.host.index is None else f"[{p.host.index}]"
            text.lines.append(f"{text(p.cell)}.value = {text(p.host.group)}[{p.host.option!r}]{index}")
        else:
            streams.append(f"{text(p.cell)}.value = {text(p.host)}.value()")
    run = f"results = {text(s.program.run)}(({''.join(w + ', ' for w in where)}))"
    after = [f"{text(p.host)}.store({text(p.cell)}.value)" for p in s.stored]
    if streams:
        text.lines += ["with S.STREAMS:", *(f" {line}" for line in [*streams, run, *after])]
    else:
        text.lines.append(run)


def _argument(text: _Text, name: str, part: Any, captured: set[int], held: Iterator[Any]) -> bool:
    """The checks of one argument; False if it is of an unusual kind."""
    kind = part[0]
    if kind == "tensor":
        _, shape, char, ordered, grad = part[:5]
        if grad or not ordered:
            return False
        text.need(f"type({name}) is {text(base.tensor_class)}")
        text.lines.append(f"{name}_a = {name}._a")
        text.need(
            f"{name}_a.dtype is {text(np.dtype(char))} and {name}_a.shape == {shape!r} "
            f"and {name}_a.flags.c_contiguous "
            f"and {name}._node is None and ({name}._view is None or node_of({name}) is None)"
        )
        return True
    if kind == "the tensor" and part[1] in captured:  # its memory is guarded
        _identity(text, name, next(held))
        return True
    if not isinstance(kind, type) or len(part) != 2:
        return False
    if kind in (int, str, bool):
        text.need(f"type({name}) is {text(kind)} and {name} == {part[1]}")
    elif isinstance(part[1], str):
        text.need(f"type({name}) is {text(kind)} and repr({name}) == {part[1]!r}")
    elif isinstance(part[1], int):
        _identity(text, name, next(held))
    else:
        return False
    return True


def _identity(text: _Text, name: str, held: Any) -> None:
    """An argument is that object; what is held of it is a weak reference where that is possible."""
    text.need(f"{name} is {text(held)}{'()' if isinstance(held, weakref.ref) else ''}")


def _guards(text: _Text, s: Signature) -> None:
    guards = s.guards
    hashed: set[int] = set()
    for link in guards.links:
        if isinstance(link.key, TensorBase):  # an optimizer's state: the hash of a tensor takes long
            if id(link.holder) not in hashed:
                hashed.add(id(link.holder))
                ids = [id(x) for x in link.holder.values()]
                text.need(f"[*map(id, {text(link.holder)}.values())] == {text(ids)}")
            continue
        holder, value = text(link.holder), text(link.value)
        if link.kind == "cell":
            there = f"{holder}.cell_contents"
        elif link.kind == "attribute":
            there = f"{holder}.{link.key}"
        elif type(link.holder) in (list, dict):
            there = f"{holder}[{repr(link.key) if isinstance(link.key, str | int) else text(link.key)}]"
        else:
            there = f"{holder}.get({text(link.key)})"
        plain = f" or equal({there}, {value})" if isinstance(link.value, PLAIN) else ""
        text.need(f"{there} is {value}{plain}")
    for x, count, _ in guards.lengths:
        text.need(f"len({text(x)}) == {count}")
    if guards.training:
        text.need(f"R.count == {text(guards)}.changes or {text(guards)}.modules_hold()")
    for group in guards.groups:
        for option, value in group[0].items():
            if isinstance(value, TensorBase):  # such as a learning rate: by identity, not by value
                text.need(f"{text(group[0])}[{option!r}] is {text(value)}")
        text.need(f"list({text(group[0])}.values()) == {text(group)}[1] or {text(guards)}.assumptions_hold()")
    for assumption in guards.always:
        text.need(f"{text(assumption.holds)}()")
    for c in guards.captured:
        x = text(c.tensor)
        condition = f"{x}._a is {text(c.a)} and {x}._node is {text(c.node)}"
        if c.watch_grad:
            condition += f" and {x}._grad is {'None' if c.grad is None else 'not None'}"
        text.need(condition)


def _apart(text: _Text, s: Signature, inputs: list[str], places: list[Place]) -> None:
    """Inputs do not reach into memory of captured tensors that the program writes, nor these into inputs."""
    captured = [p.a if isinstance(p, Captured) else None for p in places]
    written = [a for i in s.targets if i >= len(inputs) and (a := captured[i - len(inputs)]) is not None]
    ranges = sorted((address(a), address(a) + a.nbytes) for a in written if a.nbytes)
    if ranges:
        starts, ends = text([start for start, _ in ranges]), text([0, *(end for _, end in ranges)])
        for name, v in zip(inputs, s.graph.inputs, strict=True):
            size = max(prod(v.shape) * v.dtype.numpy.itemsize, 1)
            # The last range that begins before the input's end is the only one that can reach into it.
            text.need(f"{ends}[bisect({starts}, {name}_p + {size - 1})] <= {name}_p")
    written_inputs = [inputs[i] for i in s.targets if i < len(inputs)]
    for name in written_inputs:
        for a in captured:
            if a is not None:
                text.need(f"not overlap({name}_a, {text(a)})")


def _after(text: _Text, s: Signature, inputs: list[str], places: list[Place]) -> None:
    """Count writes, store gradients, return what the function returns."""
    for i, site in zip(s.targets, s.sites, strict=True):
        place = places[i - len(inputs)] if i >= len(inputs) else None
        x = text(place.tensor) if isinstance(place, Captured) else inputs[i]
        if isinstance(place, Captured) and place.tensor._view is None:
            # A leaf, or a tensor without a node: nobody else has to hear of the write.
            text.lines.append(f"{x}._v += 1; {x}._site = {text(site)}")
        else:
            text.lines.append(f"touch({x})")
    found = s.recorded
    none_before = {id(c.tensor) for c in s.guards.captured if c.watch_grad and c.grad is None}
    effects = [who for who, number in found.effects if number is not None]
    if not effects:
        text.lines += [f"{text(who)}._grad = None" for who, _ in found.effects if id(who) not in none_before]
    if not effects and found.single and found.results == 1:
        text.lines += [
            f"out = new({text(base.tensor_class)})",
            "out._a, = results",
            "out._node = out._view = out._grad = None",
            "out._v = 0",
            "return out",
        ]
    elif effects or found.results or found.plan is not NOTHING:
        given = ", ".join(inputs)
        text.lines.append(f"return {text(s.finish)}([wrap(a) for a in results], [{given}])")
