"""Compiling and loading: values, addresses, refusals, threads, fork, and what an object may not contain."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import llvmlite.ir as ir
import numpy as np
import pytest

from chainrule.core import settings
from chainrule.executors.cpu import cache, elf, target

from .natives import TEXT, function


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    settings.cache_folder.cache_clear()
    yield tmp_path / "objects"
    settings.cache_folder.cache_clear()


SQUARE = """
define i64 @square(i64 %x) {
  %y = mul i64 %x, %x
  ret i64 %y
}

define internal i64 @hidden(i64 %x) noinline {
  ret i64 %x
}

define i64 @plus_one(i64 %x) {
  %y = call i64 @hidden(i64 %x)
  %z = add i64 %y, 1
  ret i64 %z
}
"""


def test_a_text_can_be_called() -> None:
    loaded = target.compile_module(SQUARE)
    assert function(loaded, "square", ctypes.c_int64)(12) == 144
    assert function(loaded, "plus_one", ctypes.c_int64)(-1) == 0
    assert sorted(loaded.names) == ["plus_one", "square"]
    with pytest.raises(KeyError):
        loaded.address("hidden")


def test_a_module_of_the_builder_can_be_called() -> None:
    module = ir.Module("m")
    double = ir.DoubleType()
    f = ir.Function(module, ir.FunctionType(double, [double]), "half")
    b = ir.IRBuilder(f.append_basic_block())
    b.ret(b.fmul(f.args[0], double(0.5)))
    loaded = target.compile_module(module)
    assert function(loaded, "half", ctypes.c_double, result=ctypes.c_double)(3.0) == 1.5


def test_texts_to_read() -> None:
    loaded = target.compile_module(SQUARE)
    assert loaded.ir() == SQUARE
    asm = loaded.asm()
    assert asm is not None
    assert "square" in asm
    assert "mul" in asm
    bare = target.load(*reversed(target.emit(SQUARE)))
    assert bare.ir() is None
    assert bare.asm() is None
    assert function(bare, "square", ctypes.c_int64)(3) == 9


# -- the cache ---------------------------------------------------------------------------------------


def test_the_second_time_it_comes_from_the_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.compile_module(SQUARE)
    assert len(list(folder.iterdir())) == 1

    def emit(text: str) -> tuple[list[str], bytes]:
        raise AssertionError("was compiled again")

    monkeypatch.setattr(target, "emit", emit)
    loaded = target.compile_module(SQUARE)
    assert function(loaded, "square", ctypes.c_int64)(5) == 25
    assert sorted(loaded.names) == ["plus_one", "square"]
    with pytest.raises(AssertionError, match="again"):
        target.compile_module(SQUARE + "\n")
    with pytest.raises(AssertionError, match="again"):
        target.compile_module(SQUARE, key_extra="x")


def test_a_cached_object_that_does_not_load_is_compiled_anew() -> None:
    cache.store(cache.key("module", SQUARE, ""), b"not an object", {"names": ["square"]})
    assert function(target.compile_module(SQUARE), "square", ctypes.c_int64)(4) == 16
    cache.store(cache.key("module", SQUARE, ""), b"not an object", {})
    assert function(target.compile_module(SQUARE), "square", ctypes.c_int64)(4) == 16


@pytest.mark.skipif(not elf.USABLE, reason="objects are loaded through LLVM there")
def test_what_is_cached_loads_without_llvm() -> None:
    target.compile_module(TEXT)
    program = """
import sys
from chainrule.executors.cpu import target
text = sys.stdin.read()
loaded = target.compile_module(text)
import ctypes
print(ctypes.CFUNCTYPE(ctypes.c_int64)(loaded.address("seven"))(), "llvmlite.binding" in sys.modules)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=env, input=TEXT
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "7 False\n", "")


# -- refusals ----------------------------------------------------------------------------------------


def test_a_text_with_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="expected type"):
        target.compile_module("define i32 @f( { ret }")


def test_a_module_that_breaks_the_rules() -> None:
    with pytest.raises(RuntimeError, match="dominate"):
        target.compile_module("define i32 @f() {\n %x = add i32 %y, 1\n %y = add i32 1, 1\n ret i32 %x\n}")


@pytest.mark.skipif(not elf.USABLE, reason="LLVM's loader ends the process")
def test_a_call_of_what_does_not_exist(folder: Path) -> None:
    text = "declare i32 @nowhere()\ndefine i32 @f() {\n %x = call i32 @nowhere()\n ret i32 %x\n}"
    with pytest.raises(RuntimeError) as caught:
        target.compile_module(text)
    assert str(caught.value) == "the code calls nowhere, which this process does not have"
    assert not folder.exists()  # what cannot be loaded is not kept


def test_a_name_that_the_object_does_not_have() -> None:
    names, code = target.emit(SQUARE)
    with pytest.raises(RuntimeError) as caught:
        target.load(code, ["cube"])
    assert str(caught.value) == "the object has no function cube"
    assert sorted(names) == ["plus_one", "square"]


# -- processes and threads ---------------------------------------------------------------------------


def test_objects_are_the_same_in_every_process() -> None:
    """So they hold no addresses of this one, where everything lies elsewhere each time."""
    program = """
import sys
from chainrule.executors.cpu import target
sys.stdout.buffer.write(target.emit(sys.stdin.read())[1])
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    objects = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, timeout=60, env=env, input=TEXT.encode()
        ).stdout
        for _ in range(2)
    }
    assert objects == {target.emit(TEXT)[1]}


def test_several_threads_compile_at_once() -> None:
    results: dict[int, int] = {}

    def work(i: int) -> None:
        for k in range(5):
            text = f"define i64 @f() {{\n ret i64 {100 * i + k}\n}}"
            results[100 * i + k] = function(target.compile_module(text), "f")()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {100 * i + k: 100 * i + k for i in range(4) for k in range(5)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_while_another_thread_compiles() -> None:
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            target.compile_module(f"define i64 @f() {{\n ret i64 {number}\n}}")

    thread = threading.Thread(target=work)
    thread.start()
    codes = []
    for i in range(5):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                text = f"define i64 @f() {{\n ret i64 {10_000_000 + i}\n}}"
                status = 0 if function(target.compile_module(text), "f")() == 10_000_000 + i else 2
            finally:
                os._exit(status)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    thread.join()
    assert codes == [0] * 5


def test_memory_is_given_back() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    if not os.path.exists("/proc/self/statm"):
        pytest.skip("the memory of a process is not known there")
    constants = ", ".join(["i64 1"] * 20_000)  # 160 kB
    text = f"@t = internal constant [20000 x i64] [{constants}]\ndefine ptr @f() {{\n ret ptr @t\n}}"
    names, code = target.emit(text)
    target.load(code, names)
    gc.collect()
    before = resident()
    for _ in range(300):  # 48 MB
        target.load(code, names)
    gc.collect()
    assert (resident() - before) * os.sysconf("SC_PAGE_SIZE") < 20e6


# -- the processor -----------------------------------------------------------------------------------


def test_the_processor() -> None:
    host = target.host()
    assert host.vector_bytes in (16, 32, 64)
    assert host.registers in (16, 32)
    assert 8 << 10 <= host.l1 <= host.l2 <= host.l3
    assert host is target.host()


def test_the_widest_registers_are_used() -> None:
    host = target.host()
    lanes = host.vector_bytes // 4
    vector = f"<{lanes} x float>"
    text = f"""
define void @add(ptr %x, ptr %y) {{
  %a = load {vector}, ptr %x, align 4
  %b = load {vector}, ptr %y, align 4
  %c = fadd {vector} %a, %b
  store {vector} %c, ptr %y, align 4
  ret void
}}"""
    loaded = target.compile_module(text)
    x, y = np.arange(lanes, dtype=np.float32), np.ones(lanes, np.float32)
    add = function(loaded, "add", ctypes.c_void_p, ctypes.c_void_p, result=None)
    add(x.ctypes.data, y.ctypes.data)
    assert y.tolist() == (x + 1).tolist()
    if host.triple.startswith("x86_64"):
        asm = loaded.asm()
        assert asm is not None
        assert {64: "zmm", 32: "ymm", 16: "xmm"}[host.vector_bytes] in asm


def test_llvm_in_the_background() -> None:
    program = """
import sys, time
from chainrule.executors.cpu import target
assert "llvmlite.binding" not in sys.modules
target.prepare()
print(target.emit("define void @f() { ret void }")[0])
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=env
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "['f']\n", "")
