"""What the leaves and results of a tape are called, and which module a parameter belongs to.

Names come from the call of `draw`: `params=` (a module, or names with tensors), and the variables of the
user's function, by identity of the objects they hold: `w` in the picture is what `w` is in the program now.
Values that no variable holds any more are numbered by whoever draws them. Next: `from_tape.py`.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import FrameType
from typing import Any, NamedTuple

from ...backward import node_of
from ...base import TensorBase
from ...core.errors import PACKAGE_DIR, ArgumentError, Site
from ...nn.module import Module
from ...tape.node import AccumulateGrad, Node


class Place(NamedTuple):
    """A group that an operation belongs to. ident: equal for operations of one group."""

    ident: Any
    title: str
    path: str


class Naming:
    """Names of tensors and tape nodes.

    of_site: what the user's code calls the result of an operation at a place of it; "" if nothing.
    """

    def __init__(self, of_site: Callable[[Site], str] = lambda site: "") -> None:
        self._tensors: dict[int, tuple[str, Any]] = {}  # the tensor with it, so that its id stays its own
        self._nodes: dict[Node, str] = {}
        self._places: dict[int, tuple[Place, ...]] = {}
        self._taken: set[str] = set()
        self._of_site = of_site
        self._counts: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))

    def add(self, name: str, x: TensorBase) -> None:
        """x is called `name`, unless it has a name already."""
        if id(x) in self._tensors or name in self._taken:
            return
        self._tensors[id(x)] = (name, x)
        self._taken.add(name)
        node = node_of(x)
        if node is not None and not isinstance(node, AccumulateGrad):
            self._nodes.setdefault(node, name)

    def add_module(self, module: Module, prefix: str = "") -> None:
        """All parameters of a module by their paths."""
        kinds = {path: type(inner).__name__ for path, inner in module.named_modules()}
        for path, x in module.named_parameters():
            self.add(prefix + path, x)
            self._places.setdefault(id(x), places(path.rpartition(".")[0], kinds))
        for path, buffer in module.named_buffers():
            self.add(prefix + path, buffer)

    def add_frame(self, frame: FrameType | None, leaves: Mapping[int, Any]) -> None:
        """The variables of a function and its file; of modules those that own one of the leaves."""
        if frame is None:
            return
        variables = {**frame.f_globals, **frame.f_locals}
        seen: list[tuple[str, Any, set[int]]] = []
        for name, x in variables.items():
            if isinstance(x, Module) and not name.startswith("_"):
                owned = {id(p) for _, p in x.named_parameters()} & leaves.keys()
                if owned and not any(x is y for _, y, _ in seen):
                    seen.append((name, x, owned))
        seen.sort(key=lambda entry: -len(entry[2]))  # the whole model before a part that has a variable too
        models: list[tuple[str, Any, set[int]]] = []
        for entry in seen:
            if not any(entry[2] & others for _, _, others in models):
                models.append(entry)
        for name, module, _ in models:
            self.add_module(module, f"{name}." if len(models) > 1 else "")
        for name, x in {**frame.f_locals, **frame.f_globals}.items():
            if isinstance(x, TensorBase) and not name.startswith("_"):
                self.add(name, x)

    def tensor(self, x: Any) -> str | None:
        """The name of a tensor, if it has one."""
        found = self._tensors.get(id(x))
        return None if found is None else found[0]

    def is_parameter(self, x: Any) -> bool:
        """Whether it belongs to a module."""
        return id(x) in self._places

    def places(self, x: Any) -> tuple[Place, ...]:
        """The modules a parameter is in, the outermost first; the model itself is not among them."""
        return self._places.get(id(x), ())

    def node(self, node: Node) -> str | None:
        """The name of a result that a variable holds."""
        return self._nodes.get(node)

    def assigned(self, made: Sequence[tuple[Site | None, object, bool]]) -> list[str]:
        """The names of results from the code that made them; "" where there is none, or none is asked for.

        made: per result the place, the operation, and whether a name is asked for.

        Several operations at one place are one call of the user's: its result is that of the last one. A
        single one that runs several times in a row is a loop. A name that is assigned again is numbered.
        """
        wishes: list[str] = []
        for site, run in groupby(made, key=lambda one: one[0]):
            wish = "" if site is None else self._of_site(site)
            asked = [(operation, ask) for _, operation, ask in run]
            single = len({operation for operation, _ in asked}) == 1
            last = len(asked) - 1
            wishes += [wish if ask and (single or i == last) else "" for i, (_, ask) in enumerate(asked)]
        often = Counter(wishes)
        return [
            "" if not wish else self.free(wish) if often[wish] == 1 else self.fresh(wish) for wish in wishes
        ]

    def fresh(self, start: str) -> str:
        """The first of `x1`, `x2`, ... that is free."""
        while (name := f"{start}{next(self._counts[start])}") in self._taken:
            pass
        self._taken.add(name)
        return name

    def free(self, wish: str) -> str:
        """`wish`, or if it is taken with a number."""
        if wish in self._taken:
            return self.fresh(wish)
        self._taken.add(wish)
        return wish


def places(path: str, kinds: Mapping[str, str]) -> tuple[Place, ...]:
    """The modules on a path, the outermost first."""
    found = []
    parts = path.split(".") if path else []
    for n in range(1, len(parts) + 1):
        inner = ".".join(parts[:n])
        found.append(Place(inner, f"{inner} · {kinds[inner]}" if inner in kinds else inner, inner))
    return tuple(found)


def named(params: Any) -> Iterable[tuple[str, Any]]:
    """`params=` that is no module: names with tensors, as a dict or as pairs."""
    return _checked(params.items() if isinstance(params, Mapping) else params, params)


def _checked(pairs: Any, params: Any) -> Iterator[tuple[str, Any]]:
    try:
        found = [(name, x) for name, x in pairs]
    except (TypeError, ValueError):
        found = []
    wrong = any(not isinstance(name, str) or not isinstance(x, TensorBase) for name, x in found)
    if wrong or (not found and params not in ({}, [], ())):
        raise ArgumentError.of(
            "draw",
            given=f"params={type(params).__name__}",
            must="params gives names to leaves: a module, or tensors with their names",
            hint="params=model, or params={'w': w, 'b': b}",
        )
    yield from found


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost function on the stack that is not part of this package."""
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
        frame = frame.f_back
    return frame
