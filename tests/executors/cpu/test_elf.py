"""Loading objects without LLVM: every kind of reference, private memory, and what is refused."""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from chainrule.executors.cpu import elf, target

from .natives import function

pytestmark = pytest.mark.skipif(not elf.USABLE, reason="objects are loaded through LLVM there")

INT, PTR, DOUBLE = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double


def load(text: str) -> target.Loaded:
    names, code = target.emit(text)
    return target.load(code, names)


def test_variables_have_their_values_and_keep_new_ones() -> None:
    loaded = load("""
@filled = internal global [3 x i64] [i64 5, i64 6, i64 7]
@empty = internal global [1000 x i64] zeroinitializer, align 64
@shared = global i64 40
define i64 @count() {
  %p = getelementptr i64, ptr @empty, i64 999
  %e = load i64, ptr %p
  %e1 = add i64 %e, 1
  store i64 %e1, ptr %p
  %q = getelementptr i64, ptr @filled, i64 1
  %f = load i64, ptr %q
  %f1 = add i64 %f, 1
  store i64 %f1, ptr %q
  %s = load i64, ptr @shared
  %s1 = add i64 %s, 1
  store i64 %s1, ptr @shared
  %a = mul i64 %e1, 10000
  %b = mul i64 %f1, 100
  %ab = add i64 %a, %b
  %abc = add i64 %ab, %s1
  ret i64 %abc
}
define ptr @where() {
  ret ptr @empty
}
""")
    count = function(loaded, "count")
    assert [count() for _ in range(3)] == [10741, 20842, 30943]
    assert function(loaded, "where", result=PTR)() % 64 == 0


def test_two_copies_of_an_object_have_their_own_variables() -> None:
    text = """
@n = internal global i64 0
define i64 @f() {
  %n = load i64, ptr @n
  %m = add i64 %n, 1
  store i64 %m, ptr @n
  ret i64 %m
}
"""
    one, two = function(load(text), "f"), function(load(text), "f")
    assert [one(), one(), two(), one()] == [1, 2, 1, 3]


def test_tables_of_addresses_and_jumps() -> None:
    cases = "\n".join(f"    i64 {i}, label %c{i}" for i in range(12))
    blocks = "\n".join(f"c{i}:\n  br label %end" for i in range(12))
    values = ", ".join(f"[{i * i - 7 * i}, %c{i}]" for i in range(12))
    loaded = load(f"""
@functions = internal constant [2 x ptr] [ptr @double, ptr @negate]
define internal i64 @double(i64 %x) {{
  %y = add i64 %x, %x
  ret i64 %y
}}
define internal i64 @negate(i64 %x) {{
  %y = sub i64 0, %x
  ret i64 %y
}}
define i64 @apply(i64 %which, i64 %x) {{
  %p = getelementptr ptr, ptr @functions, i64 %which
  %f = load ptr, ptr %p
  %y = call i64 %f(i64 %x)
  ret i64 %y
}}
declare i64 @labs(i64)
define i64 @choose(i64 %x) {{
entry:
  switch i64 %x, label %other [
{cases}
  ]
{blocks}
other:
  %o = call i64 @labs(i64 %x)
  br label %end
end:
  %y = phi i64 {values}, [%o, %other]
  ret i64 %y
}}
""")
    apply, choose = function(loaded, "apply", INT, INT), function(loaded, "choose", INT)
    assert (apply(0, 21), apply(1, 21)) == (42, -21)
    assert [choose(i) for i in range(12)] == [i * i - 7 * i for i in range(12)]
    assert choose(-100) == 100


def test_functions_of_the_system() -> None:
    loaded = load("""
declare double @llvm.sin.f64(double)
declare double @fmod(double, double)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define double @mixed(double %x, double %y) {
  %s = call double @llvm.sin.f64(double %x)
  %m = frem double %y, 3.0
  %r = fadd double %s, %m
  ret double %r
}
define void @copy(ptr %to, ptr %from, i64 %n) {
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %n, i1 false)
  ret void
}
define ptr @its_address() {
  ret ptr @fmod
}
""")
    assert function(loaded, "mixed", DOUBLE, DOUBLE, result=DOUBLE)(0.0, 10.0) == 1.0
    x, y = np.arange(1000.0), np.zeros(1000)
    function(loaded, "copy", PTR, PTR, INT, result=None)(y.ctypes.data, x.ctypes.data, x.nbytes)
    assert y.tolist() == x.tolist()
    fmod = ctypes.CFUNCTYPE(DOUBLE, DOUBLE, DOUBLE)(function(loaded, "its_address", result=PTR)())
    assert fmod(7.5, 2.0) == 1.5


def test_vectors_of_constants() -> None:
    loaded = load("""
define void @f(ptr %p) {
  %x = load <16 x float>, ptr %p, align 4
  %y = fmul <16 x float> %x, <float 1.0, float 2.0, float 3.0, float 4.0, float 5.0, float 6.0, float 7.0,
    float 8.0, float 9.0, float 10.0, float 11.0, float 12.0, float 13.0, float 14.0, float 15.0, float 16.0>
  store <16 x float> %y, ptr %p, align 4
  ret void
}
""")
    x = np.full(16, 2.0, np.float32)
    function(loaded, "f", PTR, result=None)(x.ctypes.data)
    assert x.tolist() == [2.0 * i for i in range(1, 17)]


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="the rights of memory are not known there")
def test_code_cannot_be_written_and_data_cannot_be_run() -> None:
    names, code = target.emit("@v = global i64 1\n@c = constant i64 2\ndefine i64 @f() {\n ret i64 3\n}")
    addresses, keep = elf.load(code)
    rights = {}
    with open("/proc/self/maps") as file:
        for line in file:
            span, what, *_ = line.split()
            start, end = (int(part, 16) for part in span.split("-"))
            rights.update({name: what for name, at in addresses.items() if start <= at < end})
    assert rights == {"f": "r-xp", "c": "r--p", "v": "rw-p"}  # p: a forked child has its own
    assert keep is not None
    assert names == ["f"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@x = thread_local global i64 1\ndefine ptr @f() {\n ret ptr @x\n}", "cannot be loaded"),
        ("@x = common global i64 0\ndefine ptr @f() {\n ret ptr @x\n}", "cannot be loaded"),
        ("@x = external global i64\ndefine ptr @f() {\n ret ptr @x\n}", "the code calls x"),
    ],
)
def test_what_cannot_be_loaded(text: str, message: str) -> None:
    _, code = target.emit(text)
    with pytest.raises(RuntimeError, match=message):
        elf.load(code)


def test_a_kind_of_relocation_that_is_not_known() -> None:
    _, code = target.emit("@v = global i64 1\ndefine i64 @f() {\n %x = load i64, ptr @v\n ret i64 %x\n}")
    table = next(section for section in elf._sections(code) if section.type == 4)
    kind = table.offset + 8  # of the first relocation
    changed = code[:kind] + struct.pack("<I", 99) + code[kind + 4 :]
    with pytest.raises(RuntimeError) as caught:
        elf.load(changed)
    assert str(caught.value) == "an object with relocations of type [99] cannot be loaded"


@pytest.mark.parametrize("code", [b"", b"\x7fELF", b"MZ" + b"\0" * 200, b"\x7fELF\x01\x01" + b"\0" * 200])
def test_what_is_no_object(code: bytes) -> None:
    with pytest.raises(RuntimeError, match="not an object file"):
        elf.load(code)


def test_damaged_objects_are_refused_or_loaded_but_never_end_the_process() -> None:
    program = """
import random, sys
from chainrule.executors.cpu import elf
code = sys.stdin.buffer.read()
rng = random.Random(0)
refused = 0
for _ in range(1500):
    bad = bytearray(code[: rng.choice([len(code), len(code), rng.randrange(len(code))])])
    for _ in range(rng.randrange(4)):
        if bad:
            bad[rng.randrange(len(bad))] = rng.randrange(256)
    try:
        elf.load(bytes(bad))
    except (RuntimeError, OSError, MemoryError, OverflowError):
        refused += 1
print(refused > 300)
"""
    _, code = target.emit("@v = global i64 1\ndefine i64 @f() {\n %x = load i64, ptr @v\n ret i64 %x\n}")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, env=env, input=code
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"True\n", b"")
