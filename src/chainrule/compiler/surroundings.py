"""What a function can reach without its arguments: variables outside of it, `self`, modules, optimizers.

`Surroundings` walks from the function through closures, the global names that its code mentions, containers
and attributes. It answers three questions: where a captured tensor was found (so that a later call can see
whether another one stands there now), which modules and optimizers are in reach, and what Python held before
a trace, so that a trace that fails can be undone. Next: `guards.py`.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..base import TensorBase
from ..core.errors import PACKAGE_DIR
from ..nn.module import Module
from ..nn.registry import Registry
from ..optim.optimizer import Optimizer

PLAIN = (bool, int, float, complex, str, bytes, type(None))
LIMIT = 50_000  # objects looked at; what is beyond is not guarded, and the walk stays short
LONG = 2_000  # elements; longer lists are data, not state
MISSING: Any = object()  # what `Link.now` gives where nothing stands any more


class Link:
    """One place where something was found.

    kind:    "cell" (holder.cell_contents), "item" (holder[key], holder a dict or list) or "attribute".
    label:   the place in the user's words.
    parent:  the place of what the holder belongs to; None at the function itself.
    module:  whether the holder belongs to a module, which notes its own changes.
    """

    __slots__ = ("holder", "key", "kind", "label", "module", "parent", "value")

    def __init__(
        self,
        kind: str,
        holder: Any,
        key: Any,
        value: Any,
        label: str,
        parent: Link | None,
        module: bool = False,
    ) -> None:
        self.kind, self.holder, self.key, self.value = kind, holder, key, value
        self.label, self.parent, self.module = label, parent, module

    def now(self) -> Any:
        """What stands there now; `MISSING` if nothing does."""
        try:
            if self.kind == "cell":
                return self.holder.cell_contents
            if self.kind == "attribute":
                return getattr(self.holder, self.key)
            return (
                self.holder[self.key]
                if type(self.holder) is list
                else dict.get(self.holder, self.key, MISSING)
            )
        except (ValueError, IndexError, AttributeError):
            return MISSING


class Surroundings:
    """See the file's docstring.

    places:      id of a tensor -> the links that lead to it.
    plain:       links to numbers, strings and None that the function's code mentions.
    functions:   links to Python functions, and to modules and optimizers themselves.
    modules, optimizers: what was met, in order.
    containers:  (list or dict, what kind of owner it has), for `Snapshot`.
    names:       names that the code of the functions and methods met mentions.
    """

    def __init__(self, function: Callable[..., Any], objects: Iterable[tuple[Any, str]]) -> None:
        self.places: dict[int, list[Link]] = {}
        self.plain: list[Link] = []
        self.known: list[Link] = []
        self.modules: list[Module] = []
        self.optimizers: list[Optimizer] = []
        self.registries: list[Link] = []  # dicts of parameters, buffers and submodules
        self.containers: list[Any] = []
        self.cells: list[Any] = []
        self.globals: list[tuple[dict[str, Any], str]] = []
        self.names: set[str] = set()
        self._called: set[str] = {"forward", "__call__"}  # names that the code of functions met mentions
        self._methods: dict[str, list[tuple[Any, str, Link | None]]] = {}  # of classes met, by name
        self._classes: set[type] = set()
        self._attributes: list[Link] = []
        self._items: list[Link] = []  # plain values in dicts
        self._texts: set[str] = set()  # text that the code holds, such as keys of dicts
        self._seen: dict[int, Any] = {}  # also keeps what was seen, so that no number is used twice
        self._queue: list[tuple[Any, str, Link | None]] = [
            (function, "model" if isinstance(function, Module) else "", None)
        ]
        self._queue += [(x, label, None) for x, label in objects]
        while (self._queue or self._methods_called()) and len(self._seen) < LIMIT:
            self._visit(*self._queue.pop(0))
        self.plain += [link for link in self._attributes if link.key in self.names]
        self.plain += [link for link in self._items if link.key in self._texts]

    def reaches(self, x: Any) -> bool:
        """Whether a tensor is in reach."""
        return id(x) in self.places

    def tensors(self) -> Iterator[Any]:
        """All tensors in reach."""
        return (x for x in self._seen.values() if isinstance(x, TensorBase))

    # -- the walk -------------------------------------------------------------------------------------------

    def _methods_called(self) -> bool:
        """Go on with methods of the user's classes whose names the code so far mentions."""
        for name in self._called & self._methods.keys():
            self._queue += self._methods.pop(name)
        return bool(self._queue)

    def _visit(self, x: Any, label: str, link: Link | None) -> None:
        if id(x) in self._seen:
            return
        self._seen[id(x)] = x
        inside = getattr(type(x), "_inside", None)
        if inside is not None:  # something compiled stands for what it was made of
            self._queue.append((inside(x), label, link))
            return
        if isinstance(x, types.FunctionType):
            if not _foreign(x):
                self._function(x, label, link)
        elif isinstance(x, types.MethodType):
            self._queue += [(x.__self__, label or "self", link), (x.__func__, label, link)]
        elif isinstance(x, functools.partial):
            self._queue += [(x.func, label, link), (x.args, label, link), (x.keywords, label, link)]
        elif isinstance(x, Module):
            self._module(x, label, link)
        elif isinstance(x, Optimizer):
            self.optimizers.append(x)
            self._mention(type(x))
            self._dict(vars(x), label, link, attributes=True)
        elif isinstance(x, list | tuple | dict):
            self._container(x, label, link)
        elif not isinstance(x, type):
            self._object(x, label, link)

    def _link(
        self, kind: str, holder: Any, key: Any, value: Any, label: str, parent: Link | None, module: bool
    ) -> None:
        """Note where something stands, and go on from it."""
        link = Link(kind, holder, key, value, label, parent, module)
        if isinstance(value, TensorBase):
            self.places.setdefault(id(value), []).append(link)
            self._seen.setdefault(id(value), value)
            return
        if isinstance(value, PLAIN):
            (self._attributes if isinstance(key, str) and parent is not None else self.plain).append(link)
            return
        if isinstance(value, types.ModuleType | type | types.BuiltinFunctionType):
            return
        self.known.append(link)
        self._queue.append((value, label, link))

    def _function(self, f: types.FunctionType, label: str, parent: Link | None) -> None:
        codes = list(_codes(f.__code__))
        for code in codes:
            self.names.update(code.co_names)
            self._called.update(code.co_names)
            self._texts.update(x for x in code.co_consts if isinstance(x, str))
        cells = f.__closure__ or ()
        for name, cell in zip(f.__code__.co_freevars, cells, strict=True):
            self.cells.append(cell)
            try:
                value = cell.cell_contents
            except ValueError:  # assigned later
                continue
            self._link("cell", cell, None, value, name, parent, False)
        own = f.__globals__
        for name in sorted(set().union(*map(_globals_of, codes))):
            if name in own:
                self.globals.append((own, name))
                value = own[name]
                if isinstance(value, types.ModuleType):
                    self._python_module(value, name, parent, codes)
                else:
                    self._link("item", own, name, value, name, parent, False)
        for value in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            if isinstance(value, TensorBase):
                self._seen.setdefault(id(value), value)
                self.places.setdefault(id(value), [])
            else:
                self._queue.append((value, f"a default of {f.__name__}", parent))

    def _python_module(self, m: types.ModuleType, label: str, parent: Link | None, codes: list[Any]) -> None:
        """A module of the user's own: the names in it that the code mentions are its global variables too."""
        if _library(m.__name__):
            return
        own = vars(m)
        for name in sorted({name for code in codes for name in code.co_names}):
            if name in own and not isinstance(own[name], types.ModuleType):
                self._link("item", own, name, own[name], f"{label}.{name}", parent, False)

    def _module(self, m: Module, label: str, link: Link | None) -> None:
        self.modules.append(m)
        self._mention(type(m))
        own = vars(m)
        self.containers.append(own)
        self._of_class(m, label, link)
        for registry in ("_parameters", "_buffers", "_modules"):
            part = own[registry]
            self.containers.append(part)
            self.registries.append(Link("item", own, registry, part, label or "the module", link, True))
            for name, value in part.items():
                self._link("item", part, name, value, _dotted(label, name), link, True)
        for name, value in own.items():
            if name in ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"):
                continue
            if isinstance(value, PLAIN):
                if name != "training":  # guarded for each module
                    self._attributes.append(Link("item", own, name, value, _dotted(label, name), link, True))
            else:
                self._link("item", own, name, value, _dotted(label, name), link, True)

    def _container(self, x: Any, label: str, link: Link | None) -> None:
        if len(x) > LONG:
            return
        if not isinstance(x, tuple):
            self.containers.append(x)
        if isinstance(x, dict):
            self._dict(x, label, link, attributes=False)
            return
        for i, value in enumerate(x):
            if isinstance(value, PLAIN):
                continue
            if isinstance(x, list):
                self._link("item", x, i, value, f"{label}[{i}]", link, False)
            elif isinstance(value, TensorBase):  # a tuple cannot change
                self._seen.setdefault(id(value), value)
                self.places.setdefault(id(value), [])
                if link is not None:
                    self.places[id(value)].append(link)
            else:
                self._queue.append((value, f"{label}[{i}]", link))

    def _dict(self, x: dict[Any, Any], label: str, link: Link | None, attributes: bool) -> None:
        if attributes:
            self.containers.append(x)
        for key, value in list(x.items()):
            if attributes:
                name = _dotted(label, "param_groups" if key == "_groups" else str(key))
            else:
                name = f"{label}[{key!r}]" if isinstance(key, PLAIN) else f"{label}[...]"
            if isinstance(value, PLAIN):
                kept = self._attributes if attributes else self._items
                if isinstance(key, str):
                    kept.append(Link("item", x, key, value, name, link))
                continue
            self._link("item", x, key, value, name, link, False)

    def _object(self, x: Any, label: str, link: Link | None) -> None:
        home = type(x).__module__
        if _library(home) and home.partition(".")[0] not in ("chainrule", "types", "argparse"):  # namespaces
            return
        self._mention(type(x))
        own = getattr(x, "__dict__", None)
        if isinstance(own, dict):
            self._dict(own, label, link, attributes=True)
        self._of_class(x, label, link)

    def _of_class(self, x: Any, label: str, link: Link | None) -> None:
        """What a class of the user's gives its objects: slots, and attributes of the class itself."""
        for cls in type(x).__mro__:
            if _library(cls.__module__):
                continue
            first = cls not in self._classes
            self._classes.add(cls)
            for name, value in list(vars(cls).items()):
                f = getattr(value, "__func__", value)
                f = f.fget if isinstance(f, property) else f
                if isinstance(f, types.FunctionType):
                    if first:
                        self._methods.setdefault(name, []).append((f, label, link))
                elif isinstance(value, types.MemberDescriptorType):  # of __slots__
                    if hasattr(x, name):
                        self._attribute(x, name, getattr(x, name), label, link)
                elif isinstance(value, (TensorBase, *PLAIN)) and not name.startswith("__"):
                    self._attribute(cls, name, value, label, link)

    def _attribute(self, holder: Any, name: str, value: Any, label: str, link: Link | None) -> None:
        label = _dotted(label, name)
        if isinstance(value, PLAIN):
            self._attributes.append(Link("attribute", holder, name, value, label, link))
        else:
            self._link("attribute", holder, name, value, label, link, False)

    def _mention(self, kind: type) -> None:
        """Take in the names that the methods of a class mention."""
        self.names |= _names_of_class(kind)


@functools.cache
def _names_of_class(kind: type) -> frozenset[str]:
    """Names that the methods of a class mention; what only `__init__` sets is read by none of them."""
    names: set[str] = set()
    for cls in kind.__mro__:
        for name, member in vars(cls).items() if cls not in _BASES else ():
            f = getattr(member, "__func__", member)
            f = f.fget if isinstance(f, property) else f
            if isinstance(f, types.FunctionType) and name not in ("__init__", "__repr__", "extra_repr"):
                for code in _codes(f.__code__):
                    names.update(code.co_names)
    return frozenset(names)


_BASES = (Module, Registry, Optimizer, object)  # what these read of an object is no number of the user's


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _codes(part)


@functools.cache
def _globals_of(code: types.CodeType) -> frozenset[str]:
    """The global names that code reads or sets; `co_names` has those of attributes too."""
    return frozenset(i.argval for i in dis.get_instructions(code) if i.opname.endswith(("_GLOBAL", "_NAME")))


def _foreign(f: types.FunctionType) -> bool:
    return f.__code__.co_filename.startswith(PACKAGE_DIR) or _library(f.__module__ or "")


def _library(name: str) -> bool:
    """Whether a module belongs to Python, this package or a well-known one: it has no state of the user's."""
    root = name.partition(".")[0]
    return root in _LIBRARIES or (root in sys.stdlib_module_names and root != "__main__")


_LIBRARIES = (
    "chainrule", "numpy", "scipy", "pandas", "pyarrow", "matplotlib", "sklearn", "PIL", "rich", "pytest",
    "_pytest", "torch", "jax", "tqdm",
)  # fmt: skip


def _dotted(label: str, name: str) -> str:
    if name.isidentifier():
        return f"{label}.{name}" if label else name
    return f"{label}[{name}]" if label else name


class Snapshot:
    """What lists, dicts and variables in reach held, to be put back if a trace fails."""

    def __init__(self, around: Surroundings) -> None:
        self._containers = [(x, x.copy()) for x in around.containers]
        self._cells = [(cell, _contents(cell)) for cell in around.cells]
        self._globals = [(own, name, own[name]) for own, name in around.globals if name in own]

    def grew(self) -> bool:
        """Whether a dict or an attribute has something where nothing was: state that is made when needed."""
        return any(
            isinstance(x, dict) and any(x[k] is not None and before.get(k) is None for k in x)
            for x, before in self._containers
        )

    def restore(self) -> None:
        """Put everything back as it was."""
        for x, before in self._containers:
            if isinstance(x, list):
                if len(x) != len(before) or any(y is not z for y, z in zip(x, before, strict=True)):
                    x[:] = before
            elif list(x) != list(before) or any(x[k] is not before[k] for k in before):
                x.clear()
                x.update(before)
        for cell, value in self._cells:
            if _contents(cell) is not value:
                if value is MISSING:
                    del cell.cell_contents
                else:
                    cell.cell_contents = value
        for own, name, value in self._globals:
            if own.get(name) is not value:
                own[name] = value


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
