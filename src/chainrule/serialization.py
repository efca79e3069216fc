"""`save` and `load`: tensors, and structures of tensors and plain values, as safetensors files. Never code.

The tensors are stored as in any safetensors file, so other programs can read them. The structure around them
(dicts, lists, tuples, numbers, texts) is stored as JSON in the file's metadata. Loading a file makes tensors
and plain values and nothing else: whatever a file contains, it cannot run anything. That is why there is no
pickle here, and why modules are saved through their `state_dict()`. How files are replaced: `core/files.py`.
"""

from __future__ import annotations

import io
import json
import math
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .core.dtypes import FROM_NUMPY
from .core.errors import ArgumentError, DTypeError
from .core.files import atomic_write
from .creation import from_numpy
from .tensor import Tensor

_KEY = "chainrule"  # our entry in the metadata of the file
_VERSION = 1
_MAX_DEPTH = 100  # of containers in each other; JSON readers give up at some depth, too
_MAX_HEADER = 100_000_000  # bytes; readers of safetensors refuse more
_EXACT_IN_JSON = 1 << 53  # larger integers are written as text: many JSON readers would round them

_DTYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I8": np.dtype("i1"),
    "I16": np.dtype("<i2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_LONG_NAMES = {"BF16": "bfloat16", "U16": "uint16", "U32": "uint32", "U64": "uint64", "C64": "complex64"}

_MUST = "what is saved must be Tensors, numbers, strings, bools and None, in dicts, lists and tuples"

File = str | bytes | os.PathLike[str] | Any  # a path, or a binary file object


def save(obj: Any, f: File) -> None:
    """Write a Tensor, or a structure of Tensors and plain values, to a safetensors file.

    Args:    obj: a Tensor, str, int, float, bool or None, or a dict, OrderedDict, list or tuple of these, in
             each other up to 100 deep. Keys of dicts are str, int, float, bool or None.
             f: a path, or a binary file object. A file appears whole or not at all; one that was there
             before stays as it is when writing fails.
    Raises:  TypeError naming the place in obj of anything else, such as a module; OSError from the disk.

    Each tensor is written in full, with its dtype, shape and `requires_grad`: tensors that shared memory do
    not share it after loading. A dict with text keys and only tensors in it has these keys as the names of
    the tensors in the file; in nested structures, the names are joined with dots.

    >>> import chainrule as torch, io
    >>> file = io.BytesIO()
    >>> torch.save({"epoch": 3, "w": torch.tensor([1.0, 2.0])}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    {'epoch': 3, 'w': tensor([1., 2.])}
    """
    import safetensors.numpy  # loaded when first used

    writer = _Writer()
    structure = {"version": _VERSION, "object": writer.encode(obj, "obj", (), 0)}
    text = json.dumps(structure, allow_nan=False, separators=(",", ":"))
    if len(text) + 200 * len(writer.arrays) > _MAX_HEADER:
        raise ArgumentError.of(
            "save",
            given=f"{len(writer.arrays)} tensors and {len(text)} bytes of other values",
            must=f"everything but the tensors' elements must fit into {_MAX_HEADER} bytes",
            hint="long lists of numbers as a Tensor",
        )
    content = safetensors.numpy.save(writer.arrays, metadata={_KEY: text})
    if hasattr(f, "write"):
        _check_binary("save", f, "wb")
        f.write(content)
        return
    with atomic_write(_path("save", f)) as file:
        file.write(content)


def load(f: File, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save` has written, or the tensors of any safetensors file as a dict.

    Args:    f: a path, or a binary file object.
             map_location: None or 'cpu'; weights_only: True. Both are there for code that names them.
    Returns: a structure equal to the saved one; every tensor has memory of its own.
    Raises:  ValueError for a file that is damaged or not a safetensors file. Pickle files, such as PyTorch's
             .pt, are refused, because loading one runs the code in it. TypeError for an element type that
             there is no dtype for, such as bfloat16. OSError from the disk.

    >>> import chainrule as torch, io
    >>> file = io.BytesIO()
    >>> torch.save(torch.arange(3), file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    tensor([0, 1, 2])
    """
    import safetensors  # loaded when first used

    library: Any = safetensors  # whether its functions have types depends on its version
    _check_load_options(map_location, weights_only)
    if hasattr(f, "read"):
        _check_binary("load", f, "rb")
        content, name = f.read(), getattr(f, "name", "the file object")
    else:
        name = _path("load", f)
        with open(name, "rb") as file:
            content = file.read()
    header = _header(content, name)
    try:
        entries = dict(library.deserialize(content))
    except library.SafetensorError as err:
        _refuse_damaged(name, str(err).removeprefix("Error while deserializing: "))
    del content  # the entries hold a copy of the elements

    metadata = header.pop("__metadata__", None) or {}
    tensors = {key: _tensor(key, entries.pop(key), name) for key in header}
    if _KEY not in metadata:
        return tensors
    return _Reader(tensors, name).decode_file(metadata[_KEY])


class _Writer:
    """Takes the arrays out of a structure; what stays is JSON.

    Numbers, texts, True, False, None and lists stay what they are in JSON. Everything else becomes an object
    with one entry that names its kind: {"tensor": name}, {"dict": [[key, value], ...]}, {"tuple": [...]}, ...
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}

    def encode(self, x: Any, place: str, names: tuple[str, ...], depth: int) -> Any:
        if isinstance(x, Tensor):
            return self._encode_tensor(x, names)
        kind = type(x)
        if x is None or kind is bool or kind is str:
            return x
        if kind is int:
            return x if abs(x) < _EXACT_IN_JSON else {"int": hex(x)}
        if kind is float:
            return x if math.isfinite(x) else {"float": repr(x)}
        if kind not in (dict, OrderedDict, list, tuple):
            _refuse(x, place)
        if depth == _MAX_DEPTH:
            raise ArgumentError.of(
                "save",
                given=f"containers {_MAX_DEPTH} deep at {place[:60]}...",
                must="a structure must not contain itself, nor be deeper than that",
            )
        if kind is list or kind is tuple:
            items = [self.encode(v, f"{place}[{i}]", (*names, str(i)), depth + 1) for i, v in enumerate(x)]
            return items if kind is list else {"tuple": items}
        pairs = []
        for key, value in x.items():
            if not (key is None or type(key) in (str, int, float, bool)):
                raise ArgumentError.of(
                    "save",
                    given=f"a key of type {type(key).__name__} at {place}: {key!r}",
                    must="keys must be strings, numbers, bools or None",
                    hint="str(key)",
                )
            encoded_key = self.encode(key, place, names, depth)
            pairs.append(
                [encoded_key, self.encode(value, f"{place}[{key!r}]", (*names, str(key)), depth + 1)]
            )
        return {"dict" if kind is dict else "OrderedDict": pairs}

    def _encode_tensor(self, x: Tensor, names: tuple[str, ...]) -> dict[str, Any]:
        # Unicode that cannot be written, and the one name that the format keeps for itself, are changed:
        # names are labels for other programs, the structure says which tensor stands where.
        name = ".".join(names).encode("utf-8", "backslashreplace").decode() or "tensor"
        while name in self.arrays or name == "__metadata__":
            name += "_"
        array = x.detach().numpy()
        self.arrays[name] = np.asarray(array, order="C")  # not ascontiguousarray: it adds an axis to 0-d
        return {"tensor": name, "requires_grad": True} if x.requires_grad else {"tensor": name}


class _Reader:
    """Puts a structure together again. The text comes from a file, so nothing in it is taken for granted."""

    def __init__(self, tensors: dict[str, Tensor], name: str) -> None:
        self.tensors = tensors
        self.name = name
        self.unused = set(tensors)
        self.kinds: dict[str, Callable[[Any], Any]] = {
            "tuple": lambda items: tuple(map(self.decode, items)),
            "dict": lambda pairs: dict(map(self._pair, pairs)),
            "OrderedDict": lambda pairs: OrderedDict(map(self._pair, pairs)),
            "int": lambda text: int(text, 16),
            "float": float,
        }

    def decode_file(self, text: str) -> Any:
        try:
            structure = json.loads(text)
            version = structure["version"]
            if isinstance(version, int) and version > _VERSION:
                raise ArgumentError.of(
                    "load",
                    given=f"{self.name}, written by a newer version of chainrule (format {version})",
                    must=f"this version reads format {_VERSION}",
                    hint="a newer chainrule, or safetensors.numpy.load_file for the tensors alone",
                )
            result = self.decode(structure["object"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as err:  # RecursionError, too
            if isinstance(err, ArgumentError):
                raise
            _refuse_damaged(self.name, f"its structure cannot be read ({type(err).__name__}: {err})")
        if self.unused:
            _refuse_damaged(
                self.name, f"its structure does not mention the tensors {sorted(self.unused)[:5]}"
            )
        return result

    def decode(self, x: Any) -> Any:
        if isinstance(x, list):
            return [self.decode(item) for item in x]
        if not isinstance(x, dict):
            return x
        if "tensor" in x:
            self.unused.remove(x["tensor"])  # KeyError for one that is missing, or used twice
            tensor = self.tensors[x["tensor"]]
            return tensor.requires_grad_() if x.get("requires_grad") is True else tensor
        [(kind, value)] = x.items()
        return self.kinds[kind](value)

    def _pair(self, pair: list[Any]) -> tuple[Any, Any]:
        key, value = pair
        return self.decode(key), self.decode(value)


def _header(content: bytes, name: str) -> dict[str, Any]:
    """The JSON at the start: names, dtypes, shapes and places of the tensors."""
    size = int.from_bytes(content[:8], "little")
    if content[8:9] != b"{":
        _refuse_foreign(content, name)
    if 8 + size > len(content):
        _refuse_damaged(
            name, f"its header has {size} bytes, but only {len(content) - 8} are there: it was cut off"
        )
    try:
        header = json.loads(content[8 : 8 + size])
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        missing = int(8 + size + max(ends, default=0) - len(content))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as err:
        _refuse_damaged(name, f"its header cannot be read ({type(err).__name__}: {err})")
    if missing > 0:
        _refuse_damaged(name, f"the last {missing} bytes are missing: it was cut off")
    if missing < 0:
        _refuse_damaged(name, f"it has {-missing} bytes after the last tensor")
    return dict(header)


def _tensor(key: str, entry: dict[str, Any], name: str) -> Tensor:
    dtype = _DTYPES.get(entry["dtype"])
    if dtype is None:
        long_name = _LONG_NAMES.get(entry["dtype"], entry["dtype"])
        raise DTypeError.of(
            "load",
            given=f"tensor {key!r} of dtype {long_name} in {name}",
            must="supported are " + ", ".join(d.name for d in FROM_NUMPY.values()),
            hint="convert it where it was made, for instance to float32",
        )
    array = np.frombuffer(entry["data"], dtype).reshape(entry["shape"])
    return from_numpy(array.astype(dtype.newbyteorder("="), copy=not array.flags.writeable))


def _refuse(x: Any, place: str) -> NoReturn:
    kind = type(x)
    hint = "leave it out, or save its name or settings instead: code is never saved"
    if hasattr(x, "state_dict"):
        hint = f"save({place}.state_dict(), ...), and load_state_dict after loading"
    elif isinstance(x, np.ndarray):
        hint = f"torch.from_numpy({place})"
    elif isinstance(x, np.generic):
        hint = f"{place}.item()"
    elif isinstance(x, os.PathLike):
        hint = f"str({place})"
    elif isinstance(x, set | frozenset):
        hint = f"sorted({place})"
    else:
        for plain in (dict, list, tuple, str, int, float):
            if isinstance(x, plain):
                hint = f"{plain.__name__}({place})"
                break
    raise ArgumentError.of(
        "save", given=f"an object of type {kind.__name__} at {place}", must=_MUST, hint=hint
    )


def _refuse_foreign(content: bytes, name: str) -> NoReturn:
    because = "loading a pickle could run any code that someone put into it"
    convert = "in PyTorch, safetensors.torch.save_file(state_dict, path); then load that file"
    if not content:
        given, must, hint = "which is empty", "a safetensors file has at least a header", ""
    elif content.startswith(b"PK\x03\x04") and b".npy" in content[:200]:
        given, must, hint = "a NumPy .npz file", "it must be a safetensors file", "numpy.load(path)"
    elif content.startswith(b"PK\x03\x04") and b"data.pkl" in content:
        given, must, hint = "a zip file with a pickle in it, as PyTorch's .pt files are", because, convert
    elif content[:1] == b"\x80" and content[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        given, must, hint = "a pickle file", because, convert
    elif content.startswith(b"\x93NUMPY"):
        given, must, hint = "a NumPy .npy file", "it must be a safetensors file", "numpy.load(path)"
    else:
        given, must, hint = f"which begins with {content[:12]!r}", "it must be a safetensors file", ""
    raise ArgumentError.of("load", given=f"{name}, {given}", must=must, hint=hint)


def _refuse_damaged(name: str, why: str) -> NoReturn:
    raise ArgumentError.of(
        "load", given=f"{name}, a damaged safetensors file", must=why, hint="save it anew, or use a copy"
    )


def _check_load_options(map_location: Any, weights_only: bool) -> None:
    if map_location is not None and str(map_location) != "cpu":
        raise ArgumentError.of(
            "load", given=f"map_location={map_location!r}", must="tensors are on the CPU", hint="'cpu'"
        )
    if not weights_only:
        raise ArgumentError.of(
            "load",
            given="weights_only=False",
            must="files contain tensors and plain values only; code is never loaded",
            hint="leave out weights_only",
        )


def _check_binary(op: str, f: Any, mode: str) -> None:
    if isinstance(f, io.TextIOBase):
        raise ArgumentError.of(
            op,
            given="a file that was opened as text",
            must="the file must be binary",
            hint=f"open(path, {mode!r})",
        )


def _path(op: str, f: Any) -> str:
    try:
        return os.fsdecode(f)
    except TypeError:
        hint = "save(obj, path)" if op == "save" and isinstance(f, Tensor | dict) else ""
        raise ArgumentError.of(
            op,
            given=f"a {type(f).__name__} as the file",
            must="it must be a path or a binary file object",
            hint=hint,
        ) from None
