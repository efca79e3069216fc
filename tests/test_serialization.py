"""`save` and `load`: exact round trips, whole files or none, and refusals that say what to do."""

from __future__ import annotations

import builtins
import copy
import errno
import io
import json
import os
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import chainrule as torch
from chainrule import nn
from chainrule.core.errors import ArgumentError, ChainruleError, DTypeError, GradError

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


def round_trip(obj):
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return torch.load(file)


def assert_same(a, b):
    """Equal in everything: types, order of keys, dtypes, shapes, bits, and whether gradients are wanted."""
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert (a.dtype, tuple(a.shape), a.requires_grad) == (b.dtype, tuple(b.shape), b.requires_grad)
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()
        assert b.is_leaf
    elif isinstance(a, dict):
        assert list(a) == list(b)
        assert [type(key) for key in a] == [type(key) for key in b]
        for x, y in zip(a.values(), b.values(), strict=True):
            assert_same(x, y)
    elif isinstance(a, list | tuple):
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert repr(a) == repr(b)


class TestRoundTrip:
    @pytest.mark.parametrize("name", DTYPES)
    @pytest.mark.parametrize("shape", [(), (1,), (3,), (0,), (2, 0, 3), (2, 3, 4)])
    def test_every_dtype_and_shape(self, name, shape):
        values = np.random.default_rng(0).integers(0, 2, shape) * 3
        assert_same(x := torch.from_numpy(np.asarray(values, name)), round_trip(x))

    def test_every_bit_of_special_floats(self):
        values = [0.0, -0.0, float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308]
        assert_same(x := torch.tensor(values, dtype=torch.float64), round_trip(x))
        nan = torch.from_numpy(np.array([0x7FF8000000000123], np.uint64).view(np.float64))
        assert_same(nan, round_trip(nan))

    @pytest.mark.parametrize(
        "view",
        [
            lambda x: x.T,
            lambda x: x[::2],
            lambda x: x[:, 1],
            lambda x: x[1:2].expand(5, 4),
            lambda x: x[2, 3],
        ],
    )
    def test_views_are_written_as_what_they_show(self, view):
        x = view(torch.arange(16.0).reshape(4, 4))
        y = round_trip(x)
        assert y.tolist() == x.tolist()
        assert y.is_contiguous()

    def test_requires_grad(self):
        leaf = torch.ones(2, requires_grad=True)
        assert_same({"a": leaf, "b": leaf.detach()}, round_trip({"a": leaf, "b": leaf.detach()}))
        computed = round_trip(leaf * 2)
        assert computed.requires_grad
        assert computed.is_leaf

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            False,
            0,
            -1,
            2**53 - 1,
            2**53,
            -(2**63),
            2**70,
            0.1,
            -0.0,
            1e-300,
            float("inf"),
            float("nan"),
            "",
            "text",
            'é 漢 \x00 " \\ \ud800',
            [],
            (),
            {},
            OrderedDict(),
            [[], (), [()]],
            {"a": {"b": {"c": (1, [2, {"d": None}])}}},
            {0: "int", 1.5: "float", None: "none", "0": "str", "": "empty"},
            {False: 0},
            {float("inf"): 1, 2**70: 2},
            OrderedDict([("b", 1), ("a", 2)]),
            {"tensor": "x"},
            [{"dict": []}, {"int": "0x1"}],
        ],
        ids=lambda value: repr(value)[:30],
    )
    def test_plain_values(self, value):
        assert_same(value, round_trip(value))

    def test_a_number_too_long_for_decimal_digits(self):
        assert round_trip(-(1 << 20000)) == -(1 << 20000)

    def test_tensors_anywhere_in_a_structure(self):
        x = torch.arange(3)
        obj = {
            "a": [x, (x + 1, 2)],
            "a.0": x + 2,
            "a.1.0": x + 3,
            1: x + 4,
            "1": x + 5,
            "__metadata__": x + 6,
            "": x + 7,
            "\ud800": x + 8,
            "tensor": OrderedDict(w=x + 9),
        }
        assert_same(obj, round_trip(obj))

    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    arrays = st.builds(
        lambda name, shape: torch.from_numpy(np.ones(shape, name)),
        st.sampled_from(DTYPES),
        st.lists(st.integers(0, 3), max_size=3).map(tuple),
    )
    structures = st.recursive(
        plain | arrays,
        lambda inner: (
            st.lists(inner)
            | st.lists(inner).map(tuple)
            | st.dictionaries(st.text() | st.integers() | st.booleans() | st.none(), inner)
            | st.dictionaries(st.text(), inner).map(OrderedDict)
        ),
        max_leaves=20,
    )

    @given(structures)
    def test_any_structure(self, obj):
        assert_same(obj, round_trip(obj))

    def test_every_loaded_tensor_has_memory_of_its_own(self):
        x = torch.zeros(4)
        loaded = round_trip({"x": x, "same": x, "view": x[:2]})
        loaded["x"] += 1
        assert loaded["same"].tolist() == [0.0] * 4
        assert loaded["view"].tolist() == [0.0] * 2

    def test_the_saved_object_is_not_changed(self):
        x, numbers = torch.arange(6.0).reshape(2, 3).T, [1, (2,)]
        obj = {"x": x, "numbers": numbers}
        round_trip(obj)
        assert list(obj) == ["x", "numbers"]
        assert obj["x"] is x
        assert obj["numbers"] is numbers
        assert (x.tolist(), numbers) == ([[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]], [1, (2,)])

    def test_a_parameter_comes_back_as_a_tensor_that_wants_a_gradient(self):
        loaded = round_trip(nn.Parameter(torch.ones(2)))
        assert type(loaded) is torch.Tensor
        assert loaded.requires_grad


class TestTraining:
    def test_a_model_and_its_optimizer_go_on_from_a_file(self, tmp_path):
        def model_and_optimizer(seed):
            torch.manual_seed(seed)
            model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
            return model, torch.optim.Adam(model.parameters(), lr=0.1, betas=(0.5, 0.9))

        def train(model, optimizer, steps):
            x = torch.arange(12.0).reshape(4, 3) / 12
            for _ in range(steps):
                optimizer.zero_grad()
                (model(x) - 1).square().sum().backward()
                optimizer.step()

        whole, optimizer = model_and_optimizer(0)
        train(whole, optimizer, 5)

        model, optimizer = model_and_optimizer(0)
        train(model, optimizer, 2)
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [100, 200])
        states = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "epoch": 2,
        }
        torch.save(states, tmp_path / "run")

        loaded = torch.load(tmp_path / "run")
        assert loaded["epoch"] == 2
        assert loaded["optimizer"]["param_groups"][0]["betas"] == (0.5, 0.9)
        assert list(loaded["optimizer"]["state"]) == [0, 1, 2, 3]
        model, optimizer = model_and_optimizer(1)
        model.load_state_dict(loaded["model"])
        optimizer.load_state_dict(loaded["optimizer"])
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [5])
        schedule.load_state_dict(loaded["schedule"])
        assert schedule.milestones == Counter([100, 200])
        train(model, optimizer, 3)
        assert [p.tolist() for p in model.parameters()] == [p.tolist() for p in whole.parameters()]


class TestFiles:
    def test_other_programs_read_the_tensors_of_a_state_dict(self, tmp_path):
        model = nn.Linear(3, 2)
        torch.save(model.state_dict(), tmp_path / "model.safetensors")
        arrays = safetensors.numpy.load_file(tmp_path / "model.safetensors")
        assert sorted(arrays) == ["bias", "weight"]
        assert arrays["weight"].tolist() == model.weight.tolist()

    def test_in_nested_structures_names_are_joined(self, tmp_path):
        torch.save({"model": {"fc.weight": torch.ones(1)}, "loss": [torch.zeros(2)]}, tmp_path / "a")
        assert sorted(safetensors.numpy.load_file(tmp_path / "a")) == ["loss.0", "model.fc.weight"]

    def test_files_of_other_programs_are_read_as_a_dict(self, tmp_path):
        arrays = {"b": np.arange(3, dtype=np.int8), "a": np.array(2.5)}
        safetensors.numpy.save_file(arrays, tmp_path / "a", metadata={"format": "np"})
        loaded = torch.load(tmp_path / "a")
        assert {name: (t.dtype, t.tolist()) for name, t in loaded.items()} == {
            "a": (torch.float64, 2.5),
            "b": (torch.int8, [0, 1, 2]),
        }
        loaded["b"] += 1  # its memory can be written

    @pytest.mark.parametrize("kind", [str, Path, os.fsencode])
    def test_paths(self, tmp_path, kind):
        path = kind(tmp_path / "x-file")
        torch.save(torch.arange(2), path)
        assert torch.load(path).tolist() == [0, 1]

    def test_file_objects(self, tmp_path):
        with open(tmp_path / "a", "wb") as file:
            torch.save([torch.arange(2), 3], file)
        with open(tmp_path / "a", "rb") as file:
            assert torch.load(file)[0].tolist() == [0, 1]

    def test_the_options_of_other_programs(self, tmp_path):
        torch.save(1, tmp_path / "a")
        assert torch.load(tmp_path / "a", map_location="cpu", weights_only=True) == 1


class TestInterruptions:
    """A file that was there stays as it is, and nothing else is left in the folder."""

    @pytest.fixture
    def path(self, tmp_path):
        torch.save({"version": 1}, tmp_path / "a")
        return tmp_path / "a"

    def check(self, path):
        assert torch.load(path) == {"version": 1}
        assert os.listdir(path.parent) == ["a"]

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
    def test_while_the_bytes_are_written(self, path, monkeypatch, error):
        class Full(io.FileIO):
            def write(self, data):
                super().write(data[:10])
                raise error

        monkeypatch.setattr(builtins, "open", lambda name, mode: Full(name, mode))
        with pytest.raises(type(error)):
            torch.save({"version": 2, "w": torch.ones(1000)}, path)
        monkeypatch.undo()
        self.check(path)

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_at_the_end(self, path, monkeypatch, step):
        def full(*_args):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, step, full)
        with pytest.raises(OSError, match="No space left on device"):
            torch.save({"version": 2}, path)
        monkeypatch.undo()
        self.check(path)

    def test_when_something_cannot_be_saved(self, path):
        with pytest.raises(ArgumentError):
            torch.save({"version": 2, "model": object()}, path)
        self.check(path)


Named = namedtuple("Named", "x")
MUST = (
    "\n  what is saved must be Tensors, numbers, strings, bools and None, in dicts, lists and tuples\n  try: "
)


class TestRefusedObjects:
    @pytest.mark.parametrize(
        ("make", "what", "hint"),
        [
            (
                lambda: nn.Linear(2, 2),
                "an object of type Linear at obj",
                "save(obj.state_dict(), ...), and load_state_dict after loading",
            ),
            (
                lambda: {"epoch": 1, "model": nn.Linear(2, 2)},
                "an object of type Linear at obj['model']",
                "save(obj['model'].state_dict(), ...), and load_state_dict after loading",
            ),
            (
                lambda: {"steps": [1, (2, lambda x: x)]},
                "an object of type function at obj['steps'][1][1]",
                "leave it out, or save its name or settings instead: code is never saved",
            ),
            (lambda: [np.zeros(2)], "an object of type ndarray at obj[0]", "torch.from_numpy(obj[0])"),
            (
                lambda: {"loss": np.float64(2)},
                "an object of type float64 at obj['loss']",
                "obj['loss'].item()",
            ),
            (lambda: {3: {1, 2}}, "an object of type set at obj[3]", "sorted(obj[3])"),
            (lambda: [Path("a")], f"an object of type {type(Path()).__name__} at obj[0]", "str(obj[0])"),
            (lambda: defaultdict(list), "an object of type defaultdict at obj", "dict(obj)"),
            (lambda: [Counter("a")], "an object of type Counter at obj[0]", "dict(obj[0])"),
            (lambda: Named(1), "an object of type Named at obj", "tuple(obj)"),
            (lambda: torch.zeros(2).shape, "an object of type Size at obj", "tuple(obj)"),
            (
                lambda: [torch.float32],
                "an object of type dtype at obj[0]",
                "leave it out, or save its name or settings instead: code is never saved",
            ),
        ],
    )
    def test_the_place_and_a_way_out_are_named(self, make, what, hint):
        with pytest.raises(ArgumentError) as info:
            torch.save(make(), io.BytesIO())
        assert info.value.summary == f"save got {what}{MUST}{hint}"

    def test_a_key(self):
        with pytest.raises(ArgumentError) as info:
            torch.save([{(1, 2): 3}], io.BytesIO())
        assert info.value.summary == (
            "save got a key of type tuple at obj[0]: (1, 2)\n"
            "  keys must be strings, numbers, bools or None\n"
            "  try: str(key)"
        )

    def test_a_structure_that_contains_itself(self):
        loop: list = []
        loop.append(loop)
        with pytest.raises(ArgumentError) as info:
            torch.save(loop, io.BytesIO())
        assert info.value.summary == (
            f"save got containers 100 deep at obj{'[0]' * 19}...\n"
            "  a structure must not contain itself, nor be deeper than that"
        )

    def test_one_hundred_deep_is_fine(self):
        deep: list = []
        for _ in range(99):
            deep = [deep]
        assert round_trip(deep) == deep

    def test_too_many_plain_values(self, monkeypatch):
        monkeypatch.setattr("chainrule.serialization._MAX_HEADER", 1000)
        with pytest.raises(ArgumentError) as info:
            torch.save(["0123456789"] * 100, io.BytesIO())
        assert info.value.summary == (
            "save got 0 tensors and 1324 bytes of other values\n"
            "  everything but the tensors' elements must fit into 1000 bytes\n"
            "  try: long lists of numbers as a Tensor"
        )

    def test_a_text_file(self, tmp_path):
        with open(tmp_path / "a", "w") as file, pytest.raises(ArgumentError) as info:
            torch.save(1, file)
        assert info.value.summary == (
            "save got a file that was opened as text\n  the file must be binary\n  try: open(path, 'wb')"
        )
        with open(tmp_path / "a") as file, pytest.raises(ArgumentError) as info:
            torch.load(file)
        assert info.value.summary == (
            "load got a file that was opened as text\n  the file must be binary\n  try: open(path, 'rb')"
        )

    def test_arguments_in_the_wrong_order(self, tmp_path):
        with pytest.raises(ArgumentError) as info:
            torch.save(str(tmp_path / "a"), {"x": torch.ones(1)})
        assert info.value.summary == (
            "save got a dict as the file\n  it must be a path or a binary file object\n  try: save(obj, path)"
        )


def with_header(header: dict, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def good_file() -> bytes:
    file = io.BytesIO()
    torch.save({"w": torch.ones(4), "n": 3}, file)
    return file.getvalue()


def zip_file(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"content")
    return file.getvalue()


def npy_file(write, **arrays) -> bytes:
    file = io.BytesIO()
    write(file, *([] if arrays else [np.ones(2)]), **arrays)
    return file.getvalue()


PICKLE = "loading a pickle could run any code that someone put into it"
CONVERT = "\n  try: in PyTorch, safetensors.torch.save_file(state_dict, path); then load that file"
DAMAGED = "load got PATH, a damaged safetensors file\n  "
ANEW = "\n  try: save it anew, or use a copy"


class TestRefusedFiles:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (lambda: b"", "load got PATH, which is empty\n  a safetensors file has at least a header"),
            (
                lambda: b"hello world, this is text",
                "load got PATH, which begins with b'hello world,'\n  it must be a safetensors file",
            ),
            (lambda: pickle.dumps({"a": 1}), f"load got PATH, a pickle file\n  {PICKLE}{CONVERT}"),
            (lambda: pickle.dumps([1], protocol=2), f"load got PATH, a pickle file\n  {PICKLE}{CONVERT}"),
            (
                lambda: zip_file("archive/data.pkl"),
                "load got PATH, a zip file with a pickle in it, as PyTorch's .pt files are"
                f"\n  {PICKLE}{CONVERT}",
            ),
            (
                lambda: npy_file(np.savez, a=np.ones(2)),
                "load got PATH, a NumPy .npz file\n  it must be a safetensors file\n  try: numpy.load(path)",
            ),
            (
                lambda: npy_file(np.save),
                "load got PATH, a NumPy .npy file\n  it must be a safetensors file\n  try: numpy.load(path)",
            ),
            (lambda: good_file()[:-3], f"{DAMAGED}the last 3 bytes are missing: it was cut off{ANEW}"),
            (
                lambda: good_file()[:30],
                f"{DAMAGED}its header has 168 bytes, but only 22 are there: it was cut off{ANEW}",
            ),
            (lambda: good_file() + b"xy", f"{DAMAGED}it has 2 bytes after the last tensor{ANEW}"),
            (
                lambda: with_header({"w": 3}),
                f"{DAMAGED}its header cannot be read (TypeError: 'int' object is not subscriptable){ANEW}",
            ),
            (
                lambda: good_file()[:8] + b"{" + b"#" * 300,
                f"{DAMAGED}its header cannot be read (JSONDecodeError: Expecting property name enclosed in"
                f" double quotes: line 1 column 2 (char 1)){ANEW}",
            ),
        ],
    )
    def test_what_is_wrong_is_said(self, tmp_path, content, message):
        path = tmp_path / "a"
        path.write_bytes(content())
        with pytest.raises(ArgumentError) as info:
            torch.load(path)
        assert info.value.summary == message.replace("PATH", str(path))

    @pytest.mark.parametrize(
        "entry",
        [
            {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]},
            {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]},
            {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
            {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        ],
    )
    def test_what_the_format_itself_forbids(self, entry):
        with pytest.raises(ArgumentError, match=r"^load got the file object, a damaged safetensors file\n"):
            torch.load(io.BytesIO(with_header({"w": entry}, bytes(8))))

    @pytest.mark.parametrize(
        ("structure", "why"),
        [
            ('{"version":1,"object":{"tensor":"v"}}', "its structure cannot be read (KeyError: 'v')"),
            ('{"version":1,"object":[]}', "its structure does not mention the tensors ['w']"),
            ('{"version":1,"object":{"code":"w"}}', "its structure cannot be read (KeyError: 'code')"),
            ('{"version":1}', "its structure cannot be read (KeyError: 'object')"),
            (
                '{"version":1,"object":[{"tensor":"w"},{"tensor":"w"}]}',
                "its structure cannot be read (KeyError: 'w')",
            ),
            (
                '{"version":1,"object":{"dict":[[[],{"tensor":"w"}]]}}',
                "its structure cannot be read (TypeError: unhashable type: 'list')",
            ),
            (
                '{"version":1,"object":{}}',
                "its structure cannot be read (ValueError: not enough values to unpack (expected 1, got 0))",
            ),
            (
                "[" * 10,
                "its structure cannot be read (JSONDecodeError: Expecting value: line 1 column 11 (char 10))",
            ),
        ],
    )
    def test_a_structure_that_does_not_belong_to_the_tensors(self, tmp_path, structure, why):
        path = tmp_path / "a"
        safetensors.numpy.save_file({"w": np.ones(1)}, path, metadata={"chainrule": structure})
        with pytest.raises(ArgumentError) as info:
            torch.load(path)
        assert info.value.summary == f"{DAMAGED.replace('PATH', str(path))}{why}{ANEW}"

    def test_a_structure_thousands_of_levels_deep(self, tmp_path):
        deep = '{"version":1,"object":' + "[" * 5000 + "]" * 5000 + "}"
        safetensors.numpy.save_file({}, tmp_path / "a", metadata={"chainrule": deep})
        with pytest.raises(ArgumentError, match="its structure cannot be read"):
            torch.load(tmp_path / "a")

    def test_a_file_of_a_newer_version(self, tmp_path):
        path = tmp_path / "a"
        safetensors.numpy.save_file({}, path, metadata={"chainrule": '{"version":2,"object":1}'})
        with pytest.raises(ArgumentError) as info:
            torch.load(path)
        assert info.value.summary == (
            f"load got {path}, written by a newer version of chainrule (format 2)\n"
            "  this version reads format 1\n"
            "  try: a newer chainrule, or safetensors.numpy.load_file for the tensors alone"
        )

    @pytest.mark.parametrize(
        ("code", "size", "name"),
        [
            ("BF16", 2, "bfloat16"),
            ("U16", 2, "uint16"),
            ("U64", 8, "uint64"),
            ("C64", 8, "complex64"),
            ("F8_E4M3", 1, "F8_E4M3"),
        ],
    )
    def test_an_element_type_that_there_is_no_dtype_for(self, tmp_path, code, size, name):
        path = tmp_path / "a"
        path.write_bytes(
            with_header({"w": {"dtype": code, "shape": [1], "data_offsets": [0, size]}}, bytes(size))
        )
        with pytest.raises(DTypeError) as info:
            torch.load(path)
        assert info.value.summary == (
            f"load got tensor 'w' of dtype {name} in {path}\n"
            "  supported are float16, float32, float64, int8, int16, int32, int64, uint8, bool\n"
            "  try: convert it where it was made, for instance to float32"
        )

    def test_every_cut_and_every_changed_byte_is_an_error_or_a_value_but_never_a_crash(self):
        content = good_file()
        for i in range(len(content)):
            with pytest.raises(ChainruleError):
                torch.load(io.BytesIO(content[:i]))
            changed = bytearray(content)
            changed[i] ^= 0x15
            try:
                torch.load(io.BytesIO(changed))
            except ChainruleError:
                continue

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(FileNotFoundError) as info:
            torch.load(tmp_path / "missing")
        assert info.value.filename == str(tmp_path / "missing")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"map_location": "cuda"},
                "load got map_location='cuda'\n  tensors are on the CPU\n  try: 'cpu'",
            ),
            (
                {"weights_only": False},
                "load got weights_only=False\n"
                "  files contain tensors and plain values only; code is never loaded\n"
                "  try: leave out weights_only",
            ),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(ArgumentError) as info:
            torch.load(io.BytesIO(good_file()), **options)
        assert info.value.summary == message


class TestPickling:
    MESSAGE = (
        "pickle got a tensor (2,)\n"
        "  tensors are not pickled: loading a pickle can run code\n"
        "  try: chainrule.save(x, path) and chainrule.load(path)"
    )

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_a_tensor_is_not_pickled_and_save_is_named(self, protocol):
        with pytest.raises(ArgumentError) as info:
            pickle.dumps(torch.ones(2), protocol=protocol)
        assert info.value.summary == self.MESSAGE

    def test_nor_inside_of_something_else(self):
        with pytest.raises(ArgumentError) as info:
            pickle.dumps({"parameters": [nn.Parameter(torch.ones(2))]})
        assert info.value.summary == self.MESSAGE

    def test_copies_work(self):
        x = torch.arange(6.0).reshape(2, 3).T
        x.requires_grad_()
        y = copy.deepcopy(x)
        assert_same(x, y)
        with torch.no_grad():
            y += 1
        assert x.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]

    def test_a_deep_copy_keeps_what_is_shared_inside_of_it(self):
        x = torch.ones(2)
        a, b = copy.deepcopy([x, x])
        assert a is b
        assert a is not x

    def test_a_computed_tensor_is_not_deep_copied(self):
        with pytest.raises(GradError) as info:
            copy.deepcopy(torch.ones(2, requires_grad=True) * 2)
        assert info.value.summary == (
            "deepcopy got a tensor (2,) made by recorded operations\n"
            "  only leaf tensors can be copied with their gradient\n"
            "  try: x.detach().clone()"
        )
