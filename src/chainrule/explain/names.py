"""The user's names for values: the variable that a result is assigned to, read from the code that runs.

A tensor does not know its name. The code does: the instruction after the one that made the value stores it,
or returns it to a caller who stores it. So `assigned` looks at bytecode, never at source text, and works
where there is no source: `python -c`, a notebook, a function made by `exec`. What came from outside is found
where the running functions hold it (`held_by`): in variables, in lists, in modules by path.

A name that is assigned again (`b = b * 2` in a loop) is numbered by `Namer`: b1, b2, b3; what has no name is
v1, v2, ... Nothing here knows of ops. Next: `recording.py`.
"""

from __future__ import annotations

import dis
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from ..core.errors import PACKAGE_DIR, Site
from ..nn.module import Module

RETURNED: Final = "return"  # no variable can be called that
_STORES: Final = ("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF")
_LOADS: Final = ("LOAD_FAST", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF")
_SILENT: Final = ("COPY", "NOP", "CACHE", "EXTENDED_ARG")  # before `a = b = x * y` and `(a := x * y)` store
_DEEPEST: Final = 2  # lists in lists and objects in objects are looked through so far


class _Code(NamedTuple):
    offsets: list[int]
    names: list[str]
    values: list[Any]
    ends: list[int]  # per instruction the offset at which its statement ends


@lru_cache(maxsize=1024)
def _read(code: CodeType) -> _Code:
    found = list(dis.get_instructions(code))
    ends: list[int] = []
    end = found[-1].offset if found else 0
    for at in reversed(found):
        if at.opname.startswith(("STORE_", "RETURN_", "POP_TOP", "POP_JUMP", "JUMP")):
            end = at.offset
        ends.append(end)
    return _Code(
        [at.offset for at in found], [at.opname for at in found], [at.argval for at in found], ends[::-1]
    )


def _index(code: _Code, instruction: int) -> int:
    """Which instruction of the list runs at `instruction` (it may point into the room behind one)."""
    low, high = 0, len(code.offsets)
    while high - low > 1:
        middle = (low + high) // 2
        if code.offsets[middle] <= instruction:
            low = middle
        else:
            high = middle
    return low


def assigned(site: Site) -> str:
    """The variable that gets what the instruction at `site` makes; RETURNED if it is returned; else "".

    >>> import sys
    >>> def here():
    ...     return sys._getframe(1).f_code, sys._getframe(1).f_lasti
    >>> place = here()
    >>> assigned(place)
    'place'
    """
    code = _read(site[0])
    i = _index(code, site[1]) + 1
    while i < len(code.names) and code.names[i] in _SILENT:
        i += 1
    if i >= len(code.names):
        return ""
    name, value = code.names[i], code.values[i]
    if name == "RETURN_VALUE":
        return RETURNED
    if name.startswith(_STORES):
        return str(value[0] if isinstance(value, tuple) else value)
    after = i + 1
    if name.startswith(_LOADS) and after < len(code.names) and code.names[after] == "STORE_ATTR":
        return str(code.values[after])
    return ""


def exact(site: Site) -> Site:
    """The site with the beginning of its instruction; Python may point into the middle of one it sped up."""
    code = _read(site[0])
    return site[0], code.offsets[_index(code, site[1])]


def statement(site: Site) -> int:
    """Where the statement ends that an instruction belongs to: the same for all of one expression."""
    code = _read(site[0])
    return code.ends[_index(code, site[1])]


class Caller(NamedTuple):
    """Where in the user's program something happens.

    name:  the variable that gets the result; RETURNED if it is what the explained function returns; or "".
    site:  the innermost place outside of this package; None if there is none.
    frame: a number for the call that is running there, the same for all places in one call.
    layers: modules that are being called, the outermost first.
    entry: the function of this package that the user called; None if none is running.
    """

    name: str
    site: Site | None
    frame: int
    layers: tuple[Module, ...]
    entry: FrameType | None


_CALL: Final = Module.__call__.__code__


def is_own(code: CodeType) -> bool:
    """Whether code belongs to this package."""
    return code.co_filename.startswith(PACKAGE_DIR)


def caller(stop: CodeType | None = None, start: FrameType | None = None) -> Caller:
    """Where the user's program is now, as seen from the function that asks; nothing above `stop` counts."""
    frame = start or inspect.currentframe()
    assert frame is not None
    inner: FrameType | None = None
    entry: FrameType | None = None
    name, following = "", True
    layers: list[Module] = []
    at: FrameType | None = frame
    while at is not None and at.f_code is not stop:
        code = at.f_code
        if code is _CALL:
            layers.append(at.f_locals["self"])
        elif not is_own(code):
            inner = inner or at
            if following:
                name = assigned((code, at.f_lasti))
                following = name == RETURNED
        elif inner is None:
            entry = at
        else:
            following = False  # what our own functions do with a result, is not known
        at = at.f_back
    if at is None and stop is not None:
        following = False
    if name == RETURNED and not following:
        name = ""
    site = None if inner is None else exact((inner.f_code, inner.f_lasti))
    return Caller(name, site, id(inner), tuple(reversed(layers)), entry)


def frames(stop: CodeType | None = None) -> Iterator[FrameType]:
    """The running functions of the user, the innermost first; after `stop` only if there is no stop."""
    at = inspect.currentframe()
    while at is not None and at.f_code is not stop:
        if not is_own(at.f_code):
            yield at
        at = at.f_back


def held_by(x: Any, where: Iterable[FrameType], *, shallow: bool = False) -> str:
    """What the user calls the object x: a variable, `params[0]`, `fc1.weight`; "" if nobody there holds it.

    shallow: only variables count.
    """
    seen: set[int] = set()
    for frame in where:
        for space in (frame.f_locals, frame.f_globals):
            if id(space) in seen:
                continue
            seen.add(id(space))
            found = _within(x, space, shallow)
            if found:
                return found
    return ""


def _within(x: Any, space: dict[str, Any], shallow: bool) -> str:
    for name, value in space.items():
        if value is x and name.isidentifier() and name != "_" and not name.startswith("__"):
            return name
    for name, value in () if shallow else space.items():
        if not name.startswith("_"):
            path = path_in(x, value, name)
            if path:
                return path
    return ""


def path_in(x: Any, value: Any, name: str, depth: int = 0) -> str:
    """How to get from `value`, called `name`, to x: a path in a module, a place in a list, an attribute."""
    if isinstance(value, Module):
        return path_in_module(x, value, name)
    if depth >= _DEEPEST:
        return ""
    if isinstance(value, list | tuple | dict) and len(value) <= 1000:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            path = f"{name}[{key!r}]"
            if item is x:
                return path
            if isinstance(item, Module | list | tuple | dict):
                found = path_in(x, item, path, depth + 1)
                if found:
                    return found
        return ""
    if name == "self" and hasattr(value, "__dict__"):
        for key, item in vars(value).items():
            if item is x:
                return str(key)
            if isinstance(item, Module | list | tuple | dict):
                found = path_in(x, item, key, depth + 1)
                if found:
                    return found
    return ""


def path_in_module(x: Any, module: Module, name: str = "") -> str:
    """The path of a parameter or buffer; the module's own name stands before it if it begins with a digit."""
    for kind in (module.named_parameters, module.named_buffers):
        for path, p in kind():
            if p is x:
                return f"{name}.{path}" if name and path[0].isdigit() else path
    return ""


def parameters(fn: Callable[..., Any], count: int) -> list[str]:
    """The names of the first `count` inputs of a function: its parameters; x[0], x[1], ... for *x."""
    call = fn.forward if isinstance(fn, Module) else fn
    try:
        found = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        found = []
    names: list[str] = []
    for p in found:
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            names.append(p.name)
        elif p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}[{i}]" for i in range(count - len(names))]
    names += [f"x{i + 1}" for i in range(len(names), count)]
    return names[:count]


def function_name(fn: Any) -> str:
    """What the result of a function is called, if nothing else is known: the function's name, or f."""
    name: str = getattr(fn, "__name__", type(fn).__name__.lower())
    return name if name.isidentifier() and name != "<lambda>" else "f"


class Namer:
    """Gives every value a name of its own, once all of them are known.

    >>> Namer(["x"]).names(["b", "", "b", "", "f"])
    ['b1', 'v1', 'b2', 'v2', 'f']
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def names(self, wishes: Sequence[str]) -> list[str]:
        """Per wish a name: itself where only one has it, else numbered; v1, v2, ... where there is none."""
        count = Counter(wishes)
        several = {wish for wish, n in count.items() if wish and (n > 1 or wish in self.taken)}
        single = {wish for wish, n in count.items() if wish and wish not in several}
        self.taken |= single
        forms = {wish: self._form(wish, count[wish]) for wish in sorted(several)}
        forms[""] = self._for_nameless(count[""])
        passed: Counter[str] = Counter()
        result = []
        for wish in wishes:
            passed[wish] += 1
            result.append(wish if wish in single else forms[wish].format(passed[wish]))
        self.taken.update(result)
        return result

    def _for_nameless(self, count: int) -> str:
        """v1, v2, ..., or another letter if the user has such names."""
        for letter in "vutsq":
            used = {letter, *(f"{letter}{i + 1}" for i in range(count))}
            if not used & self.taken:
                return letter + "{}"
        return self._form("v", count)

    def _form(self, wish: str, count: int) -> str:
        """A way to number a name that makes `count` names nobody has yet."""
        plain = wish.replace("{", "{{").replace("}", "}}")
        form = plain + ("_" if plain[-1].isdigit() else "") + "{}"
        while any(form.format(i + 1) in self.taken for i in range(count)):
            form = form[:-2] + "_{}"
        self.taken |= {form.format(i + 1) for i in range(count)}
        return form
